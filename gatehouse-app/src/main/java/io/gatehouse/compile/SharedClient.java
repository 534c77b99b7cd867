package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Networks that use a tunnel of which this host is the client. The server knows the virtual IP
 * alone, so their packets get it as their source, and only then are they the tunnel's: the one case
 * in which NAT moves packets into a policy. Until then they bear a mark. With it the backstop lets
 * them through its first look-up, so that without our rules nothing passes; the second look-up,
 * after NAT, finds the tunnel's policy or the backstop again (nf_xfrm_me_harder).
 */
final class SharedClient {
  /** nft's mangle: conntrack knows the packet, nothing is routed yet. */
  private static final int PRIORITY = -150;

  private static final Selector MARK = new Meta(Meta.Key.MARK);

  /**
   * One network on its way into one tunnel.
   *
   * @param virtual what the source that it gets is out of
   * @param here the set of its addresses
   * @param there the set of the tunnel's
   */
  private record Way(
      Tunnel.Client tunnel,
      Network from,
      Family family,
      Located<Prefix> virtual,
      SetRef here,
      SetRef there) {}

  private final Draft draft;
  private final Value bit;

  private SharedClient(Draft draft) {
    this.draft = draft;
    bit = Nft.number(draft.gateway.numbers().clientMark());
  }

  /** Marks what is to get a virtual IP. */
  static void write(Draft draft) {
    SharedClient shared = new SharedClient(draft);
    List<Rule> rules = new ArrayList<>(shared.strayed());
    for (Way way : shared.ways()) {
      rules.add(
          Nft.rule(
              way.from().name() + " on its way into " + way.tunnel().name(),
              way.tunnel().origin(),
              Nft.NOT_DECRYPTED,
              Nft.is(Nft.IIFNAME, Nft.device(way.from().on().device())),
              Nft.is(Nft.saddr(way.family()), way.here()),
              Nft.is(Nft.daddr(way.family()), way.there()),
              new Statement.Assign(MARK, new Binary(MARK, Operator.OR, shared.bit))));
    }
    draft.base("client", "filter", Hook.PREROUTING, PRIORITY, false, rules);
  }

