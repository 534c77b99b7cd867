package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The packet's way through one host, for any set of packets of one family. The order of things is
 * the kernel's; docs/model.md walks through it hook by hook and says what is left out.
 */
public final class PacketPath {
  /** What is open about a connection that stands: the translation that its first packet got. */
  public static final String MAPPING = "the mapping that the connection was given";

  /** How often blocks of addresses are made finer before each address is told from each other. */
  private static final int MOST_ROUNDS = 4;

  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Mentions mentions;
  private final Ipsec ipsec;
  private final LocalRouting localRouting;
  private final boolean routesAgain;
  private final Hooks hooks;
  private final Arrival arrival;

  /** Begins a walk, by its name. */
  private final Consumer<String> begin;

  /** Asks, with blocks of addresses as fine as the question turns out to need. */
  private static <T> Bounded<T> ask(
      HostState host,
      Family family,
      int nodes,
      Optional<Idle> idle,
      Collection<Prefix> about,
      Function<? super PacketPath, ? extends T> question) {
    Mentions mentions = Mentions.in(host, family);
    TunnelClasses classes = TunnelClasses.of(host, family, mentions);
    int held = held(host);
    Addresses addresses = Addresses.toldApart(family, mentions.addresses(), about);
    for (int round = 1; ; round++) {
      Addresses blocks = addresses;
      Bounded<T> answer =
          Bdd.within(
              nodes,
              bdd -> {
                HeaderSpace space = new HeaderSpace(bdd, blocks, mentions.devices(), classes, held);
                return question.apply(new PacketPath(space, host, mentions, idle, walk -> {}));
              });
      if (!blocks.fellShort()) {
        return answer;
      }
      addresses = round < MOST_ROUNDS ? blocks.finer() : Addresses.each(family);
    }
  }

  /** Variables for what each live map of verdicts holds, where a walk looks into it once. */
  private static int held(HostState host) {
    return host.tables().stream()
        .flatMap(table -> table.sets().stream())
        .flatMap(set -> set.contract().stream())
        .filter(contract -> !contract.verdicts().isEmpty())
        .mapToInt(contract -> HeldVerdict.width(contract.verdicts().size()))
        .sum();
  }

  private PacketPath(
      HeaderSpace space,
      HostState host,
      Mentions mentions,
      Optional<Idle> idle,
      Consumer<String> begin) {
    this.mentions = mentions;
    bdd = space.bdd();
    this.host = host;
    this.space = space;
    this.begin = begin;
    begin.accept("");
    RoutingModel routing = new RoutingModel(space, host);
    Sysctls sysctls = new Sysctls(host, space.family());
    ipsec = new Ipsec(space, host, routing, sysctls);
    localRouting = new LocalRouting(space, routing, ipsec);
    Expressions expressions = new Expressions(space, host, routing, mentions.defragments());
    BaseChains chains = new BaseChains(space, host, expressions, idle, localRouting);
    routesAgain = chains.routesAgain();
    Translation translation = new Translation(space, mentions, chains, ipsec, localRouting);
    hooks = new Hooks(space, mentions, chains, translation);
    arrival = Arrival.of(space, routing, sysctls);
  }

  /**
   * Asks a question about a host. The path and every set that it gives live only while the question
   * is answered, which may take more than one asking: it has no effects.
   *
   * @param nodes how many decision nodes it may take; a million take some 40 MB
   */
  public static <T> Bounded<T> ask(
      HostState host,
      Family family,
      int nodes,
      Function<? super PacketPath, ? extends T> question) {
    return ask(host, family, nodes, List.of(), question);
  }

  /**
   * The same where it is known what the question itself tells apart.
   *
   * @param about where something lacks here, it is asked once more
   */
  public static <T> Bounded<T> ask(
      HostState host,
      Family family,
      int nodes,
      Collection<Prefix> about,
      Function<? super PacketPath, ? extends T> question) {
    return ask(host, family, nodes, Optional.empty(), about, question);
  }

  /**
   * The same for a question about ends alone: rules that only count, log or lower the MSS are
   * passed by, and no journey has them. That halves the work.
   */
  public static <T> Bounded<T> askOfEnds(
      HostState host,
      Family family,
      int nodes,
      Collection<Prefix> about,
      Function<? super PacketPath, ? extends T> question) {
    Optional<Idle> idle = Optional.of(new Idle(host.tables()));
    return ask(host, family, nodes, idle, about, question);
  }

