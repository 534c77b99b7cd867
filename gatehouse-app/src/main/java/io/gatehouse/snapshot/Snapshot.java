package io.gatehouse.snapshot;

import io.gatehouse.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The host's state as far as a change of it needs to know.
 *
 * @param boot the kernel's boot id; journals of other boots say nothing about this one
 * @param namespace the network namespace, such as {@code net:[4026531840]}
 * @param chains base chains of every nftables table, ours among them
 */
public record Snapshot(
    String boot,
    String namespace,
    List<Link> links,
    List<Seen.Rule> rules,
    List<Seen.Route> routes,
    List<Seen.ProxyNeighbour> neighbours,
    List<Seen.Policy> policies,
    List<Seen.BaseChain> chains) {

  public Snapshot {
    links = List.copyOf(links);
    rules = List.copyOf(rules);
    routes = List.copyOf(routes);
    neighbours = List.copyOf(neighbours);
    policies = List.copyOf(policies);
    chains = List.copyOf(chains);
  }

  /** Reads the machine. What cannot be read is absent. */
  public static Snapshot of(Machine machine) {
    List<Seen.Rule> rules = new ArrayList<>();
    List<Seen.Route> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      String option = family == Family.V4 ? "-4" : "-6";
      rules.addAll(
          Ip.rules(machine.run("ip", "-N", "-j", option, "rule", "show").outOrEmpty(), family));
      routes.addAll(
          Ip.routes(
              machine.run("ip", "-N", "-j", option, "route", "show", "table", "all").outOrEmpty(),
              family));
    }
    return new Snapshot(
        boot(machine),
        namespace(machine),
        Ip.links(machine.run("ip", "-j", "addr", "show").outOrEmpty()),
        rules,
        routes,
        Ip.neighbours(machine.run("ip", "-N", "-j", "neigh", "show", "proxy").outOrEmpty()),
        Ip.policies(machine.run("ip", "xfrm", "policy", "list").outOrEmpty()),
        Nft.baseChains(machine.run("nft", "-j", "-t", "list", "ruleset").outOrEmpty()));
  }

  public static String boot(Machine machine) {
    return machine.read("/proc/sys/kernel/random/boot_id").orElse("");
  }

  public static String namespace(Machine machine) {
    return machine.link("/proc/self/ns/net").orElse("");
  }

  /** Connections that the kernel tracks; none where neither conntrack(8) nor /proc tells. */
  public static List<Connection> connections(Machine machine) {
    List<Connection> connections = new ArrayList<>();
    for (String family : List.of("ipv4", "ipv6")) {
      connections.addAll(
          Connection.parse(machine.run("conntrack", "-L", "-f", family).outOrEmpty()));
    }
    return connections.isEmpty()
        ? Connection.parse(machine.read("/proc/net/nf_conntrack").orElse(""))
        : connections;
  }

  /**
   * Kernel settings that match.
   *
   * @param patterns keys below /proc/sys, with slashes; a part that is {@code *} stands for every
   *     name
   */
  public static Map<String, String> sysctls(Machine machine, List<String> patterns) {
    List<String> paths =
        patterns.stream()
            .distinct()
            .flatMap(p -> expand(machine, "/proc/sys", p))
            .distinct()
            .toList();
    Map<String, String> values = new TreeMap<>();
    machine
        .readAll(paths)
        .forEach((path, value) -> values.put(path.substring("/proc/sys/".length()), value));
    return values;
  }

  private static Stream<String> expand(Machine machine, String root, String pattern) {
    int star = pattern.indexOf("*/");
    if (star < 0) {
      return Stream.of(root + "/" + pattern);
    }
    String before = root + "/" + pattern.substring(0, star);
    return machine.list(before.substring(0, before.length() - 1)).stream()
        .flatMap(name -> expand(machine, before + name, pattern.substring(star + 2)));
  }

  /** The device of that name, if it is there and switched on. */
  public boolean isUp(String device) {
    return links.stream().anyMatch(link -> link.name().equals(device) && link.up());
  }
}
