package io.gatehouse.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** The transport protocols that a description can name, with their IANA numbers. */
public enum Protocol {
  ICMP(1),
  TCP(6),
  UDP(17),
  DCCP(33),
  GRE(47),
  ESP(50),
  AH(51),
  ICMPV6(58),
  SCTP(132),
  UDPLITE(136);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** The number in the IP header. */
  public int number() {
    return number;
  }

  /** Whether its header begins with a source and a destination port. */
  public boolean hasPorts() {
    return switch (this) {
      case TCP, UDP, DCCP, SCTP, UDPLITE -> true;
      case ICMP, GRE, ESP, AH, ICMPV6 -> false;
    };
  }

  /** Its name in a description, in nftables and in ip(8). */
  public String text() {
    return this == ICMPV6 ? "ipv6-icmp" : name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Protocol> byNumber(int number) {
    return Arrays.stream(values()).filter(p -> p.number == number).findFirst();
  }
}
