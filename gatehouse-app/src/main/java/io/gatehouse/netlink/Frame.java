package io.gatehouse.netlink;

import java.util.Optional;
import java.util.OptionalInt;

/** One netlink message of a datagram, as far as its header says (linux/netlink.h). */
public sealed interface Frame {

  /**
   * A message with content.
   *
   * @param type the protocol's own number
   * @param flags NLM_F_…
   * @param sequence of the request that it answers; 0 for an event
   * @param body without the header
   */
  record Content(int type, int flags, long sequence, Bytes body) implements Frame {
    /** Whether what is listed changed meanwhile, so that the list may be wrong. */
    public boolean isInterrupted() {
      return (flags & Wire.DUMP_INTERRUPTED) != 0;
    }
  }

  /** NLMSG_ERROR with 0: it was done. */
  record Acknowledged(long sequence) implements Frame {}

  /**
   * NLMSG_ERROR: it was not done.
   *
   * @param errno as in errno(3), positive
   * @param text what the kernel says of it, from the extended acknowledgement
   * @param offset of the offending attribute in the request
   */
  record Refused(long sequence, int errno, Optional<String> text, OptionalInt offset)
      implements Frame {}

  /**
   * NLMSG_DONE: the end of a list.
   *
   * @param errno 0, or why the list ends before its end, positive
   * @param flags NLM_F_…
   */
  record Done(long sequence, int errno, int flags) implements Frame {
    /** As {@link Content#isInterrupted()}. */
    public boolean isInterrupted() {
      return (flags & Wire.DUMP_INTERRUPTED) != 0;
    }
  }

  /** NLMSG_OVERRUN: messages were lost. */
  record Lost() implements Frame {}

  /** The rest of the datagram cannot be read. */
  record Broken(Unreadable what) implements Frame {}
}
