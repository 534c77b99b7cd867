package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Words to write rules with, in the order and with the names of nft(8). */
final class Nft {
  static final Selector IIFNAME = new Meta(Meta.Key.IIFNAME);
  static final Selector OIFNAME = new Meta(Meta.Key.OIFNAME);

  static final Verdict ACCEPT = new Verdict.Accept();
  static final Verdict DROP = new Verdict.Drop();

  /** {@code meta ipsec exists}: the kernel decrypted it, and an xfrm policy let it through. */
  static final Match DECRYPTED = is(new Meta(Meta.Key.IPSEC), new Symbol("exists"));

  /** {@code meta ipsec missing}. */
  static final Match NOT_DECRYPTED = is(new Meta(Meta.Key.IPSEC), new Symbol("missing"));

  /**
   * {@code rt ipsec exists}: as things stand at this point of its path, the kernel will encrypt it.
   */
  static final Match PROTECTED = is(new Expression.Rt("ipsec"), new Symbol("exists"));

  /** {@code rt ipsec missing}. */
  static final Match IN_CLEAR = is(new Expression.Rt("ipsec"), new Symbol("missing"));

  /** The address is one of ours, on the interface that the packet came in by. */
  static final Match TO_THIS_HOST =
      is(new Expression.Fib(List.of("daddr", "iif"), "type"), new Symbol("local"));

  /** The source is one of our own addresses. */
  static final Match FROM_THIS_HOST =
      is(new Expression.Fib(List.of("saddr"), "type"), new Symbol("local"));

  static final Match NOT_FROM_THIS_HOST =
      isNot(new Expression.Fib(List.of("saddr"), "type"), new Symbol("local"));

  private Nft() {}

  /** A rule that counts, in front of what it does, every packet that gets there. */
  static Rule rule(String why, Origin origin, Collection<? extends Statement> statements) {
    List<Statement> counted = new ArrayList<>(statements);
    int conditions = 0;
    while (conditions < counted.size() && isCondition(counted.get(conditions))) {
      conditions++;
    }
    counted.add(conditions, new Statement.Counter());
    return new Rule(counted, why, origin);
  }

  static Rule rule(String why, Origin origin, Statement... statements) {
    return rule(why, origin, List.of(statements));
  }

  private static boolean isCondition(Statement statement) {
    return statement instanceof Match || statement instanceof Statement.Limit;
  }

  /** The statements of one list, then those of the other. */
  static List<Statement> all(List<? extends Statement> first, List<? extends Statement> second) {
    return Stream.<Statement>concat(first.stream(), second.stream()).toList();
  }

  static List<Statement> all(
      List<? extends Statement> first,
      List<? extends Statement> second,
      List<? extends Statement> third) {
    return all(all(first, second), third);
  }

  static Match is(Selector selector, Value value) {
    return new Match(selector, Relation.IS, value);
  }

  static Match isNot(Selector selector, Value value) {
    return new Match(selector, Relation.NOT, value);
  }

  /** {@code ip saddr} or {@code ip6 saddr}. */
  static Selector saddr(Family family) {
    return new Payload(family.nft(), "saddr");
  }

  static Selector daddr(Family family) {
    return new Payload(family.nft(), "daddr");
  }

  /** An address of the connection's first packet, before any NAT. */
  static Selector original(Family family, String end) {
    return new Ct(family.nft() + " " + end, Optional.of(Expression.Direction.ORIGINAL));
  }

  static Match state(String state) {
    return is(new Ct("state", Optional.empty()), new Symbol(state));
  }

  /** {@code meta nfproto ipv4}, for what has no other sign of its family. */
  static Match family(Family family) {
    return is(new Meta(Meta.Key.NFPROTO), new Symbol(family == Family.V4 ? "ipv4" : "ipv6"));
  }

  static Match protocol(Protocol protocol) {
    return is(new Meta(Meta.Key.L4PROTO), new Symbol(protocol.text()));
  }

  static Match udpDport(int... ports) {
    return is(new Payload("udp", "dport"), ports(ports));
  }

  static Match udpSport(int... ports) {
    return is(new Payload("udp", "sport"), ports(ports));
  }

  private static Value ports(int... ports) {
    return anyOf(Arrays.stream(ports).mapToObj(Nft::number).toList());
  }

  static Value number(long value) {
    return new Expression.Number(value);
  }

  static Value device(String name) {
    return new Expression.Text(name);
  }

  static Value address(Address address) {
    return new Expression.Addr(address);
  }

  static Value net(Prefix prefix) {
    return prefix.length() == prefix.family().bits()
        ? new Expression.Addr(prefix.first())
        : new Expression.Net(prefix);
  }

  static Value port(PortRange range) {
    return range.isSingle()
        ? number(range.first())
        : new Expression.Range(number(range.first()), number(range.last()));
  }

  /** The value where there is one, {@code { a, b }} where there are several. */
  static Value anyOf(List<? extends Value> values) {
    return values.size() == 1 ? values.getFirst() : new AnyOf(List.copyOf(values));
  }

  static Verdict.Goto goTo(String chain) {
    return new Verdict.Goto(chain);
  }

  static Statement vmap(Expression key, String map) {
    return new Statement.VerdictMap(key, new Statement.VerdictSource.Named(map));
  }

  /**
   * The conditions that pick these services, one alternative to each protocol with ports and one to
   * all without. No services at all stand for everything: one alternative without a condition.
   *
   * @param families of the packets that get there: ICMP is one family's each
   */
  static List<List<Statement>> services(List<Service> services, Collection<Family> families) {
    if (services.isEmpty()) {
      return List.of(List.of());
    }
    Map<Protocol, List<Value>> withPorts = new TreeMap<>();
    List<Protocol> whole = new ArrayList<>();
    for (Service service : services) {
      if (service.ports().isPresent()) {
        withPorts
            .computeIfAbsent(service.protocol(), p -> new ArrayList<>())
            .add(port(service.ports().get()));
      } else if (families.stream().anyMatch(family -> isOf(service.protocol(), family))) {
        whole.add(service.protocol());
      }
    }
    List<List<Statement>> alternatives = new ArrayList<>();
    withPorts.forEach((protocol, ports) ->
        alternatives.add(
            List.of(
                is(
                    new Payload(protocol.text(), "dport"),
                    anyOf(ports.stream().distinct().toList())))));
    if (!whole.isEmpty()) {
      List<Symbol> names =
          whole.stream().distinct().sorted().map(p -> new Symbol(p.text())).toList();
      alternatives.add(List.of(is(new Meta(Meta.Key.L4PROTO), anyOf(names))));
    }
    return alternatives;
  }

  private static boolean isOf(Protocol protocol, Family family) {
    return switch (protocol) {
      case ICMP -> family == Family.V4;
      case ICMPV6 -> family == Family.V6;
      default -> true;
    };
  }
}
