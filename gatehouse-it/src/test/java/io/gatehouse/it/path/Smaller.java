package io.gatehouse.it.path;

import io.gatehouse.path.HostState;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** Ways to take one thing away from a host. */
final class Smaller {
  private Smaller() {}

  /** Each takes one thing away, and nothing where that is gone already. */
  static List<UnaryOperator<HostState>> steps(HostState host) {
    List<UnaryOperator<HostState>> steps = new ArrayList<>();
    for (Table table : host.tables()) {
      steps.add(h -> tables(h, without(h.tables(), table.name(), Table::name)));
      for (Chain chain : table.chains()) {
        steps.add(h -> chains(h, table, c -> without(c, chain.name(), Chain::name)));
        for (int i = chain.rules().size() - 1; i >= 0; i--) {
          Rule rule = chain.rules().get(i);
          steps.add(h -> chains(h, table, c -> replaced(c, chain.name(), rule)));
        }
      }
    }
    host.policies()
        .forEach(p -> steps.add(h -> with(h, h.rules(), h.routes(), minus(h.policies(), p))));
    // The kernel's own stay on the kernel, whatever the model is told.
    host.rules().stream()
        .filter(r -> !HostState.RoutingRule.kernelsOwn(r.family()).contains(r))
        .filter(r -> !Live.isWayOfEsp(r))
        .forEach(r -> steps.add(h -> with(h, minus(h.rules(), r), h.routes(), h.policies())));
    host.routes().stream()
        .filter(r -> !Live.isWayOfEsp(r))
        .forEach(r -> steps.add(h -> with(h, h.rules(), minus(h.routes(), r), h.policies())));
    host.sysctls().keySet().stream()
        .filter(key -> key.contains("/conf/eth"))
        .forEach(key -> steps.add(h -> sysctl(h, key)));
    steps.add(Smaller::opened);
    return steps;
  }

  private static <T> List<T> minus(List<T> list, T one) {
    return list.stream().filter(o -> !o.equals(one)).toList();
  }

  private static <T> List<T> without(
      List<T> list, String name, java.util.function.Function<T, String> nameOf) {
    return list.stream().filter(o -> !nameOf.apply(o).equals(name)).toList();
  }

  /** Without the first rule that is equal to this one. */
  private static List<Chain> replaced(List<Chain> chains, String name, Rule rule) {
    List<Chain> all = new ArrayList<>();
    for (Chain chain : chains) {
      List<Rule> rules = new ArrayList<>(chain.rules());
      if (chain.name().equals(name)) {
        rules.remove(rule);
      }
      all.add(new Chain(chain.name(), chain.base(), rules));
    }
    return all;
  }

  private static HostState chains(HostState host, Table in, UnaryOperator<List<Chain>> change) {
    return tables(
        host,
        host.tables().stream()
            .map(t ->
                t.name().equals(in.name())
                    ? new Table(t.family(), t.name(), t.sets(), change.apply(t.chains()))
                    : t)
            .toList());
  }

  private static HostState tables(HostState h, List<Table> tables) {
    return new HostState(
        tables,
        h.devices(),
        h.rules(),
        h.routes(),
        h.policies(),
        h.tunnels(),
        h.blockedByDefault(),
        h.sysctls());
  }

  private static HostState with(
      HostState h,
      List<HostState.RoutingRule> rules,
      List<HostState.Route> routes,
      List<HostState.Policy> policies) {
    return new HostState(
        h.tables(),
        h.devices(),
        rules,
        routes,
        policies,
        h.tunnels(),
        h.blockedByDefault(),
        h.sysctls());
  }

  private static HostState sysctl(HostState h, String key) {
    TreeMap<String, String> sysctls = new TreeMap<>(h.sysctls());
    // Not left away: what a new device starts with is the machine's own affair.
    sysctls.put(key, key.endsWith("forwarding") ? "1" : "0");
    return new HostState(
        h.tables(),
        h.devices(),
        h.rules(),
        h.routes(),
        h.policies(),
        h.tunnels(),
        h.blockedByDefault(),
        sysctls);
  }

  private static HostState opened(HostState h) {
    return new HostState(
        h.tables(),
        h.devices(),
        h.rules(),
        h.routes(),
        h.policies(),
        h.tunnels(),
        Set.of(),
        h.sysctls());
  }
}
