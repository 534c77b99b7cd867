package io.gatehouse.netlink;

import java.util.Optional;

/** Messages about queues of packets (linux/netfilter/nfnetlink_queue.h). */
final class QueueCodec {
  private static final int SUBSYSTEM = 3;
  private static final int PACKET = SUBSYSTEM << 8;
  private static final int VERDICT = SUBSYSTEM << 8 | 1;
  private static final int CONFIGURE = SUBSYSTEM << 8 | 2;

  // NFQA_CFG_…
  private static final int COMMAND = 1;
  private static final int PARAMETERS = 2;
  private static final int LONGEST = 3;

  private static final int BIND = 1;
  private static final int COPY_PACKET = 2;

  // NFQA_…
  private static final int PACKET_HEADER = 1;
  private static final int VERDICT_HEADER = 2;
  private static final int PAYLOAD = 10;
  private static final int WHOLE_LENGTH = 13;

  /** struct nfgenmsg: family, version, the queue's number. */
  private static final int HEADER = 4;

  /** An IP packet at its longest. */
  private static final int ALL = 0xffff;

  private QueueCodec() {}

  /** Asks for a queue. */
  static Bytes bind(int queue, long sequence) {
    return configure(
        queue,
        sequence,
        m -> m.attribute(COMMAND, Bytes.of((byte) BIND, (byte) 0, (byte) 0, (byte) 0)));
  }

  /**
   * Asks for whole packets.
   *
   * @param longest packets that may wait; more are dropped
   */
  static Bytes wholePackets(int queue, int longest, long sequence) {
    // struct nfqnl_msg_config_params, packed: range in network order, mode.
    return configure(
        queue,
        sequence,
        m ->
            m.attribute(
                    PARAMETERS,
                    Bytes.of(
                        (byte) 0, (byte) 0, (byte) (ALL >>> 8), (byte) ALL, (byte) COPY_PACKET))
                .attributeBe(LONGEST, longest));
  }

  private static Bytes configure(
      int queue, long sequence, java.util.function.Consumer<Message> what) {
    return new Message()
        .message(
            CONFIGURE,
            Wire.REQUEST | Wire.ACKNOWLEDGE,
            sequence,
            m -> {
              m.u8(Wire.ANY).u8(0).u16be(queue);
              what.accept(m);
            })
        .done();
  }

  /**
   * Says what becomes of a packet; there is no answer.
   *
   * @param payload to go on in the place of what was queued; from the IP header on
   */
  static Bytes verdict(int queue, long id, int verdict, Optional<Bytes> payload) {
    return new Message()
        .message(
            VERDICT,
            Wire.REQUEST,
            0,
            m -> {
              m.u8(Wire.ANY).u8(0).u16be(queue);
              m.attribute(VERDICT_HEADER, pair(verdict, id));
              payload.ifPresent(bytes -> m.attribute(PAYLOAD, bytes));
            })
        .done();
  }

  private static Bytes pair(long first, long second) {
    byte[] bytes = new byte[8];
    for (int i = 0; i < 4; i++) {
      bytes[i] = (byte) (first >>> (24 - 8 * i));
      bytes[4 + i] = (byte) (second >>> (24 - 8 * i));
    }
    return Bytes.owning(bytes);
  }

  /** Reads what the kernel tells. */
  static QueueMessage read(Frame.Content frame) {
    Bytes body = frame.body();
    if (frame.type() != PACKET) {
      return new Unknown(frame.type(), body.position());
    }
    if (body.length() < HEADER) {
      return new Unreadable(body.position(), "nfnetlink's header is cut off");
    }
    Attributes attributes = Attributes.of(body.from(HEADER));
    if (attributes.fault().isPresent()) {
      return attributes.fault().get();
    }
    Optional<Bytes> header = attributes.find(PACKET_HEADER, 4);
    Optional<Bytes> payload = attributes.find(PAYLOAD);
    if (header.isEmpty()) {
      return new Unreadable(body.position(), "a packet without number");
    }
    Bytes bytes = payload.orElse(Bytes.NONE);
    long length =
        attributes.find(WHOLE_LENGTH, 4).map(value -> value.u32be(0)).orElse((long) bytes.length());
    return new QueuedPacket(body.u16be(2), header.get().u32be(0), length <= bytes.length(), bytes);
  }
}
