package io.gatehouse.ruleset;

import java.util.Arrays;
import java.util.List;

/**
 * What the values of a selector are, as far as it decides their spelling and their order in
 * nft(8)'s own listings.
 */
enum NftType {
  /** Anything that prints as it is. */
  PLAIN,
  /** 32 bits in eight hexadecimal digits. */
  MARK,
  /** Bytes without a name, in hexadecimal. */
  RAW,
  /** Conntrack states; a packet has exactly one. */
  STATE("invalid 1", "established 2", "related 4", "new 8", "untracked 64"),
  /** What happened to a connection; several at once. */
  STATUS(
      "expected 1", "seen-reply 2", "assured 4", "confirmed 8", "snat 16", "dnat 32", "dying 512"),
  TCP_FLAGS("fin 1", "syn 2", "rst 4", "psh 8", "ack 16", "urg 32", "ecn 64", "cwr 128"),
  PROTOCOL(
      "icmp 1",
      "igmp 2",
      "ipencap 4",
      "tcp 6",
      "udp 17",
      "dccp 33",
      "ipv6 41",
      "gre 47",
      "esp 50",
      "ah 51",
      "ipv6-icmp 58",
      "ipcomp 108",
      "l2tp 115",
      "sctp 132",
      "udplite 136"),
  FAMILY("ipv4 2", "ipv6 10"),
  ETHER_TYPE("ip 2048", "arp 2054", "vlan 33024", "ip6 34525"),
  ICMP(
      "echo-reply 0",
      "destination-unreachable 3",
      "source-quench 4",
      "redirect 5",
      "echo-request 8",
      "router-advertisement 9",
      "router-solicitation 10",
      "time-exceeded 11",
      "parameter-problem 12",
      "timestamp-request 13",
      "timestamp-reply 14",
      "info-request 15",
      "info-reply 16",
      "address-mask-request 17",
      "address-mask-reply 18"),
  ICMP_CODE(
      "net-unreachable 0",
      "host-unreachable 1",
      "prot-unreachable 2",
      "port-unreachable 3",
      "frag-needed 4",
      "net-prohibited 9",
      "host-prohibited 10",
      "admin-prohibited 13"),
  ICMPV6(
      "destination-unreachable 1",
      "packet-too-big 2",
      "time-exceeded 3",
      "parameter-problem 4",
      "echo-request 128",
      "echo-reply 129",
      "mld-listener-query 130",
      "mld-listener-report 131",
      "mld-listener-done 132",
      "nd-router-solicit 133",
      "nd-router-advert 134",
      "nd-neighbor-solicit 135",
      "nd-neighbor-advert 136",
      "nd-redirect 137",
      "router-renumbering 138",
      "ind-neighbor-solicit 141",
      "ind-neighbor-advert 142",
      "mld2-listener-report 143"),
  ADDRESS_TYPE(
      "unspec 0",
      "unicast 1",
      "local 2",
      "broadcast 3",
      "anycast 4",
      "multicast 5",
      "blackhole 6",
      "unreachable 7",
      "prohibit 8"),
  PACKET_TYPE("host 0", "broadcast 1", "multicast 2", "other 3"),
  LINK_TYPE("ether 1", "ppp 512", "ipip 768", "ipip6 769", "loopback 772", "sit 776", "ipgre 778");

  private record Name(String name, long value) {}

  @SuppressWarnings("ImmutableEnumChecker") // made by toList()
  private final List<Name> names;

  NftType(String... names) {
    this.names = Arrays.stream(names).map(NftType::name).toList();
  }

  private static Name name(String text) {
    int space = text.indexOf(' ');
    return new Name(text.substring(0, space), Long.parseLong(text.substring(space + 1)));
  }

  /** The type of what the expression reads. */
  static NftType of(Expression expression) {
    return switch (expression) {
      case Expression.Meta meta -> of(meta.key());
      case Expression.Ct ct -> ofCt(ct.key());
      case Expression.Payload payload -> ofField(payload.header(), payload.field());
      case Expression.ExtensionHeader header when header.field().equals("nexthdr") -> PROTOCOL;
      case Expression.Fib fib when fib.result().equals("type") -> ADDRESS_TYPE;
      case Expression.RawPayload raw -> RAW;
      case Expression.Binary binary -> of(binary.left());
      default -> PLAIN;
    };
  }

  private static NftType of(Expression.Meta.Key key) {
    return switch (key) {
      case MARK -> MARK;
      case L4PROTO -> PROTOCOL;
      case NFPROTO -> FAMILY;
      case PROTOCOL -> ETHER_TYPE;
      case PKTTYPE -> PACKET_TYPE;
      case IIFTYPE -> LINK_TYPE;
      case IIFNAME, OIFNAME, IIF, OIF, LENGTH, TIME, SKUID, CPU, IPSEC -> PLAIN;
    };
  }

  private static NftType ofCt(String key) {
    return switch (key) {
      case "state" -> STATE;
      case "status" -> STATUS;
      case "mark" -> MARK;
      case "protocol" -> PROTOCOL;
      default -> PLAIN;
    };
  }

  private static NftType ofField(String header, String field) {
    return switch (header + " " + field) {
      case "tcp flags" -> TCP_FLAGS;
      case "ip protocol", "ip6 nexthdr" -> PROTOCOL;
      case "icmp type" -> ICMP;
      case "icmp code" -> ICMP_CODE;
      case "icmpv6 type" -> ICMPV6;
      case "ether type" -> ETHER_TYPE;
      default -> PLAIN;
    };
  }

  /**
   * Whether several values can stand side by side, by comma: {@code ct state established,related}.
   */
  boolean isBits() {
    return this == STATE || this == STATUS || this == TCP_FLAGS;
  }

  /** The number behind a name; the greatest of all where nft knows the name and we do not. */
  long number(String name) {
    return names.stream()
        .filter(n -> n.name.equals(name))
        .mapToLong(Name::value)
        .findFirst()
        .orElse(Long.MAX_VALUE);
  }

  /** A number as nft prints it. */
  String spell(long number) {
    return switch (this) {
      case MARK -> hex(number, 8);
      case RAW -> hex(number, 1);
      default ->
          names.stream()
              .filter(n -> n.value == number)
              .map(Name::name)
              .findFirst()
              .orElseGet(() -> Long.toString(number));
    };
  }

  private static String hex(long number, int digits) {
    String text = Long.toHexString(number);
    return "0x" + "0".repeat(Math.max(0, digits - text.length())) + text;
  }
}