  /**
   * Asks a question about several hosts that are handed the same packets in the same circumstances:
   * their sets can be compared.
   *
   * @param nodes how many decision nodes it may take; a million take some 40 MB
   */
  public static <T> Bounded<T> together(
      List<HostState> hosts,
      Family family,
      int nodes,
      Function<? super List<PacketPath>, ? extends T> question) {
    Set<String> devices = new LinkedHashSet<>();
    Set<String> tunnels = new LinkedHashSet<>();
    List<Mentions> mentions = hosts.stream().map(host -> Mentions.in(host, family)).toList();
    mentions.forEach(one -> devices.addAll(one.devices()));
    for (HostState host : hosts) {
      host.tunnels().forEach(tunnel -> tunnels.add(tunnel.name()));
    }
    return Bdd.within(
        nodes,
        bdd -> {
          Pairing pairing = new Pairing(hosts);
          HeaderSpace space =
              new HeaderSpace(
                  bdd,
                  Addresses.each(family),
                  List.copyOf(devices),
                  TunnelClasses.apart(tunnels),
                  0,
                  Optional.of(pairing));
          List<PacketPath> paths = new ArrayList<>();
          for (int i = 0; i < hosts.size(); i++) {
            int number = i;
            paths.add(
                new PacketPath(
                    space,
                    hosts.get(i),
                    mentions.get(i),
                    Optional.empty(),
                    walk -> pairing.begin(number, walk)));
          }
          return question.apply(List.copyOf(paths));
        });
  }

  /**
   * The devices that packets of a host are told apart by: those that it has, those that anything
   * mentions, and one for all others.
   */
  public static List<String> devices(HostState host, Family family) {
    return Mentions.in(host, family).devices();
  }

  /** The packets that questions are about. */
  public HeaderSpace space() {
    return space;
  }

  // ---- journeys
  // -----------------------------------------------------------------------------------------------------------------------

  /**
   * What becomes of packets that come in by a device, or that an SA has just decrypted: these come
   * round again by the device that their ESP came by.
   */
  public Journey received(int packets) {
    begin.accept("received");
    int start = bdd.difference(bdd.and(packets, space.sane()), space.arrivesOn("lo"));
    if (mentions.defragments()) {
      // nf_defrag stands at −400, before every rule.
      start = bdd.difference(start, space.laterFragment[0]);
    }
    State state = new State(space, false);
    int marked = decryptedWithMark();
    // What is not decrypted comes without a mark, whatever a question says of that.
    state.mark = Field.constant(32, 0).assign(bdd, marked, space.mark);
    if (space.isOfSeveralHosts()) {
      // What one host never meets is not to be compared.
      start = bdd.and(start, bdd.or(space.unmarked(), marked));
    }
    Journey journey = new Journey(space, start, state);
    int alive = hooks.at(Hook.INGRESS, state, start, journey);
    alive = arrival.beforeHooks(state, alive, journey);
    alive = hooks.at(Hook.PREROUTING, state, alive, journey);
    Arrival.Routed routed = arrival.route(state, alive, journey);
    int arrived = hooks.at(Hook.INPUT, state, routed.local(), journey);
    ipsec.deliver(state, arrived, journey);
    forward(routed.through(), routed.forward(), journey);
    return journey;
  }

  /**
   * What becomes of packets that this host makes. Their sources are taken as they are: the caller
   * says which may be.
   */
  public Journey sent(int packets) {
    begin.accept("sent");
    int start = bdd.and(bdd.and(packets, space.sane()), space.inClear());
    if (mentions.defragments()) {
      start = bdd.difference(start, space.laterFragment[0]);
    }
    State state = new State(space, true);
    Journey journey = new Journey(space, start, state);
    int alive = localRouting.first(state, start, routesAgain, journey);
    alive = hooks.at(Hook.OUTPUT, state, alive, journey);
    alive = localRouting.behindTheHook(state, alive, journey);
    leave(state, alive, journey);
    return journey;
  }

  /** Decrypted packets keep the mark of the packet that brought them, and SAs may set one. */
  private int decryptedWithMark() {
    boolean marked =
        mentions.marks() || host.tunnels().stream().anyMatch(HostState.Tunnel::setsMark);
    return marked ? bdd.not(space.inClear()) : FALSE;
  }

  private void forward(State state, int packets, Journey journey) {
    int alive = ipsec.checked(Direction.FWD, state, packets, journey);
    alive = ipsec.secure(state, alive, alive, "xfrm out", journey);
    alive = arrival.beforeForwarding(state, alive, journey);
    alive = hooks.at(Hook.FORWARD, state, alive, journey);
    leave(state, alive, journey);
  }

  private void leave(State state, int packets, Journey journey) {
    int alive = hooks.at(Hook.POSTROUTING, state, packets, journey);
    alive = hooks.at(Hook.EGRESS, state, alive, journey);
    journey.leave(alive, state);
  }
}
