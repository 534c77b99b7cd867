package io.gatehouse.path;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The kernel's numbers behind nftables' names. */
final class Names {
  private Names() {}

  /** What a selector's numbers mean, which decides what its names are. */
  enum Meaning {
    NUMBER,
    ADDRESS,
    PORT,
    PROTOCOL,
    DEVICE,
    CONNECTION_STATE,
    CONNECTION_STATUS,
    DIRECTION,
    ICMP_TYPE,
    ICMP_CODE,
    ICMP6_TYPE,
    ICMP6_CODE,
    TCP_FLAGS,
    PRESENCE,
    ADDRESS_TYPE,
    ETHER_TYPE,
    PACKET_TYPE,
    NETFILTER_PROTOCOL;

    /** Whether its values are bits, of which a comparison without operator asks for any. */
    boolean isFlags() {
      return this == CONNECTION_STATE || this == CONNECTION_STATUS || this == TCP_FLAGS;
    }
  }

  private static final Map<Meaning, Map<String, Long>> NUMBERS = new HashMap<>();

  private static void name(Meaning type, Object... pairs) {
    Map<String, Long> names = NUMBERS.computeIfAbsent(type, t -> new HashMap<>());
    for (int i = 0; i < pairs.length; i += 2) {
      names.put((String) pairs[i], ((Number) pairs[i + 1]).longValue());
    }
  }

  static {
    // /etc/protocols, as nft prints them.
    name(
        Meaning.PROTOCOL,
        "hopopt",
        0,
        "ip",
        0,
        "icmp",
        1,
        "igmp",
        2,
        "ipencap",
        4,
        "tcp",
        6,
        "udp",
        17,
        "dccp",
        33,
        "ipv6",
        41,
        "ipv6-route",
        43,
        "ipv6-frag",
        44,
        "gre",
        47,
        "esp",
        50,
        "ah",
        51,
        "icmpv6",
        58,
        "ipv6-icmp",
        58,
        "ipv6-nonxt",
        59,
        "ipv6-opts",
        60,
        "ospf",
        89,
        "ipip",
        94,
        "pim",
        103,
        "ipcomp",
        108,
        "comp",
        108,
        "vrrp",
        112,
        "l2tp",
        115,
        "sctp",
        132,
        "udplite",
        136);
    name(
        Meaning.PORT,
        "ssh",
        22,
        "smtp",
        25,
        "domain",
        53,
        "bootps",
        67,
        "bootpc",
        68,
        "http",
        80,
        "ntp",
        123,
        "isakmp",
        500,
        "https",
        443,
        "l2f",
        1701,
        "pptp",
        1723,
        "ipsec-nat-t",
        4500);
    // enum ip_conntrack_info as bits: NF_CT_STATE_BIT.
    name(
        Meaning.CONNECTION_STATE,
        "invalid",
        1,
        "established",
        2,
        "related",
        4,
        "new",
        8,
        "untracked",
        64);
    // enum ip_conntrack_status.
    name(
        Meaning.CONNECTION_STATUS,
        "expected",
        1,
        "seen-reply",
        2,
        "assured",
        4,
        "confirmed",
        8,
        "snat",
        16,
        "dnat",
        32,
        "dying",
        512);
    name(Meaning.DIRECTION, "original", 0, "reply", 1);
    name(
        Meaning.TCP_FLAGS, "fin", 1, "syn", 2, "rst", 4, "psh", 8, "ack", 16, "urg", 32, "ecn", 64);
    name(Meaning.TCP_FLAGS, "cwr", 128);
    name(Meaning.PRESENCE, "missing", 0, "exists", 1);
    // include/uapi/linux/rtnetlink.h, enum rtn_type.
    name(
        Meaning.ADDRESS_TYPE,
        "unspec",
        0,
        "unicast",
        1,
        "local",
        2,
        "broadcast",
        3,
        "anycast",
        4,
        "multicast",
        5,
        "blackhole",
        6,
        "unreachable",
        7,
        "prohibit",
        8);
    name(Meaning.ETHER_TYPE, "ip", 0x0800, "arp", 0x0806, "ip6", 0x86dd, "vlan", 0x8100);
    name(Meaning.NETFILTER_PROTOCOL, "ipv4", 2, "ipv6", 10);
    name(Meaning.PACKET_TYPE, "host", 0, "unicast", 0, "broadcast", 1, "multicast", 2, "other", 3);
  }

  private static final Map<String, Long> ICMP4 = new HashMap<>();
  private static final Map<String, Long> ICMP6 = new HashMap<>();

