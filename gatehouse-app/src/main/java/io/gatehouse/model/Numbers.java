package io.gatehouse.model;

/**
 * The host-wide numbers that are ours: nothing else on the host may use them.
 *
 * @param rulePriorities of ip rules; charon's table 220 is looked up at priority 220, before these
 * @param routeTables of policy routing
 * @param routeProtocol tags our routes, rules and proxy neighbours (rtm_protocol, 4–255)
 * @param backstopPriority of the xfrm block policies: the highest number is the lowest precedence
 * @param saMarkMask bits of a packet mark that tell SAs apart
 * @param identityMarkMask bits of a packet mark that tell identities apart
 * @param transportZones conntrack zones of transport-mode clients
 * @param masqueradeZones conntrack zones of masqueraded VPN hosts
 * @param queue the NFQUEUE for the masquerade's packets from outside; the next one is for its
 *     hosts'
 */
public record Numbers(
    Span rulePriorities,
    Span routeTables,
    int routeProtocol,
    long backstopPriority,
    long saMarkMask,
    long identityMarkMask,
    Span transportZones,
    Span masqueradeZones,
    int queue) {

  /** Whole numbers from {@code first} to {@code last}, both included. */
  public record Span(int first, int last) {
    public Span {
      if (first < 0 || first > last) {
        throw new IllegalArgumentException("no such numbers: " + first + "-" + last);
      }
    }

    public int size() {
      return last - first + 1;
    }

    public boolean overlaps(Span other) {
      return first <= other.last && other.first <= last;
    }

    @Override
    public String toString() {
      return first + "-" + last;
    }
  }

  /**
   * The mark of what goes out under a virtual IP of this host's, or as the other end of a tunnel
   * knows it, and was not translated yet: the lowest bit of those that tell identities apart.
   */
  public long clientMark() {
    return Long.lowestOneBit(identityMarkMask);
  }

  /** The bits by which connections and their answers remember an uplink: all but the lowest. */
  public long uplinkMask() {
    return identityMarkMask & ~clientMark();
  }

  /** How many uplinks these bits tell apart; zero is none. */
  public long uplinks() {
    return (1L << Long.bitCount(uplinkMask())) - 1;
  }

  /**
   * The mark of an uplink.
   *
   * @param number from 1 to {@link #uplinks}
   */
  long uplinkMark(int number) {
    if (number < 1 || number > uplinks()) {
      throw new IllegalArgumentException("no mark is left for uplink " + number);
    }
    return Long.expand(number, uplinkMask());
  }

  /** What stands where the description has no {@code numbers:}. */
  public static final Numbers DEFAULT =
      new Numbers(
          new Span(5000, 5099),
          new Span(7100, 7199),
          171,
          0xfffffff0L,
          0x00ffffffL,
          0xff000000L,
          new Span(0x1000, 0x7fff),
          new Span(0x8000, 0xefff),
          7171);
}
