package io.gatehouse.ruleset;

import io.gatehouse.model.Family;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Policies, routing rules, routes and proxy neighbours as lines for {@code ip -4 -batch} and {@code
 * ip -6 -batch}: ip(8) takes a rule's family from the option alone. Deterministic.
 */
public final class IpText {
  private IpText() {}

  /** What a line does. */
  private enum Action {
    ADD("add"),
    DELETE("del");

    private final String word;

    Action(String word) {
      this.word = word;
    }
  }

  /** What brings the entry in; it fails where an entry with the same key is there already. */
  public static String add(Routing entry, int protocol) {
    return line(Action.ADD, entry, protocol);
  }

  /** What takes the entry away, and none that others made: the protocol number has to be ours. */
  public static String delete(Routing entry, int protocol) {
    return line(Action.DELETE, entry, protocol);
  }

  private static String line(Action action, Routing entry, int protocol) {
    return switch (entry) {
      case Routing.Policy policy -> rule(action, policy, protocol);
      case Routing.Route route -> route(action, route, protocol);
      case Routing.ProxyNeighbour neighbour ->
          "neigh "
              + action.word
              + " proxy "
              + neighbour.address()
              + " dev "
              + device(neighbour.device())
              + " protocol "
              + protocol;
    };
  }

  private static String rule(Action action, Routing.Policy policy, int protocol) {
    return "rule "
        + action.word
        + " priority "
        + policy.priority()
        + policy.from().map(from -> " from " + from).orElse("")
        + policy.to().map(to -> " to " + to).orElse("")
        + policy.mark().map(IpText::mark).orElse("")
        + " lookup "
        + policy.table()
        + " protocol "
        + protocol;
  }

  private static String mark(Routing.Mark mark) {
    return " fwmark 0x" + Long.toHexString(mark.value()) + "/0x" + Long.toHexString(mark.mask());
  }

  private static String route(Action action, Routing.Route route, int protocol) {
    StringBuilder line = new StringBuilder("route ").append(action.word).append(' ');
    switch (route.kind()) {
      case Routing.Kind.Unreachable unreachable ->
          line.append("unreachable ").append(route.destination());
      case Routing.Kind.Via via -> {
        line.append(route.destination());
        via.nextHop()
            .ifPresent(hop ->
                line.append(" via ")
                    .append(hop.family() == route.destination().family() ? "" : "inet6 ")
                    .append(hop));
        line.append(" dev ").append(device(via.device()));
        via.source().ifPresent(source -> line.append(" src ").append(source));
      }
    }
    route.metric().ifPresent(metric -> line.append(" metric ").append(metric));
    return line.append(" table ")
        .append(route.table())
        .append(" proto ")
        .append(protocol)
        .toString();
  }

  /**
   * What brings the policy in; it fails where one with this selector is there, of whatever
   * priority.
   */
  public static String add(XfrmPolicy policy) {
    return "xfrm policy add"
        + selector(policy)
        + " action "
        + (policy.block() ? "block" : "allow")
        + " priority "
        + policy.priority();
  }

  /**
   * What takes the policy with this selector away. The kernel goes by the selector, not by the
   * priority: only for a policy that was seen to be ours.
   */
  public static String delete(XfrmPolicy policy) {
    return "xfrm policy delete" + selector(policy);
  }

  private static String selector(XfrmPolicy policy) {
    return " src "
        + policy.source()
        + " dst "
        + policy.destination()
        + " dir "
        + policy.direction().name().toLowerCase(Locale.ROOT)
        + policy.mark().map(mark -> " mark " + mark.value() + " mask " + mark.mask()).orElse("");
  }

  /** ip(8) splits lines at white space and knows comments and quotes. */
  private static String device(String name) {
    if (name.isEmpty() || name.chars().anyMatch(c -> c <= ' ' || "#\"'\\".indexOf(c) >= 0)) {
      throw new IllegalArgumentException("no device for ip(8): " + NftComment.harmless(name));
    }
    return name;
  }

  /**
   * All that one family needs, every line ended. Routes come before the rules that lead to them, so
   * that no packet falls through an empty table; exceptions before the blocks that they are from.
   */
  public static String add(Ruleset ruleset, Family family) {
    int protocol = ruleset.numbers().routeProtocol();
    return text(
        Stream.of(
                routing(ruleset, family).map(entry -> add(entry, protocol)),
                policies(ruleset, family).map(IpText::add))
            .flatMap(lines -> lines)
            .toList());
  }

  /** What takes all of it away again, in the opposite order. */
  public static String delete(Ruleset ruleset, Family family) {
    int protocol = ruleset.numbers().routeProtocol();
    return text(
        Stream.of(
                routing(ruleset, family).map(entry -> delete(entry, protocol)),
                policies(ruleset, family).map(IpText::delete))
            .flatMap(lines -> lines)
            .toList()
            .reversed());
  }

  private static Stream<Routing> routing(Ruleset ruleset, Family family) {
    return Stream.<List<? extends Routing>>of(
            ruleset.routes().stream()
                .filter(route -> route.destination().family() == family)
                .toList(),
            ruleset.rules().stream().filter(rule -> rule.family() == family).toList(),
            ruleset.neighbours().stream()
                .filter(neighbour -> neighbour.address().family() == family)
                .toList())
        .flatMap(List::stream);
  }

  private static Stream<XfrmPolicy> policies(Ruleset ruleset, Family family) {
    List<XfrmPolicy> policies =
        ruleset.backstop().stream().filter(policy -> policy.source().family() == family).toList();
    return Stream.concat(
        policies.stream().filter(policy -> !policy.block()),
        policies.stream().filter(XfrmPolicy::block));
  }

  private static String text(List<String> lines) {
    return lines.isEmpty() ? "" : String.join("\n", lines) + "\n";
  }
}
