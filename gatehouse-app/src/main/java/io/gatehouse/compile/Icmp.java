package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The ICMP and ICMPv6 types that chains let through, listed. */
final class Icmp {
  /** Fragmentation-needed is a code of destination-unreachable. */
  private static final List<String> ERRORS_V4 =
      List.of("destination-unreachable", "time-exceeded", "parameter-problem");

  /** RFC 4890, 4.3.1: what must not be dropped. */
  private static final List<String> ERRORS_V6 =
      List.of("destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem");

  private Icmp() {}

  static Statement type(Family family, String... types) {
    return type(family, List.of(types));
  }

  private static Statement type(Family family, List<String> types) {
    return Nft.is(
        new Payload(family == Family.V4 ? "icmp" : "icmpv6", "type"),
        Nft.anyOf(types.stream().map(Symbol::new).toList()));
  }

  private static Statement errors(Family family) {
    return type(family, family == Family.V4 ? ERRORS_V4 : ERRORS_V6);
  }

  /** What belongs to connections: all of it where established, of what is related only errors. */
  static List<Rule> connections(Draft draft) {
    List<Rule> rules = new ArrayList<>(Evidence.forgedErrors(draft));
    rules.add(
        Nft.rule(
            "belongs to a connection",
            Origin.builtIn("established"),
            Nft.state("established"),
            Nft.ACCEPT));
    rules.add(relatedErrors(Family.V4));
    rules.add(relatedErrors(Family.V6));
    return rules;
  }

  private static Rule relatedErrors(Family family) {
    return Nft.rule(
        "error about a connection, path MTU among them",
        Origin.builtIn("related"),
        Nft.state("related"),
        errors(family),
        Nft.ACCEPT);
  }

  /**
   * Errors that this host sends, from whichever of its addresses: into tunnels it is an inside one.
   */
  static List<Rule> ownErrors() {
    return Stream.of(Family.values())
        .map(family ->
            Nft.rule(
                "this host's own errors, path MTU among them",
                Origin.builtIn("icmp-errors"),
                errors(family),
                Nft.ACCEPT))
        .toList();
  }

  /** Neighbours tell and ask for addresses; 255 says that no router was between (RFC 4861, 7.1). */
  static Rule neighbours() {
    return Nft.rule(
        "neighbour discovery",
        Origin.builtIn("neighbour-discovery"),
        type(Family.V6, "nd-neighbor-solicit", "nd-neighbor-advert"),
        hopLimit(255),
        Nft.ACCEPT);
  }

  static Statement hopLimit(int hops) {
    return Nft.is(new Payload("ip6", "hoplimit"), Nft.number(hops));
  }

  static Statement fromLinkLocal() {
    return Nft.is(Nft.saddr(Family.V6), Nft.net(Prefix.LINK_LOCAL));
  }
}
