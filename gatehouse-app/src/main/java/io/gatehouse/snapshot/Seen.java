package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.List;
import java.util.Optional;

/** An entry of the kernel's routing or policy tables, ours or anybody's. */
public sealed interface Seen {

  /**
   * An ip rule.
   *
   * @param plain whether it has no condition beyond source, destination and mark, and no action but
   *     a look-up: only such a rule can be one of ours
   */
  record Rule(
      Family family,
      int priority,
      Optional<Prefix> from,
      Optional<Prefix> to,
      Optional<Routing.Mark> mark,
      int table,
      int protocol,
      boolean plain)
      implements Seen {}

  /**
   * A route.
   *
   * @param type the kernel's number: 1 unicast, 2 local, 3 broadcast, 6 blackhole, 7 unreachable, 8
   *     prohibit
   * @param plain whether it has one way at most and nothing that our routes never have
   */
  record Route(
      Prefix destination,
      int table,
      int type,
      Optional<Address> nextHop,
      Optional<String> device,
      Optional<Address> source,
      long metric,
      int protocol,
      boolean plain)
      implements Seen {}

  /** An address that this host answers for. */
  record ProxyNeighbour(Address address, String device, int protocol) implements Seen {}

  /**
   * An xfrm policy.
   *
   * @param mark that it asks for
   * @param byAddresses whether addresses and mark tell it apart: one with a port, a protocol or an
   *     interface is another entry to the kernel than one without
   * @param plain whether it has no template, port, protocol or interface: only such a policy can be
   *     one of ours
   */
  record Policy(
      XfrmPolicy.Direction direction,
      Prefix source,
      Prefix destination,
      long priority,
      boolean block,
      Optional<Routing.Mark> mark,
      boolean byAddresses,
      boolean plain)
      implements Seen {}

  /**
   * A base chain of nftables, or of iptables on top of it.
   *
   * @param drops whether its policy is drop, or its last rule drops or rejects everything
   * @param rewrites the numbers, from 1, of its rules that rewrite a source address, also in chains
   *     that it jumps to
   * @param spares whether a rule before the first of those takes what IPsec will protect out
   * @param leadsTo the chains that its rules go to
   */
  record BaseChain(
      String family,
      String table,
      String name,
      String type,
      String hook,
      long priority,
      boolean drops,
      List<Integer> rewrites,
      boolean spares,
      List<String> leadsTo)
      implements Seen {
    public BaseChain {
      rewrites = List.copyOf(rewrites);
      leadsTo = List.copyOf(leadsTo);
    }
  }
}
