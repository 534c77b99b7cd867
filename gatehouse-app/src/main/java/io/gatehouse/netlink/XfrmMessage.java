package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.List;
import java.util.Optional;

/** What xfrm tells of SAs and policies, as far as we read it (linux/xfrm.h). No keys. */
public sealed interface XfrmMessage
    permits XfrmMessage.State,
        XfrmMessage.StateGone,
        XfrmMessage.Expired,
        XfrmMessage.Moved,
        XfrmMessage.StatesFlushed,
        XfrmMessage.Policy,
        XfrmMessage.PoliciesFlushed,
        Unknown,
        Unreadable {

  /**
   * What names an SA.
   *
   * @param protocol 50 ESP, 51 AH
   */
  record SaId(Address destination, long spi, int protocol) {}

  /** A value under a mask. */
  record Mark(long value, long mask) {}

  /** Ports, of a selector or of UDP encapsulation; 0 for any. */
  record Ports(int source, int destination) {}

  /**
   * An SA that stands, came, or changed.
   *
   * @param mode 0 transport, 1 tunnel, 4 BEET
   * @param mark which packets it takes
   * @param outputMark what packets get that went through it
   * @param bytes that went through it
   * @param packets that went through it
   */
  record State(
      SaId id,
      Address source,
      long reqid,
      int mode,
      Optional<Mark> mark,
      Optional<Mark> outputMark,
      Optional<Ports> encapsulation,
      long bytes,
      long packets)
      implements XfrmMessage {}

  /** An SA went. */
  record StateGone(SaId id) implements XfrmMessage {}

  /**
   * An SA's life is over, or nearly so.
   *
   * @param hard whether it went; else it is to be renewed
   */
  record Expired(State state, boolean hard) implements XfrmMessage {}

  /** A NAT on the way gives a peer another address or port (XFRM_MSG_MAPPING). */
  record Moved(SaId id, long reqid, Address from, int fromPort, Address to, int toPort)
      implements XfrmMessage {}

  /** All SAs of a protocol went; 0 or 255 are all protocols. */
  record StatesFlushed(int protocol) implements XfrmMessage {}

  /** All policies went. */
  record PoliciesFlushed() implements XfrmMessage {}

  /** The directions of a policy, by their numbers. */
  enum Direction {
    IN,
    OUT,
    FORWARD
  }

  /**
   * A policy that stands, came, changed, or went.
   *
   * @param protocol 0 for any
   * @param priority the lower wins
   * @param block whether it refuses
   * @param templates the SAs that it asks for; none lets packets pass in clear
   */
  record Policy(
      Direction direction,
      Prefix source,
      Prefix destination,
      int protocol,
      Ports ports,
      long priority,
      boolean block,
      Optional<Mark> mark,
      List<Template> templates,
      boolean gone)
      implements XfrmMessage {
    public Policy {
      templates = List.copyOf(templates);
    }
  }

  /** An SA that a policy asks for; no addresses in transport mode. */
  record Template(Optional<Address> source, Optional<Address> destination, long reqid, int mode) {}
}
