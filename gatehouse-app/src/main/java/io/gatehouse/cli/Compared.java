package io.gatehouse.cli;

import io.gatehouse.model.Family;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.SpdState;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Two gateways, made comparable: rules that came without a host stand on that of the others.
 *
 * @param families about which both say something
 * @param assumed for people
 */
record Compared(HostState first, HostState second, Set<Family> families, List<String> assumed) {

  static Compared of(Subject a, Subject b) {
    HostState first = host(a);
    HostState second = host(b);
    List<String> assumed = new ArrayList<>();
    boolean bare = isBare(a);
    boolean otherBare = isBare(b);
    if (bare && !otherBare) {
      first = borrowing(first, second);
      assumed.add("A has the addresses, routes, tunnels and settings of B");
    } else if (otherBare && !bare) {
      second = borrowing(second, first);
      assumed.add("B has the addresses, routes, tunnels and settings of A");
    }
    Set<Family> families = new LinkedHashSet<>(families(a));
    families.retainAll(families(b));
    for (Family family : Family.values()) {
      String name = family == Family.V4 ? "IPv4" : "IPv6";
      said("A", a, bare, family, families, assumed);
      said("B", b, otherBare, family, families, assumed);
      if (!families.contains(family)) {
        assumed.add(name + " is not compared: not both say something about it");
      }
    }
    return new Compared(first, second, families, assumed.stream().distinct().toList());
  }

  private static void said(
      String name,
      Subject subject,
      boolean bare,
      Family family,
      Set<Family> families,
      List<String> assumed) {
    if (!bare && families.contains(family)) {
      subject.assumed(family).forEach(line -> assumed.add(name + ": " + line));
    }
  }

  private static HostState host(Subject subject) {
    return switch (subject) {
      case Subject.Ours ours ->
          DescribedHost.of(
              ours.described().gateway(),
              ours.described().compiled().ruleset(),
              tunnel -> Set.of(SpdState.UP));
      case Subject.Theirs theirs -> theirs.seen().host();
    };
  }

  /** Rules, and nothing about the host that they stand on. */
  private static boolean isBare(Subject subject) {
    return subject instanceof Subject.Theirs theirs && theirs.collected().texts().size() == 1;
  }

  /** A file of one family alone says nothing about the other. */
  private static Set<Family> families(Subject subject) {
    if (subject instanceof Subject.Theirs theirs && theirs.collected().texts().size() == 1) {
      if (theirs.collected().texts().containsKey("iptables-save.txt")) {
        return Set.of(Family.V4);
      }
      if (theirs.collected().texts().containsKey("ip6tables-save.txt")) {
        return Set.of(Family.V6);
      }
    }
    return new LinkedHashSet<>(List.of(Family.values()));
  }

  /** A host's backstop belongs to its rules: it is not lent. */
  private static HostState borrowing(HostState rules, HostState host) {
    List<Policy> tunnels =
        host.policies().stream().filter(p -> p.action() == PolicyAction.PROTECT).toList();
    return new HostState(
        rules.tables(),
        host.devices(),
        host.rules(),
        host.routes(),
        tunnels,
        host.tunnels(),
        Set.of(),
        host.sysctls());
  }
}