  /** Before NAT takes it for an answer: a virtual IP is reached through its tunnel alone. */
  private List<Rule> strayed() {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      virtual(draft, family)
          .ifPresent(virtual ->
              draft
                  .places
                  .outside()
                  .ifPresent(outside ->
                      rules.add(
                          Nft.rule(
                              "for a virtual IP, in clear",
                              Origin.builtIn("tunnel-evidence"),
                              Nft.is(Nft.IIFNAME, outside),
                              Nft.NOT_DECRYPTED,
                              Nft.is(Nft.daddr(family), virtual),
                              draft.drop("spoofed")))));
    }
    return rules;
  }

  /** The virtual IPs of a family as a set. */
  private static Optional<SetRef> virtual(Draft draft, Family family) {
    return draft.sets.addresses(
        "virtual", family, clients(draft).flatMap(client -> client.addresses().stream()).toList());
  }

  /** Whether any network uses a tunnel so. */
  static boolean isUsed(Draft draft) {
    return clients(draft).anyMatch(client -> !client.local().isEmpty());
  }

  /**
   * Whether an address of this host may lie in what a tunnel takes: it takes everything that is not
   * ours, or the virtual IP is one of a remote network, nobody knows which.
   */
  static boolean holdsThisHost(Draft draft) {
    return clients(draft)
        .anyMatch(client ->
            client.full()
                || client.followed().stream()
                    .anyMatch(virtual ->
                        client.remote().stream()
                            .anyMatch(there -> there.value().contains(virtual.value()))));
  }

  /** The map from the device that a packet leaves by to the virtual IP that it gets. */
  static String map(Tunnel.Client client, Family family) {
    return Sets.of("virtual_" + client.name(), family);
  }

  /** Far addresses that are reached under a virtual IP. */
  static boolean isShared(Tunnel tunnel) {
    return tunnel instanceof Tunnel.Client client && !client.local().isEmpty();
  }

  private static Stream<Tunnel.Client> clients(Draft draft) {
    return draft.gateway.tunnels().stream()
        .flatMap(tunnel ->
            tunnel instanceof Tunnel.Client client
                ? Stream.of(client)
                : Stream.<Tunnel.Client>empty());
  }

  /** What bears the mark. */
  static Match marked(Draft draft) {
    return Nft.isNot(new SharedClient(draft).masked(), Nft.number(0));
  }

  /** What does not. */
  static Match unmarked(Draft draft) {
    return Nft.is(new SharedClient(draft).masked(), Nft.number(0));
  }

  private Selector masked() {
    return new Binary(MARK, Operator.AND, bit);
  }

  /** What the networks may begin there. */
  static List<Rule> forward(Draft draft) {
    SharedClient shared = new SharedClient(draft);
    List<Rule> rules = new ArrayList<>();
    for (Way way : shared.ways()) {
      List<Statement> where =
          List.of(
              marked(draft),
              Nft.is(Nft.IIFNAME, Nft.device(way.from().on().device())),
              Nft.is(Nft.saddr(way.family()), way.here()),
              Nft.is(Nft.daddr(way.family()), way.there()));
      for (List<Statement> which : Nft.services(way.tunnel().outbound(), List.of(way.family()))) {
        rules.add(
            Nft.rule(
                way.from().name() + " may reach " + way.tunnel().name(),
                way.tunnel().origin(),
                Nft.all(where, which, List.of(Nft.ACCEPT))));
      }
    }
    return rules;
  }

  /** Their packets get the virtual IP. */
  static List<Rule> nat(Draft draft, Family family) {
    return new SharedClient(draft)
        .ways().stream()
            .filter(way -> way.family() == family)
            .flatMap(way ->
                draft.places.outside().stream().map(outside -> translated(draft, way, outside)))
            .toList();
  }

  private static Rule translated(Draft draft, Way way, SetRef outside) {
    Prefix virtual = way.virtual().value();
    return Nft.rule(
        way.from().name()
            + " appears as "
            + (virtual.isHost() ? virtual.first() : "one of " + virtual)
            + " there",
        way.virtual().origin(),
        Nft.is(Nft.OIFNAME, outside),
        marked(draft),
        Nft.is(Nft.saddr(way.family()), way.here()),
        Nft.is(Nft.daddr(way.family()), way.there()),
        new Statement.Nat.Source(Optional.of(source(draft, way)), Optional.empty(), List.of()));
  }

  /**
   * The virtual IP, or what the daemon says that it is now. Where the map has none the source stays
   * as it is, and the packet goes no further than the guard.
   */
  private static Expression source(Draft draft, Way way) {
    Prefix virtual = way.virtual().value();
    if (virtual.isHost()) {
      return Nft.address(virtual.first());
    }
    String map = map(way.tunnel(), way.family());
    List<Value> devices =
        draft.gateway.outside().stream().map(at -> Nft.device(at.device())).distinct().toList();
    draft.sets.live(
        map,
        Nft.OIFNAME,
        new NftSet.Holds.Values(Nft.saddr(way.family())),
        Set.of(),
        new NftSet.Contract(devices, List.of(), List.of(Nft.net(virtual))),
        way.virtual().origin());
    return new Mapped(Nft.OIFNAME, map, Optional.of(way.family()));
  }

  /**
   * A virtual IP never leaves in clear, nor does what is for it: out there it is nobody, or
   * somebody else, also while this host does not have it.
   */
  static List<Rule> guard(Draft draft, Family family, Origin origin) {
    List<Rule> rules = new ArrayList<>(towardsVirtual(draft, family, origin));
    rules.addAll(fromVirtual(draft, family, origin));
    return rules;
  }

  /** Those that change are far themselves, and what is for them is stopped with the rest. */
  private static List<Rule> towardsVirtual(Draft draft, Family family, Origin origin) {
    boolean fixed =
        clients(draft)
            .anyMatch(client -> client.address(family).filter(Prefix::isHost).isPresent());
    return (fixed ? virtual(draft, family) : Optional.<SetRef>empty())
        .stream()
            .map(virtual ->
                Nft.rule(
                    "for a virtual IP, leaves in clear",
                    origin,
                    Nft.isNot(Nft.OIFNAME, Nft.device("lo")),
                    Nft.is(Nft.daddr(family), virtual),
                    Nft.IN_CLEAR,
                    draft.drop("guard")))
            .toList();
  }

  private static List<Rule> fromVirtual(Draft draft, Family family, Origin origin) {
    return virtual(draft, family).stream()
        .flatMap(virtual ->
            draft.places.outside().stream()
                .map(outside ->
                    Nft.rule(
                        "virtual IP, leaves in clear",
                        origin,
                        Nft.is(Nft.OIFNAME, outside),
                        Nft.is(Nft.saddr(family), virtual),
                        Nft.IN_CLEAR,
                        draft.drop("guard"))))
        .toList();
  }

  private List<Way> ways() {
    List<Way> ways = new ArrayList<>();
    clients(draft)
        .forEach(client -> {
          for (Network network : client.local()) {
            for (Family family : Family.values()) {
              way(client, network, family).ifPresent(ways::add);
            }
          }
        });
    return ways;
  }

  private Optional<Way> way(Tunnel.Client client, Network network, Family family) {
    Optional<Located<Prefix>> virtual =
        client.addresses().stream().filter(a -> a.value().family() == family).findFirst();
    Optional<SetRef> here = draft.places.addresses(draft.places.target(network), family);
    Optional<SetRef> there = draft.places.far(client, family);
    return virtual.isPresent() && here.isPresent() && there.isPresent()
        ? Optional.of(new Way(client, network, family, virtual.get(), here.get(), there.get()))
        : Optional.empty();
  }
}