  private static void icmp(Map<String, Long> names, Object... pairs) {
    for (int i = 0; i < pairs.length; i += 2) {
      names.put((String) pairs[i], ((Number) pairs[i + 1]).longValue());
    }
  }

  static {
    icmp(
        ICMP4,
        "echo-reply",
        0,
        "destination-unreachable",
        3,
        "source-quench",
        4,
        "redirect",
        5,
        "echo-request",
        8,
        "router-advertisement",
        9,
        "router-solicitation",
        10,
        "time-exceeded",
        11,
        "parameter-problem",
        12,
        "timestamp-request",
        13,
        "timestamp-reply",
        14,
        "info-request",
        15,
        "info-reply",
        16,
        "address-mask-request",
        17,
        "address-mask-reply",
        18);
    icmp(
        ICMP6,
        "destination-unreachable",
        1,
        "packet-too-big",
        2,
        "time-exceeded",
        3,
        "parameter-problem",
        4,
        "echo-request",
        128,
        "echo-reply",
        129,
        "mld-listener-query",
        130,
        "mld-listener-report",
        131,
        "mld-listener-done",
        132,
        "mld-listener-reduction",
        132,
        "nd-router-solicit",
        133,
        "nd-router-advert",
        134,
        "nd-neighbor-solicit",
        135,
        "nd-neighbor-advert",
        136,
        "nd-redirect",
        137,
        "router-renumbering",
        138,
        "ind-neighbor-solicit",
        141,
        "ind-neighbor-advert",
        142,
        "mld2-listener-report",
        143);
  }

  private static final Map<String, Long> CODES4 =
      Map.of(
          "net-unreachable",
          0L,
          "host-unreachable",
          1L,
          "prot-unreachable",
          2L,
          "port-unreachable",
          3L,
          "frag-needed",
          4L,
          "net-prohibited",
          9L,
          "host-prohibited",
          10L,
          "admin-prohibited",
          13L);
  private static final Map<String, Long> CODES6 =
      Map.of(
          "no-route",
          0L,
          "admin-prohibited",
          1L,
          "addr-unreachable",
          3L,
          "port-unreachable",
          4L,
          "policy-fail",
          5L,
          "reject-route",
          6L);

  /** The number behind a name; nothing where the name is none of the type's. */
  static OptionalLong number(Meaning type, String name) {
    Map<String, Long> names =
        switch (type) {
          case ICMP_TYPE -> ICMP4;
          case ICMP6_TYPE -> ICMP6;
          case ICMP_CODE -> CODES4;
          case ICMP6_CODE -> CODES6;
          default -> NUMBERS.getOrDefault(type, Map.of());
        };
    Long number = names.get(name);
    if (number != null) {
      return OptionalLong.of(number);
    }
    return name.matches("[0-9]{1,18}")
        ? OptionalLong.of(Long.parseLong(name))
        : OptionalLong.empty();
  }

  /**
   * Bits of a header's field that the walk treats as a property which nothing changes; 0 for a
   * field that is not known.
   *
   * <p>Fields that do change on the way, such as {@code ip ttl} and checksums, are left out: they
   * are not understood.
   */
  static int width(String header, String field) {
    return switch (header + " " + field) {
      case "ip ttl", "ip6 hoplimit" -> 8;
      case "ip dscp", "ip6 dscp", "tcp doff" -> 6;
      case "ip version", "ip hdrlength", "ip6 version", "tcp reserved" -> 4;
      case "ip id", "ip frag-off", "ip6 length", "udp length", "udplite csumcov" -> 16;
      case "icmp id", "icmpv6 id", "icmp sequence", "icmpv6 sequence" -> 16;
      case "tcp window", "tcp urgptr", "icmp mtu", "vlan id", "ah reserved" -> 16;
      case "tcp sequence", "tcp ackseq", "esp spi", "esp sequence", "ah spi", "ah sequence" -> 32;
      case "icmp gateway", "icmpv6 mtu", "icmpv6 parameter-problem", "sctp vtag" -> 32;
      case "ip6 flowlabel" -> 20;
      case "comp cpi", "comp flags", "comp nexthdr", "dccp type" -> 16;
      case "ether saddr", "ether daddr" -> 48;
      default -> 0;
    };
  }

  /** The protocol whose header it is, or −1 for headers below the transport layer. */
  static int protocolOf(String header) {
    return switch (header) {
      case "tcp" -> 6;
      case "udp" -> 17;
      case "udplite" -> 136;
      case "dccp" -> 33;
      case "sctp" -> 132;
      case "icmp" -> 1;
      case "icmpv6" -> 58;
      case "esp" -> 50;
      case "ah" -> 51;
      case "comp" -> 108;
      case "igmp" -> 2;
      default -> -1;
    };
  }
}
