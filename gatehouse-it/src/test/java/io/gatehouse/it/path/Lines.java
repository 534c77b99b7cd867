package io.gatehouse.it.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** A host and its packets as {@code judge.py} reads them; also how a failure is printed. */
final class Lines {
  private Lines() {}

  static String of(long number, HostState host, List<Sent> packets) {
    List<String> lines = new ArrayList<>();
    lines.add("host " + number);
    host.devices().forEach(d -> lines.add("device " + d.name()));
    // Setting ip_forward sets every device's forwarding: what is for all comes first.
    host.sysctls().entrySet().stream()
        .sorted(
            Comparator.<Map.Entry<String, String>, Boolean>comparing(
                    e -> e.getKey().contains("/conf/eth"))
                .thenComparing(Map.Entry::getKey))
        .forEach(e -> lines.add("sysctl " + e.getKey() + " " + e.getValue()));
    for (HostState.Device device : host.devices()) {
      for (InterfaceAddress one : device.addresses()) {
        boolean six = one.address().family() == Family.V6;
        lines.add(
            word(one.address().family())
                + "address add %s/%d dev %s noprefixroute%s"
                    .formatted(one.address(), one.length(), device.name(), six ? " nodad" : ""));
      }
    }
    host.routes().forEach(r -> lines.add(word(r.destination().family()) + route(r)));
    host.rules().stream()
        .filter(r -> !RoutingRule.kernelsOwn(r.family()).contains(r))
        .forEach(r -> lines.add(word(r.family()) + rule(r)));
    lines.addAll(Live.states(host));
    host.policies().forEach(p -> lines.add(word(p.source().family()) + policy(p, host)));
    if (!host.blockedByDefault().isEmpty()) {
      lines.add(
          host.blockedByDefault().stream()
              .map(d -> " " + d.name().toLowerCase(Locale.ROOT) + " block")
              .sorted()
              .collect(Collectors.joining("", "ip xfrm policy setdefault", "")));
    }
    host.tables().forEach(t -> NftText.of(t).lines().forEach(l -> lines.add("nft " + l)));
    packets.forEach(p -> lines.add(p.line()));
    return String.join("\n", lines) + "\n";
  }

  private static String word(Family family) {
    return family == Family.V4 ? "ip " : "ip6 ";
  }

  private static String prefix(Prefix prefix) {
    return prefix.first() + "/" + prefix.length();
  }

  private static String route(Route route) {
    String what =
        switch (route.kind()) {
          case RouteKind.Via via when via.devices().size() == 1 ->
              "dev " + via.devices().getFirst();
          case RouteKind.Via via ->
              via.devices().stream().map(d -> "nexthop dev " + d).collect(Collectors.joining(" "));
          default -> "";
        };
    String type =
        switch (route.kind()) {
          case RouteKind.Refuse refuse -> refuse.how() + " ";
          case RouteKind.Throw nothing -> "throw ";
          default -> "";
        };
    // Next hops come last in ip's grammar.
    return "route add %s%s table %d metric %d %s"
        .formatted(type, prefix(route.destination()), route.table(), route.metric(), what)
        .strip();
  }

  private static String rule(RoutingRule rule) {
    StringBuilder text = new StringBuilder("rule add pref " + rule.priority());
    text.append(rule.inverted() ? " not" : "");
    text.append(rule.from().map(p -> " from " + prefix(p)).orElse(" from all"));
    rule.to().ifPresent(p -> text.append(" to ").append(prefix(p)));
    rule.iif().ifPresent(d -> text.append(" iif ").append(d));
    rule.mark().ifPresent(m -> text.append(" fwmark %d/%d".formatted(m.value(), m.mask())));
    rule.protocol().ifPresent(p -> text.append(" ipproto ").append(p));
    rule.sourcePorts().ifPresent(p -> text.append(" sport ").append(p));
    rule.destinationPorts().ifPresent(p -> text.append(" dport ").append(p));
    switch (rule.action()) {
      case RuleAction.Lookup lookup -> {
        text.append(" lookup ").append(lookup.table());
        lookup.suppress().ifPresent(l -> text.append(" suppress_prefixlength ").append(l));
      }
      case RuleAction.Goto jump -> text.append(" goto ").append(jump.priority());
      case RuleAction.Refuse refuse -> text.append(' ').append(refuse.how());
      case RuleAction.Nothing nothing -> text.append(" nop");
    }
    return text.toString();
  }

  private static String policy(Policy policy, HostState host) {
    StringBuilder text = new StringBuilder("xfrm policy add");
    text.append(" src ").append(prefix(policy.source()));
    text.append(" dst ").append(prefix(policy.destination()));
    policy.protocol().ifPresent(p -> text.append(" proto ").append(p));
    policy.sourcePorts().ifPresent(p -> text.append(" sport ").append(p.first()));
    policy.destinationPorts().ifPresent(p -> text.append(" dport ").append(p.first()));
    text.append(" dir ").append(policy.direction().name().toLowerCase(Locale.ROOT));
    policy.mark().ifPresent(m -> text.append(" mark %d mask %d".formatted(m.value(), m.mask())));
    text.append(" priority ").append(policy.priority());
    text.append(" action ").append(policy.action() == PolicyAction.BLOCK ? "block" : "allow");
    policy.tunnel().ifPresent(t -> text.append(template(t, policy, host)));
    return text.toString();
  }

  private static String template(String tunnel, Policy policy, HostState host) {
    HostState.Tunnel owner =
        host.tunnels().stream().filter(t -> t.name().equals(tunnel)).findFirst().orElseThrow();
    boolean four = policy.source().family() == Family.V4;
    Map.Entry<Address, Address> ends = Wild.ends(four ? Family.V4 : Family.V6);
    boolean out = policy.direction() == Direction.OUT;
    return " tmpl src %s dst %s proto esp reqid %d mode %s"
        .formatted(
            out ? ends.getKey() : ends.getValue(),
            out ? ends.getValue() : ends.getKey(),
            owner.reqid().orElse(0),
            owner.tunnelMode() ? "tunnel" : "transport");
  }
}
