package io.gatehouse.snapshot;

import io.gatehouse.model.Family;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The host's state as far as a change of it needs to know.
 *
 * @param boot the kernel's boot id; journals of other boots say nothing about this one
 * @param namespace the network namespace, such as {@code net:[4026531840]}
 * @param chains base chains of every nftables table, ours among them
 * @param unread commands that did not say what stands, and why: what they would have listed is
 *     absent here, and may be there
 */
public record Snapshot(
    String boot,
    String namespace,
    List<Link> links,
    List<Seen.Rule> rules,
    List<Seen.Route> routes,
    List<Seen.ProxyNeighbour> neighbours,
    List<Seen.Policy> policies,
    List<Seen.BaseChain> chains,
    List<String> unread) {

  private static final int SEVERAL = 3;

  public Snapshot {
    links = List.copyOf(links);
    rules = List.copyOf(rules);
    routes = List.copyOf(routes);
    neighbours = List.copyOf(neighbours);
    policies = List.copyOf(policies);
    chains = List.copyOf(chains);
    unread = List.copyOf(unread);
  }

  /** Reads the machine; what it would not say is named. */
  public static Snapshot of(Machine machine) {
    Map<Ask, CompletableFuture<Machine.Answer>> asked = new EnumMap<>(Ask.class);
    // To start a program takes longer than what it does: several at a time.
    try (ExecutorService several = Executors.newFixedThreadPool(SEVERAL)) {
      for (Ask ask : Ask.values()) {
        asked.put(ask, CompletableFuture.supplyAsync(() -> machine.run(ask.command()), several));
      }
    }
    boolean six = !machine.list("/proc/sys/net/ipv6").isEmpty();
    Map<Ask, String> said = new EnumMap<>(Ask.class);
    List<String> unread = new ArrayList<>();
    asked.forEach((ask, future) -> {
      Machine.Answer answer = future.join();
      said.put(ask, answer.ok() ? answer.out() : "");
      if (!answer.ok() && !ask.isAbsent(answer, six)) {
        String why =
            answer.status() == Machine.Answer.TIMED_OUT
                ? "it took too long"
                : answer.err().lines().findFirst().orElse("status " + answer.status());
        unread.add(String.join(" ", ask.command()) + ": " + why);
      }
    });
    Function<Ask, String> answer = ask -> said.getOrDefault(ask, "");
    List<Seen.Rule> rules = new ArrayList<>(Ip.rules(answer.apply(Ask.RULES_V4), Family.V4));
    rules.addAll(Ip.rules(answer.apply(Ask.RULES_V6), Family.V6));
    List<Seen.Route> routes = new ArrayList<>(Ip.routes(answer.apply(Ask.ROUTES_V4), Family.V4));
    routes.addAll(Ip.routes(answer.apply(Ask.ROUTES_V6), Family.V6));
    return new Snapshot(
        boot(machine),
        namespace(machine),
        Ip.links(answer.apply(Ask.LINKS)),
        rules,
        routes,
        Ip.neighbours(answer.apply(Ask.NEIGHBOURS)),
        Ip.policies(answer.apply(Ask.POLICIES)),
        Nft.baseChains(answer.apply(Ask.CHAINS)),
        unread);
  }

  /** What is asked, and of whom. */
  private enum Ask {
    RULES_V4("ip -N -j -4 rule show"),
    ROUTES_V4("ip -N -j -4 route show table all"),
    RULES_V6("ip -N -j -6 rule show"),
    ROUTES_V6("ip -N -j -6 route show table all"),
    LINKS("ip -j addr show"),
    NEIGHBOURS("ip -N -j neigh show proxy"),
    POLICIES("ip xfrm policy list"),
    CHAINS("nft -j -t list ruleset");

    private final String words;

    Ask(String words) {
      this.words = words;
    }

    String[] command() {
      return words.split(" ", -1);
    }

    /** Whether the kernel was built, or booted, without what is asked about. */
    boolean isAbsent(Machine.Answer answer, boolean six) {
      return switch (this) {
        case RULES_V6, ROUTES_V6 -> !six;
        case POLICIES -> answer.err().contains("Protocol not supported");
        default -> false;
      };
    }
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
