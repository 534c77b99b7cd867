package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What the rules of a host mention, as far as it changes what there is to model.
 *
 * @param devices every device by name, and one more for those that nobody mentions
 * @param tracks whether something makes, or may make, the kernel track connections
 * @param defragments whether it surely does: then no rule sees a fragment
 * @param translates whether there is a nat chain
 * @param marks whether a rule sets packet marks
 * @param connectionMarks whether a rule sets connection marks
 * @param zones whether a rule sets zones
 * @param writesAddresses whether a rule may write to a packet's addresses without NAT
 * @param asksOfSas whether a rule asks for properties of SAs
 * @param sourceTargets addresses that some rule gives to packets as their source
 * @param destinationTargets addresses that some rule gives to packets as their destination
 * @param addresses sets of addresses that rules, routes, policies and devices tell from others
 * @param sourcePrefixes prefixes that some rule puts in front of sources, one to one
 * @param destinationPrefixes prefixes that some rule puts in front of destinations, one to one
 * @param sourcePorts whether a rule gives a source port and leaves the address
 * @param destinationPorts whether a rule gives a destination port and leaves the address
 */
record Mentions(
    List<String> devices,
    boolean tracks,
    boolean defragments,
    boolean translates,
    boolean marks,
    boolean connectionMarks,
    boolean zones,
    boolean writesAddresses,
    boolean asksOfSas,
    IntervalSet sourceTargets,
    IntervalSet destinationTargets,
    List<IntervalSet.Interval> addresses,
    List<Prefix> sourcePrefixes,
    List<Prefix> destinationPrefixes,
    boolean sourcePorts,
    boolean destinationPorts) {

  private static final Pattern CONNTRACK = Pattern.compile("\\b(ct|conntrack|state)\\b");

  static Mentions in(HostState host, Family family) {
    Collector collector = new Collector(host, family);
    collector.devices.add("lo");
    host.devices().forEach(d -> collector.devices.add(d.name()));
    collector.host();
    host.tables().forEach(collector::table);
    host.rules().forEach(r -> r.iif().ifPresent(collector.devices::add));
    host.routes()
        .forEach(r -> {
          switch (r.kind()) {
            case HostState.RouteKind.Via via -> collector.devices.addAll(via.devices());
            case HostState.RouteKind.Local local -> collector.devices.add(local.device());
            case HostState.RouteKind.Broadcast local -> collector.devices.add(local.device());
            case HostState.RouteKind.Anycast local -> collector.devices.add(local.device());
            default -> {}
          }
        });
    collector.devices.add(HeaderSpace.ANOTHER_DEVICE);
    return new Mentions(
        List.copyOf(collector.devices),
        collector.tracks || collector.surely,
        collector.surely,
        collector.translates,
        collector.marks,
        collector.connectionMarks,
        collector.zones,
        collector.writesAddresses,
        collector.asksOfSas,
        IntervalSet.union(collector.sources),
        IntervalSet.union(collector.destinations),
        List.copyOf(collector.addresses),
        List.copyOf(collector.sourcePrefixes),
        List.copyOf(collector.destinationPrefixes),
        collector.sourcePorts,
        collector.destinationPorts);
  }

  private static final class Collector {
    private final Family family;
    private final Set<String> devices = new LinkedHashSet<>();
    private boolean tracks;
    private boolean surely;
    private boolean translates;
    private boolean marks;
    private boolean connectionMarks;
    private boolean zones;
    private boolean writesAddresses;
    private boolean asksOfSas;
    private boolean sourcePorts;
    private boolean destinationPorts;
    private final HostState host;
    private final List<IntervalSet.Interval> sources = new ArrayList<>();
    private final List<IntervalSet.Interval> addresses = new ArrayList<>();
    private final List<IntervalSet.Interval> destinations = new ArrayList<>();
    private final Set<Prefix> sourcePrefixes = new LinkedHashSet<>();
    private final Set<Prefix> destinationPrefixes = new LinkedHashSet<>();

    Collector(HostState host, Family family) {
      this.host = host;
      this.family = family;
    }

    private void prefix(Prefix prefix) {
      if (prefix.family() == family) {
        addresses.add(IntervalSet.Interval.of(prefix.first(), prefix.last()));
      }
    }

    void host() {
      for (HostState.Device device : host.devices()) {
        for (var one : device.addresses()) {
          prefix(Prefix.host(one.address()));
          prefix(one.link());
          prefix(Prefix.host(one.link().first()));
          prefix(Prefix.host(one.link().last()));
        }
      }
      host.routes().forEach(route -> prefix(route.destination()));
      host.rules()
          .forEach(rule -> {
            rule.from().ifPresent(this::prefix);
            rule.to().ifPresent(this::prefix);
          });
      for (HostState.Policy policy : host.policies()) {
        prefix(policy.source());
        prefix(policy.destination());
      }
      for (HostState.Tunnel tunnel : host.tunnels()) {
        tunnel.local().map(Prefix::host).ifPresent(this::prefix);
        tunnel.remote().map(Prefix::host).ifPresent(this::prefix);
      }
    }

    private void nat(Table table, Statement.Nat nat) {
      switch (nat) {
        case Statement.Nat.Source to when to.address().isEmpty() -> sourcePorts = true;
        case Statement.Nat.Destination to when to.address().isEmpty() -> destinationPorts = true;
        case Statement.Nat.Source to -> targets(table, to.address(), sources);
        case Statement.Nat.Destination to -> targets(table, to.address(), destinations);
        case Statement.Nat.Prefixed to when to.to().family() == family ->
            (to.source() ? sourcePrefixes : destinationPrefixes).add(to.to());
        case Statement.Nat.Prefixed other -> {}
        case Statement.Nat.Masquerade to -> own(sources);
        case Statement.Nat.Redirect to -> {
          own(destinations);
          Address loopback = Address.of(family == Family.V4 ? "127.0.0.1" : "::1");
          destinations.add(IntervalSet.Interval.of(loopback, loopback));
        }
      }
    }

    private void targets(
        Table table, Optional<Expression> address, List<IntervalSet.Interval> into) {
      switch (address.orElse(new Expression.Opaque("the ports alone"))) {
        case Expression.Addr to when to.address().family() == family ->
            into.add(IntervalSet.Interval.of(to.address(), to.address()));
        case Expression.Addr other -> {}
        case Expression.Net to when to.prefix().family() == family ->
            into.add(IntervalSet.Interval.of(to.prefix().first(), to.prefix().last()));
        case Expression.Net other -> {}
        case Expression.Mapped mapped ->
            LookUps.promised(table, mapped, family)
                .ifPresentOrElse(
                    nets ->
                        nets.forEach(
                            net -> into.add(IntervalSet.Interval.of(net.first(), net.last()))),
                    () -> anything(into));
        default -> anything(into);
      }
    }

    private void anything(List<IntervalSet.Interval> into) {
      Prefix all = family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
      into.add(IntervalSet.Interval.of(all.first(), all.last()));
    }

    private void own(List<IntervalSet.Interval> into) {
      if (host.devices().stream().allMatch(HostState.Device::addressesKnown)) {
        host.addresses(family).forEach(a -> into.add(IntervalSet.Interval.of(a, a)));
      } else {
        anything(into);
      }
    }

    void table(Table table) {
      boolean ours =
          table.family().equals("inet")
              || table.family().equals(family.nft())
              || table.family().equals("netdev");
      if (!ours) {
        return;
      }
      for (Chain chain : table.chains()) {
        chain
            .base()
            .ifPresent(base -> {
              base.device().ifPresent(devices::add);
              if (base.type().equals("nat")) {
                translates = true;
                surely = true;
              }
            });
        for (Rule rule : chain.rules()) {
          rule.statements().forEach(statement -> statement(table, statement));
        }
      }
      for (NftSet set : table.sets()) {
        expression(set.key());
        for (NftSet.Element element : set.elements()) {
          expression(element.key());
          element.data().ifPresent(this::expression);
        }
        set.contract()
            .ifPresent(contract -> {
              contract.keys().forEach(this::expression);
              contract.data().forEach(this::expression);
            });
        boolean names = isDevice(set.key());
        for (NftSet.Element element : set.elements()) {
          if (names) {
            texts(element.key());
          }
        }
        set.contract()
            .ifPresent(contract ->
                contract
                    .keys()
                    .forEach(key -> {
                      if (names) {
                        texts(key);
                      }
                    }));
      }
    }

    private static boolean isDevice(Expression expression) {
      return switch (expression) {
        case Expression.Meta meta ->
            switch (meta.key()) {
              case IIF, OIF, IIFNAME, OIFNAME -> true;
              default -> false;
            };
        case Expression.Concat concat -> concat.parts().stream().anyMatch(Collector::isDevice);
        default -> false;
      };
    }

    /** Quoted strings are device names wherever a device is compared. */
    private void texts(Expression value) {
      switch (value) {
        case Expression.Text text -> devices.add(text.text());
        case Expression.Symbol symbol -> devices.add(symbol.name());
        case Expression.AnyOf any -> any.values().forEach(this::texts);
        case Expression.Tuple tuple ->
            tuple.parts().stream().filter(p -> p instanceof Expression.Text).forEach(this::texts);
        default -> {}
      }
    }

    private void statement(Table table, Statement statement) {
      switch (statement) {
        case Statement.Match match -> {
          expression(match.left());
          expression(match.right());
          if (isDevice(match.left())) {
            texts(match.right());
          }
        }
        case Statement.Assign assign -> {
          expression(assign.target());
          expression(assign.value());
          switch (assign.target()) {
            case Expression.Meta meta -> marks |= meta.key() == Expression.Meta.Key.MARK;
            case Expression.Ct ct -> {
              connectionMarks |= ct.key().equals("mark");
              zones |= ct.key().equals("zone");
            }
            case Expression.Payload payload ->
                writesAddresses |=
                    payload.field().equals("saddr") || payload.field().equals("daddr");
            case Expression.RawPayload raw -> writesAddresses = true;
            default -> {}
          }
        }
        case Statement.VerdictMap map -> {
          expression(map.key());
          if (map.verdicts() instanceof Statement.VerdictSource.Inline inline) {
            inline.entries().forEach(entry -> expression(entry.key()));
          }
          if (isDevice(map.key()) && map.verdicts() instanceof Statement.VerdictSource.Inline in) {
            in.entries().forEach(e -> texts(e.key()));
          }
        }
        case Statement.Nat nat -> {
          surely = true;
          nat(table, nat);
          switch (nat) {
            case Statement.Nat.Source to -> to.address().ifPresent(this::expression);
            case Statement.Nat.Destination to -> to.address().ifPresent(this::expression);
            case Statement.Nat.Prefixed to -> prefix(to.to());
            case Statement.Nat.Masquerade to -> {}
            case Statement.Nat.Redirect to -> {}
          }
        }
        case Statement.CtHelper helper -> surely = true;
        case Statement.Update update -> {
          expression(update.key());
          update.data().ifPresent(this::expression);
        }
        case Statement.Opaque opaque -> {
          tracks |= CONNTRACK.matcher(opaque.text()).find();
          // It may set whatever can be set.
          marks = true;
          connectionMarks = true;
          writesAddresses = true;
          anything(sources);
          anything(destinations);
        }
        default -> {}
      }
    }

    private void expression(Expression expression) {
      switch (expression) {
        case Expression.Ct ct -> surely = true;
        case Expression.Addr addr -> prefix(Prefix.host(addr.address()));
        case Expression.Net net -> prefix(net.prefix());
        case Expression.AnyOf any -> any.values().forEach(this::expression);
        case Expression.Tuple tuple -> tuple.parts().forEach(this::expression);
        case Expression.Concat concat -> concat.parts().forEach(this::expression);
        case Expression.Binary binary -> {
          expression(binary.left());
          expression(binary.right());
        }
        case Expression.Mapped mapped -> expression(mapped.key());
        case Expression.Ipsec ipsec -> asksOfSas = true;
        case Expression.Opaque opaque -> tracks |= CONNTRACK.matcher(opaque.text()).find();
        default -> {}
      }
    }
  }
}
