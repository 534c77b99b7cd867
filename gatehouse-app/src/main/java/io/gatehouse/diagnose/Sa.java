package io.gatehouse.diagnose;

/** One SPI or PPTP call in one direction at one point. */
final class Sa {
  /** Nanoseconds without a packet that a translator may take for the end. */
  static final long PAUSE = 25_000_000_000L;

  final Channel channel;
  final long id;
  final boolean forth;
  final Flow flow = new Flow();
  long lowest = Long.MAX_VALUE;
  long highest = -1;

  /** The sequence number behind the last long pause; -1 where there was none. */
  long afterPause = -1;

  /** How long that pause was, in nanoseconds. */
  long pause;

  /**
   * @param forth whether the talk's first address sends it
   */
  Sa(Channel channel, long id, boolean forth) {
    this.channel = channel;
    this.id = id;
    this.forth = forth;
  }

  void packet(long time, int bytes, long sequence) {
    if (flow.count > 0 && time - flow.last >= PAUSE) {
      afterPause = sequence;
      pause = time - flow.last;
    }
    flow.packet(time, bytes);
    lowest = Math.min(lowest, sequence);
    highest = Math.max(highest, sequence);
  }
}
