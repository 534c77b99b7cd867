package io.gatehouse.netlink;

/** Numbers of linux/netlink.h that more than one codec needs. */
final class Wire {
  static final int ROUTE = 0;
  static final int XFRM = 6;
  static final int NETFILTER = 12;

  /** struct nlmsghdr: length, type, flags, sequence, port. */
  static final int HEADER = 16;

  static final int TYPE_NOOP = 1;
  static final int TYPE_ERROR = 2;
  static final int TYPE_DONE = 3;
  static final int TYPE_OVERRUN = 4;

  /** NLM_F_REQUEST. */
  static final int REQUEST = 0x1;

  /** NLM_F_ACK. */
  static final int ACKNOWLEDGE = 0x4;

  /** NLM_F_DUMP_INTR. */
  static final int DUMP_INTERRUPTED = 0x10;

  /** NLM_F_DUMP: NLM_F_ROOT | NLM_F_MATCH. */
  static final int DUMP = 0x300;

  /** NLM_F_REPLACE. */
  static final int REPLACE = 0x100;

  /** NLM_F_CREATE. */
  static final int CREATE = 0x400;

  /** NLM_F_APPEND. */
  static final int APPEND = 0x800;

  /** NLM_F_CAPPED: an error does not repeat the request's body. */
  static final int CAPPED = 0x100;

  /** NLM_F_ACK_TLVS: attributes of the extended acknowledgement follow. */
  static final int ACK_ATTRIBUTES = 0x200;

  /** AF_UNSPEC, AF_INET, AF_INET6. */
  static final int ANY = 0;

  static final int INET = 2;
  static final int INET6 = 10;

  private Wire() {}

  /** Netlink's alignment. */
  static int aligned(int length) {
    return (length + 3) & ~3;
  }
}
