package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Decision;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Hop;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The packet's way through one host, for any set of packets of one family. The order of things is
 * the kernel's; docs/model.md walks through it hook by hook and says what is left out.
 */
public final class PacketPath {
  // Priorities of the kernel's own functions in a hook (enum nf_ip_hook_priorities).
  private static final int CONNTRACK = -200;
  private static final int NAT_DESTINATION = -100;
  private static final int NAT_SOURCE = 100;

  /** Who has no address yet. */
  private static final Prefix NOBODY = Prefix.of("0.0.0.0/32");

  /** What is open about a connection that stands: the translation that its first packet got. */
  public static final String MAPPING = "the mapping that the connection was given";

  /** Rules that one question may visit, counting each visit. */
  private static final int MOST_RULE_VISITS = 3_000_000;

  /** How often blocks of addresses are made finer before each address is told from each other. */
  private static final int MOST_ROUNDS = 4;

  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final Mentions mentions;
  private final RoutingModel routing;
  private final SpdModel spd;
  private final Expressions expressions;
  private final ChainWalk.Budget budget = new ChainWalk.Budget(MOST_RULE_VISITS);

  /** The rules that need not be followed. */
  private final Optional<Idle> idle;

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
    Addresses addresses = Addresses.toldApart(family, mentions.addresses(), about);
    for (int round = 1; ; round++) {
      Addresses blocks = addresses;
      Bounded<T> answer =
          Bdd.within(
              nodes,
              bdd -> {
                HeaderSpace space = new HeaderSpace(bdd, blocks, mentions.devices(), classes);
                return question.apply(new PacketPath(space, host, mentions, idle, walk -> {}));
              });
      if (!blocks.fellShort()) {
        return answer;
      }
      addresses = round < MOST_ROUNDS ? blocks.finer() : Addresses.each(family);
    }
  }

  private PacketPath(
      HeaderSpace space,
      HostState host,
      Mentions mentions,
      Optional<Idle> idle,
      Consumer<String> begin) {
    this.mentions = mentions;
    this.idle = idle;
    bdd = space.bdd();
    this.host = host;
    this.space = space;
    this.begin = begin;
    family = space.family();
    begin.accept("");
    routing = new RoutingModel(space, host);
    spd = new SpdModel(space, host);
    expressions = new Expressions(space, host, routing, mentions.defragments());
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
    int alive = hooks(Hook.INGRESS, state, start, journey);
    if (family == Family.V6) {
      // ip6_rcv_core, before the first hook: what NAT makes of an address is not looked at.
      int martian = bdd.and(alive, martians(state));
      List<Decision> decisions = new ArrayList<>();
      decide(decisions, "martian address", Effect.DROPPED, martian);
      journey.add(new Hop("arrival", alive, decisions));
      alive = bdd.difference(alive, martian);
    }
    alive = hooks(Hook.PREROUTING, state, alive, journey);
    route(state, alive, journey);
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
    List<Decision> decisions = new ArrayList<>();
    int alive = routeOut(state, start, decisions);
    journey.add(new Hop("route", start, decisions));
    alive = secure(state, alive, alive, "xfrm out", journey);
    alive = hooks(Hook.OUTPUT, state, alive, journey);
    leave(state, alive, journey);
    return journey;
  }

  /** Decrypted packets keep the mark of the packet that brought them, and SAs may set one. */
  private int decryptedWithMark() {
    boolean marked =
        mentions.marks() || host.tunnels().stream().anyMatch(HostState.Tunnel::setsMark);
    return marked ? bdd.not(space.inClear()) : FALSE;
  }

  // ---- hooks
  // --------------------------------------------------------------------------------------------------------------------------

  /** Something that runs at a hook: a chain, or one of the kernel's own functions. */
  private record Event(int priority, int order, Optional<Place> chain) {}

  private record Place(Table table, Chain chain, Chain.Base base) {}

  private boolean applies(Table table) {
    return table.family().equals("inet")
        || table.family().equals(family.nft())
        || table.family().equals("netdev");
  }

  /**
   * Base chains at a hook in the kernel's order: by priority, and the later registered first among
   * equals.
   */
  private List<Place> chains(Hook hook, boolean nat) {
    List<Place> places = new ArrayList<>();
    for (Table table : host.tables()) {
      if (applies(table)) {
        for (Chain chain : table.chains()) {
          chain
              .base()
              .filter(b -> b.hook() == hook && b.type().equals("nat") == nat)
              .ifPresent(b -> places.add(new Place(table, chain, b)));
        }
      }
    }
    java.util.Collections.reverse(places);
    places.sort(Comparator.comparingInt(p -> p.base().priority()));
    return places;
  }

  private int hooks(Hook hook, State state, int packets, Journey journey) {
    state.hookOif = state.oif;
    List<Event> events = new ArrayList<>();
    int order = 0;
    for (Place place : chains(hook, false)) {
      events.add(new Event(place.base().priority(), order++, Optional.of(place)));
    }
    boolean tracks = mentions.tracks() && (hook == Hook.PREROUTING || hook == Hook.OUTPUT);
    boolean tracked = !tracks;
    boolean translates =
        hook == Hook.PREROUTING
            || hook == Hook.OUTPUT
            || hook == Hook.INPUT
            || hook == Hook.POSTROUTING;
    boolean translated = !translates || !mentions.translates();
    int natAt = hook == Hook.PREROUTING || hook == Hook.OUTPUT ? NAT_DESTINATION : NAT_SOURCE;
    events.sort(Comparator.comparingInt(Event::priority).thenComparingInt(Event::order));
    int alive = packets;
    for (Event event : events) {
      if (!tracked && event.priority() > CONNTRACK) {
        track(state, alive);
        tracked = true;
      }
      if (!translated && event.priority() > natAt) {
        alive = translate(hook, state, alive, journey);
        translated = true;
      }
      Place place = event.chain().orElseThrow();
      alive = walk(place, hook, state, alive, journey);
    }
    if (!tracked) {
      track(state, alive);
    }
    return translated ? alive : translate(hook, state, alive, journey);
  }

  private int walk(Place place, Hook hook, State state, int packets, Journey journey) {
    if (idle.filter(rules -> rules.is(place.table(), place.chain())).isPresent()) {
      return packets;
    }
    int concerned = packets;
    if (place.base().device().isPresent()) {
      String device = place.base().device().get();
      concerned =
          bdd.and(
              packets,
              hook == Hook.EGRESS ? state.oif.in(bdd, index(device)) : space.arrivesOn(device));
    }
    boolean nat = place.base().type().equals("nat");
    Field source = state.source;
    Field destination = state.destination;
    Field mark = state.mark;
    ChainWalk walk =
        new ChainWalk(
            space, expressions, idle, budget, this::ownAddress, place.table(), hook, nat, state);
    List<Hop> hops = new ArrayList<>();
    int accepted = walk.run(place.chain(), concerned, hops);
    hops.forEach(journey::add);
    int alive = bdd.or(bdd.difference(packets, concerned), accepted);
    if (place.base().type().equals("route") && hook == Hook.OUTPUT) {
      // nf_route_table_hook4: a changed mark or address asks for route and bundle again.
      int differs =
          bdd.or(
              bdd.or(
                  space.addressesDiffer(source, state.source, "output"),
                  space.addressesDiffer(destination, state.destination, "output")),
              space.differs(mark, state.mark, "output"));
      alive = routeAgain(state, alive, bdd.and(accepted, differs), journey);
    }
    return alive;
  }

  private void track(State state, int packets) {
    state.tracked = bdd.difference(packets, state.untracked);
    state.trackedSource = state.source;
    state.trackedDestination = state.destination;
    state.trackedSourcePort = state.sourcePort;
    state.trackedDestinationPort = state.destinationPort;
    int standing = bdd.difference(state.tracked, space.is(Connection.NEW));
    if (mentions.connectionMarks()) {
      // Whatever the connection's earlier packets left there.
      int[] earlier = space.property("the connection's mark", 32);
      state.connectionMark = state.connectionMark.assign(bdd, standing, earlier);
    }
    if (mentions.zones()) {
      int[] zone = space.property("the connection's zone", 16);
      state.zone = state.zone.assign(bdd, standing, zone);
    }
  }

  // ---- NAT
  // ----------------------------------------------------------------------------------------------------------------------------

  /**
   * The kernel's NAT function at a hook. It walks the nat chains for the first packet of a
   * connection, whatever their own priorities say: those only order them among themselves
   * (nf_nat_inet_fn).
   */
  private int translate(Hook hook, State state, int packets, Journey journey) {
    boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
    int sourceBefore = state.sourceChanged;
    Field destination = state.destination;
    Field destinationPort = state.destinationPort;
    int alive = packets;
    int first = bdd.and(state.tracked, space.is(Connection.NEW));
    for (Place place : chains(hook, true)) {
      int bound = source ? state.sourceBound : state.destinationBound;
      int concerned = bdd.difference(bdd.and(alive, first), bound);
      if (concerned != FALSE) {
        int accepted = walk(place, hook, state, concerned, journey);
        alive = bdd.or(bdd.difference(alive, concerned), accepted);
      }
    }
    int standing =
        bdd.and(
            bdd.and(alive, state.tracked),
            bdd.or(space.is(Connection.ESTABLISHED), space.is(Connection.RELATED)));
    keepMapping(hook, state, standing);
    if (hook == Hook.POSTROUTING) {
      int moved = bdd.difference(state.sourceChanged, sourceBefore);
      // nf_nat_ipv4_out: after a change of source the policies are asked again (nf_xfrm_me_harder).
      int again = bdd.and(alive, moved);
      return again == FALSE ? alive : secure(state, alive, again, "xfrm out after SNAT", journey);
    }
    if (hook == Hook.OUTPUT) {
      int differs =
          bdd.or(
              space.addressesDiffer(destination, state.destination, "output"),
              space.differs(destinationPort, state.destinationPort, "output"));
      return routeAgain(state, alive, bdd.and(alive, differs), journey);
    }
    return alive;
  }

  /**
   * What NAT does to packets of a connection that stands: what it did to the first one, and its
   * inverse to the answers. Which mapping that was is open: any that gives an address which some
   * rule gives. That is more than the rules could have made, and so hides no leak; connections that
   * are older than the rules are not looked at.
   */
  private void keepMapping(Hook hook, State state, int standing) {
    if (standing == FALSE) {
      return;
    }
    boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
    Field address = source ? state.source : state.destination;
    // The way that the rules look: sources are given on the way out, destinations on the way in.
    IntervalSet given = source ? mentions.sourceTargets() : mentions.destinationTargets();
    IntervalSet taken = source ? mentions.destinationTargets() : mentions.sourceTargets();
    Unknown unknown =
        new Unknown(
            Unknown.Kind.ENVIRONMENT, MAPPING, hook.name().toLowerCase(java.util.Locale.ROOT));
    int[] other = space.open(space.addresses().width(), unknown);
    int[] port = space.open(16, unknown);
    int forth =
        bdd.difference(Field.member(bdd, other, space.addresses().of(given)), space.reply[0]);
    int back = bdd.and(address.in(bdd, space.addresses().of(taken)), space.reply[0]);
    int mapped = bdd.and(bdd.and(standing, space.open(unknown)), bdd.or(forth, back));
    // Where a rule gives the port alone, the address stays.
    boolean givesPort = source ? mentions.sourcePorts() : mentions.destinationPorts();
    boolean takesPort = source ? mentions.destinationPorts() : mentions.sourcePorts();
    if (givesPort || takesPort) {
      int which =
          bdd.or(givesPort ? bdd.not(space.reply[0]) : FALSE, takesPort ? space.reply[0] : FALSE);
      int alone = bdd.and(bdd.and(standing, space.open(unknown)), which);
      if (source) {
        state.sourcePort = state.sourcePort.assign(bdd, alone, port);
        state.sourceChanged = bdd.or(state.sourceChanged, alone);
      } else {
        state.destinationPort = state.destinationPort.assign(bdd, alone, port);
        state.destinationChanged = bdd.or(state.destinationChanged, alone);
      }
    }
    keepPlaces(source, state, standing, unknown);
    if (source) {
      state.source = state.source.assign(bdd, mapped, other);
      state.sourcePort = state.sourcePort.assign(bdd, mapped, port);
      state.sourceChanged = bdd.or(state.sourceChanged, mapped);
    } else {
      state.destination = state.destination.assign(bdd, mapped, other);
      state.destinationPort = state.destinationPort.assign(bdd, mapped, port);
      state.destinationChanged = bdd.or(state.destinationChanged, mapped);
    }
  }

  /**
   * The same for translation from prefix to prefix: it keeps the rest of the address, so that only
   * the prefix of an answer's receiver is open.
   */
  private void keepPlaces(boolean source, State state, int standing, Unknown unknown) {
    Field address = source ? state.source : state.destination;
    for (Prefix to : source ? mentions.sourcePrefixes() : mentions.destinationPrefixes()) {
      int forth = bdd.difference(bdd.and(standing, space.open(unknown)), space.reply[0]);
      moved(source, state, forth, space.moved(address, to), unknown);
    }
    for (Prefix from : source ? mentions.destinationPrefixes() : mentions.sourcePrefixes()) {
      int back = bdd.and(bdd.and(standing, space.open(unknown)), space.reply[0]);
      back = bdd.and(back, space.in(address, from));
      moved(
          source,
          state,
          back,
          space.moved(address, () -> space.open(from.length(), unknown)),
          unknown);
    }
  }

  private void moved(boolean source, State state, int packets, Field address, Unknown unknown) {
    // Of a source the port may have been taken.
    int other = bdd.and(packets, space.open(unknown));
    int[] port = space.open(16, unknown);
    if (source) {
      state.source = state.source.assign(bdd, packets, address);
      state.sourcePort = state.sourcePort.assign(bdd, other, port);
      state.sourceChanged = bdd.or(state.sourceChanged, packets);
    } else {
      state.destination = state.destination.assign(bdd, packets, address);
      state.destinationPort = state.destinationPort.assign(bdd, other, port);
      state.destinationChanged = bdd.or(state.destinationChanged, packets);
    }
  }

  /**
   * The address that masquerade gives, of the device that the packet leaves by; that of redirect,
   * of the device it came by.
   */
  private Field ownAddress(State state, boolean leaving, String place) {
    Field address =
        Field.of(
            space.open(
                space.addresses().width(),
                new Unknown(Unknown.Kind.ENVIRONMENT, "the address of the device", place)));
    if (!leaving && state.locallyMade) {
      // nf_nat_redirect: packets of this host go to the loopback address.
      Address loopback = Address.of(family == Family.V4 ? "127.0.0.1" : "::1");
      return Field.of(space.addresses().bits(loopback));
    }
    for (HostState.Device device : host.devices()) {
      List<Address> own =
          device.addresses().stream()
              .map(InterfaceAddress::address)
              .filter(a -> a.family() == family && !isLinkLocal(a))
              .toList();
      if (own.isEmpty() || !device.addressesKnown()) {
        continue;
      }
      int by = leaving ? state.oif.in(bdd, index(device.name())) : space.arrivesOn(device.name());
      Address chosen = own.getFirst();
      address = address.assign(bdd, by, space.addresses().bits(chosen));
      for (Address other : own.subList(1, own.size())) {
        int open =
            space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "which address of " + device.name(), place));
        address = address.assign(bdd, bdd.and(by, open), space.addresses().bits(other));
      }
    }
    return address;
  }

  private static boolean isLinkLocal(Address address) {
    return address.family() == Family.V6 && (address.high() >>> 54) == (0xfe80L >>> 6);
  }

  private IntervalSet index(String device) {
    int index = space.devices().indexOf(device);
    return index < 0 ? IntervalSet.EMPTY : IntervalSet.of(index);
  }

  // ---- routing
  // ------------------------------------------------------------------------------------------------------------------------

  private int sysctl(String key, int otherwise) {
    String value = host.sysctls().getOrDefault(key, Integer.toString(otherwise)).trim();
    return value.matches("-?[0-9]{1,9}") ? Integer.parseInt(value) : otherwise;
  }

  /** A setting of a device; that of `default` for one that has none of its own. */
  private int setting(String device, String name, int otherwise) {
    String base = "net/" + (family == Family.V4 ? "ipv4" : "ipv6") + "/conf/";
    return sysctl(base + device + "/" + name, sysctl(base + "default/" + name, otherwise));
  }

  private int settingOfAll(String name, int otherwise) {
    return sysctl(
        "net/" + (family == Family.V4 ? "ipv4" : "ipv6") + "/conf/all/" + name, otherwise);
  }

  /** The packets that came by a device for which the number is as wanted. */
  private int cameBy(java.util.function.Predicate<String> wanted) {
    int all = FALSE;
    for (String device : space.devices()) {
      all = wanted.test(device) ? bdd.or(all, space.arrivesOn(device)) : all;
    }
    return all;
  }

  private boolean forwards(String device) {
    // ip_forward is conf.all.forwarding, and setting it sets every device's; IPv6 asks `all` alone
    // (ip6_forward).
    int all =
        family == Family.V4
            ? sysctl("net/ipv4/ip_forward", settingOfAll("forwarding", 0))
            : settingOfAll("forwarding", 0);
    return family == Family.V4 ? setting(device, "forwarding", all) != 0 : all != 0;
  }

  private RoutingModel.Query query(State state, Field iif) {
    return new RoutingModel.Query(
        state.destination, state.source, state.mark, iif, state.sourcePort, state.destinationPort);
  }

  private static void decide(List<Decision> decisions, String reason, Effect effect, int packets) {
    if (packets != FALSE) {
      decisions.add(new Decision(new Decider.ByKernel(reason), effect, packets));
    }
  }

  private void route(State state, int packets, Journey journey) {
    List<Decision> decisions = new ArrayList<>();
    int left = packets;
    int martian = family == Family.V4 ? bdd.and(left, martians(state)) : FALSE;
    decide(decisions, "martian address", Effect.DROPPED, martian);
    left = bdd.difference(left, martian);

    int multicast = bdd.and(left, space.in(state.destination, RoutingModel.multicast(family)));
    left = bdd.difference(left, multicast);
    int joined =
        space.open(
            new Unknown(Unknown.Kind.ENVIRONMENT, "whether this host joined the group", "route"));
    decide(decisions, "multicast", Effect.DROPPED, bdd.difference(multicast, joined));
    int local = bdd.and(multicast, joined);
    if (family == Family.V4) {
      int broadcast =
          bdd.and(
              left,
              bdd.or(
                  space.in(state.destination, RoutingModel.LIMITED_BROADCAST),
                  bdd.and(space.in(state.source, NOBODY), space.in(state.destination, NOBODY))));
      left = bdd.difference(left, broadcast);
      local = bdd.or(local, broadcast);
    }

    RoutingModel.Routes routes = routing.lookUp(query(state, Field.of(space.iif)), left);
    int forward = FALSE;
    int toEverybody = local;
    State through = new State(state);
    // rt6_need_strict: to an address of a link only routes by the device that it came by count;
    // whether there is one of these is left open.
    int strict = family == Family.V4 ? FALSE : space.in(state.destination, Prefix.LINK_LOCAL);
    int otherRoute =
        strict == FALSE
            ? FALSE
            : space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "a route back by the same link", "route"));
    for (Map.Entry<RouteKind, Integer> taken : routes.taken().entrySet()) {
      switch (taken.getKey()) {
        case RouteKind.Local to -> local = bdd.or(local, taken.getValue());
        case RouteKind.Broadcast to -> {
          local = bdd.or(local, taken.getValue());
          toEverybody = bdd.or(toEverybody, taken.getValue());
        }
        case RouteKind.Anycast to -> local = bdd.or(local, taken.getValue());
        case RouteKind.Via via -> {
          forward = bdd.or(forward, bdd.difference(taken.getValue(), strict));
          goesBy(through, via, taken.getValue());
        }
        case RouteKind.Refuse refuse ->
            decide(
                decisions,
                "route: " + refuse.how(),
                Effect.DROPPED,
                bdd.difference(taken.getValue(), strict));
        case RouteKind.Throw nothing -> {}
      }
    }
    int onLink = bdd.and(bdd.difference(bdd.and(left, strict), local), otherRoute);
    through.oif = through.oif.assign(bdd, onLink, Field.of(space.iif));
    forward = bdd.or(forward, onLink);
    decide(
        decisions,
        "no route",
        Effect.DROPPED,
        bdd.or(
            bdd.difference(routes.unreachable(), strict),
            bdd.difference(bdd.and(left, strict), bdd.or(local, onLink))));

    int off = bdd.difference(forward, cameBy(this::forwards));
    decide(decisions, "forwarding is off", Effect.DROPPED, off);
    forward = bdd.difference(forward, off);
    if (family == Family.V6) {
      // ip6_forward: a source that means nothing elsewhere stays on its link; what goes back by
      // the device that it came by is not looked at, unless it was decrypted.
      int bound =
          space.in(
              state.source,
              Prefix.LINK_LOCAL,
              Prefix.of("::/128"),
              Prefix.of("::1/128"),
              Prefix.of("ff00::/8"));
      int linkLocal = bdd.and(forward, bound);
      linkLocal = bdd.difference(linkLocal, bdd.and(hairpin(through), space.inClear()));
      decide(decisions, "source of one link", Effect.DROPPED, linkLocal);
      forward = bdd.difference(forward, linkLocal);
    } else {
      int wrong = wrongSource(state, through, local, toEverybody, forward);
      decide(decisions, "rp_filter", Effect.DROPPED, wrong);
      local = bdd.difference(local, wrong);
      forward = bdd.difference(forward, wrong);
    }
    state.routed = local;
    through.routed = forward;
    decide(decisions, "to this host", Effect.ROUTED, local);
    for (String device : space.devices()) {
      decide(
          decisions,
          "by " + device,
          Effect.ROUTED,
          bdd.and(forward, through.oif.in(bdd, index(device))));
    }
    journey.add(new Hop("route", packets, decisions));

    int arrived = hooks(Hook.INPUT, state, local, journey);
    deliver(state, arrived, journey);
    forward(through, forward, journey);
  }

  private void goesBy(State state, RouteKind.Via via, int packets) {
    int left = packets;
    for (int i = 0; i < via.devices().size(); i++) {
      String device = via.devices().get(i);
      boolean last = i == via.devices().size() - 1;
      int here =
          last
              ? left
              : bdd.and(
                  left,
                  space.open(
                      new Unknown(Unknown.Kind.ENVIRONMENT, "multipath takes " + device, "route")));
      left = bdd.difference(left, here);
      int number = Math.max(space.devices().indexOf(device), 0);
      state.oif = state.oif.assign(bdd, here, Field.constantBits(space.iif.length, 0, number));
    }
  }

  /** ip_route_input_slow and ip6_rcv: addresses that nobody may send. */
  private int martians(State state) {
    if (family == Family.V6) {
      int source = space.in(state.source, Prefix.of("ff00::/8"), Prefix.of("::1/128"));
      return bdd.or(source, space.in(state.destination, Prefix.of("::1/128")));
    }
    int source = space.in(state.source, Prefix.of("224.0.0.0/4"), Prefix.of("255.255.255.255/32"));
    int zero = space.in(state.source, Prefix.of("0.0.0.0/8"));
    int nobody = space.in(state.source, NOBODY);
    int toNobody = space.in(state.destination, NOBODY);
    int broadcast =
        bdd.or(
            space.in(state.destination, RoutingModel.LIMITED_BROADCAST), bdd.and(nobody, toNobody));
    int group = space.in(state.destination, RoutingModel.multicast(family));
    int zeroDestination = space.in(state.destination, Prefix.of("0.0.0.0/8"));
    int loopback =
        bdd.or(
            space.in(state.source, Prefix.of("127.0.0.0/8")),
            space.in(state.destination, Prefix.of("127.0.0.0/8")));
    int localnet =
        cameBy(d -> setting(d, "route_localnet", 0) != 0 || settingOfAll("route_localnet", 0) != 0);
    int wrong = bdd.or(bdd.or(zero, zeroDestination), bdd.difference(loopback, localnet));
    return bdd.or(source, bdd.difference(wrong, bdd.or(broadcast, group)));
  }

  /**
   * fib_validate_source: sources that this host itself has, and, where rp_filter is on, sources
   * whose way back is another. Decrypted packets are spared the second.
   */
  private int wrongSource(State state, State through, int local, int toEverybody, int forward) {
    int packets = bdd.or(local, forward);
    if (packets == FALSE) {
      return FALSE;
    }
    // Broadcasts from the zero network, which is how DHCP begins, are not looked at; nor are
    // groups.
    int group = space.in(state.destination, RoutingModel.multicast(family));
    int spared = bdd.or(group, space.in(state.source, Prefix.of("0.0.0.0/8")));
    int valid =
        cameBy(
            d -> Math.max(setting(d, "src_valid_mark", 0), settingOfAll("src_valid_mark", 0)) != 0);
    Field mark = Field.constant(32, 0).assign(bdd, valid, state.mark);
    int loopback = Math.max(space.devices().indexOf("lo"), 0);
    Field iif = Field.constant(space.iif.length, loopback).assign(bdd, forward, through.oif);
    // Newer kernels look the way back up with the ports turned round too (seen: 6.18), older ones
    // with those of the packet.
    int turned =
        routing.asksForPorts()
            ? space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "rp_filter turns the ports round", "route"))
            : FALSE;
    // ip_route_input_slow: for what goes to everybody the way back has no source.
    Field from =
        state.destination.assign(bdd, toEverybody, space.addresses().bits(Address.of("0.0.0.0")));
    RoutingModel.Routes back =
        routing.lookUp(
            new RoutingModel.Query(
                /* destination= */ state.source,
                /* source= */ from,
                mark,
                iif,
                state.destinationPort.where(bdd, turned, state.sourcePort),
                state.sourcePort.where(bdd, turned, state.destinationPort)),
            packets);
    int own = FALSE;
    int nobody = FALSE;
    int any = FALSE;
    int same = FALSE;
    for (Map.Entry<RouteKind, Integer> taken : back.taken().entrySet()) {
      switch (taken.getKey()) {
        case RouteKind.Local to -> {
          own = bdd.or(own, taken.getValue());
          same = bdd.or(same, bdd.and(taken.getValue(), space.arrivesOn(to.device())));
        }
        case RouteKind.Broadcast to -> nobody = bdd.or(nobody, taken.getValue());
        case RouteKind.Anycast to -> nobody = bdd.or(nobody, taken.getValue());
        case RouteKind.Via via -> {
          any = bdd.or(any, taken.getValue());
          for (String device : via.devices()) {
            same = bdd.or(same, bdd.and(taken.getValue(), space.arrivesOn(device)));
          }
        }
        default -> {}
      }
    }
    int accepts = cameBy(d -> either(d, "accept_local", 0));
    int plain = space.inClear();
    int strict = bdd.and(plain, cameBy(d -> rpFilter(d) == 1));
    int loose = bdd.and(plain, cameBy(d -> rpFilter(d) == 2));
    // fib_validate_source looks the way back up where the filter is on, where other rules than the
    // kernel's own stand, and where it might send a redirect; elsewhere own addresses do.
    int redirects = cameBy(d -> either(d, "send_redirects", 1));
    int looked =
        bdd.or(bdd.or(strict, loose), bdd.and(redirects, bdd.and(forward, hairpin(through))));
    if (!routing.hasOnlyTheKernelsRules()) {
      looked = bdd.or(looked, bdd.not(accepts));
    }
    // Where nobody looks, only the addresses themselves are own (inet_lookup_ifaddr_rcu).
    IntervalSet unassigned =
        IntervalSet.union(
            List.of(
                IntervalSet.Interval.of(Address.of("127.0.0.0"), Address.of("127.0.0.0")),
                IntervalSet.Interval.of(Address.of("127.0.0.2"), Address.of("127.255.255.255"))));
    int passes = bdd.difference(state.source.in(bdd, space.addresses().of(unassigned)), looked);
    int wrong = bdd.difference(own, bdd.or(accepts, passes));
    wrong = bdd.or(wrong, bdd.and(looked, nobody));
    wrong = bdd.or(wrong, bdd.difference(strict, same));
    wrong = bdd.or(wrong, bdd.difference(loose, bdd.or(any, own)));
    return bdd.difference(bdd.and(packets, wrong), spared);
  }

  /** What leaves by the device that it came by. */
  private int hairpin(State through) {
    int all = FALSE;
    for (String device : space.devices()) {
      all = bdd.or(all, bdd.and(space.arrivesOn(device), through.oif.in(bdd, index(device))));
    }
    return all;
  }

  private boolean either(String device, String name, int otherwise) {
    return setting(device, name, otherwise) != 0 || settingOfAll(name, otherwise) != 0;
  }

  private int rpFilter(String device) {
    return Math.max(setting(device, "rp_filter", 0), settingOfAll("rp_filter", 0));
  }

  // ---- towards this host
  // --------------------------------------------------------------------------------------------------------------

  private void deliver(State state, int packets, Journey journey) {
    // ESP and AH have no_policy. IKE's sockets have a bypass of their own, for what comes in clear:
    // what a tunnel brought is no match for it (secpath_has_nontransport).
    int spared = bdd.or(space.protocol(50), space.protocol(51));
    IntervalSet ike =
        IntervalSet.union(
            List.of(IntervalSet.Interval.of(500, 500), IntervalSet.Interval.of(4500, 4500)));
    int toIke = bdd.and(space.protocol(17), state.destinationPort.in(bdd, ike));
    spared = bdd.or(spared, bdd.difference(toIke, tunnelled()));
    int passed = checked(Direction.IN, state, bdd.difference(packets, spared), journey);
    journey.deliver(bdd.or(passed, bdd.and(packets, spared)), state);
  }

  /** What an SA in tunnel mode has decrypted. */
  private int tunnelled() {
    int tunnelled = bdd.difference(bdd.not(space.inClear()), space.throughAnotherInTransportMode());
    for (HostState.Tunnel tunnel : host.tunnels()) {
      if (!tunnel.tunnelMode()) {
        tunnelled = bdd.difference(tunnelled, space.through(tunnel.name()));
      }
    }
    return tunnelled;
  }

  /** nf_nat_decode_session: policies for what came are asked with the addresses from before NAT. */
  private State asItCame(State state) {
    State came = new State(state);
    came.source = state.trackedSource.where(bdd, state.sourceChanged, state.source);
    came.sourcePort = state.trackedSourcePort.where(bdd, state.sourceChanged, state.sourcePort);
    came.destination =
        state.trackedDestination.where(bdd, state.destinationChanged, state.destination);
    came.destinationPort =
        state.trackedDestinationPort.where(bdd, state.destinationChanged, state.destinationPort);
    return came;
  }

  /**
   * __xfrm_policy_check: what came must have come as its policy wants, and what came through a
   * tunnel must have a policy.
   */
  private int checked(Direction direction, State state, int arrived, Journey journey) {
    int spared = bdd.and(arrived, cameBy(d -> either(d, "disable_policy", 0)));
    int packets = bdd.difference(arrived, spared);
    if (packets == FALSE) {
      return spared;
    }
    String name = direction == Direction.IN ? "xfrm in" : "xfrm fwd";
    State came = asItCame(state);
    SpdModel.Result result = spd.lookUp(direction, came, packets, name);
    List<Decision> decisions = new ArrayList<>();
    int tunnelled = tunnelled();
    int noPolicy = bdd.and(result.none(), tunnelled);
    decide(decisions, "XfrmInNoPols", Effect.DROPPED, bdd.or(noPolicy, result.byDefault()));
    int blocked = bdd.difference(result.blocked(), result.byDefault());
    result
        .deciders()
        .forEach((run, set) -> {
          if (run.action() == HostState.PolicyAction.BLOCK) {
            decisions.add(new Decision(run.decider(), Effect.DROPPED, bdd.and(set, blocked)));
          }
        });
    int throughOwn = FALSE;
    for (int i = 0; i < space.secpath.length; i++) {
      // Whether the number of the tunnel that it came through is that of the policy's, bit by bit.
      int differs = bdd.xor(space.secpath[i], result.tunnel().cases().getFirst().bits()[i]);
      throughOwn = i == 0 ? bdd.not(differs) : bdd.difference(throughOwn, differs);
    }
    throughOwn = bdd.difference(throughOwn, space.throughAnotherOfItsClass());
    int mismatch = bdd.difference(result.asked(), throughOwn);
    mismatch = bdd.or(mismatch, bdd.and(result.bypassed(), tunnelled));
    decide(decisions, "XfrmInTmplMismatch", Effect.DROPPED, mismatch);
    int passed = bdd.difference(packets, bdd.or(bdd.or(noPolicy, result.blocked()), mismatch));
    decide(decisions, "as the policies want", Effect.ACCEPTED, passed);
    journey.add(new Hop(name, packets, decisions), came, result.deciders().keySet());
    return bdd.or(passed, spared);
  }

  // ---- through and out
  // ----------------------------------------------------------------------------------------------------------------

  private void forward(State state, int packets, Journey journey) {
    int alive = checked(Direction.FWD, state, packets, journey);
    alive = secure(state, alive, alive, "xfrm out", journey);
    alive = hooks(Hook.FORWARD, state, alive, journey);
    leave(state, alive, journey);
  }

  private void leave(State state, int packets, Journey journey) {
    int alive = hooks(Hook.POSTROUTING, state, packets, journey);
    alive = hooks(Hook.EGRESS, state, alive, journey);
    journey.leave(alive, state);
  }

  /**
   * The look-up of policies on the way out (xfrm_lookup), for those of the packets that are to be
   * looked at; their bundle is the new one afterwards. Returns what of all packets goes on.
   */
  private int secure(State state, int packets, int asked, String name, Journey journey) {
    int looked = bdd.difference(asked, withoutXfrm(state));
    if (looked == FALSE) {
      return packets;
    }
    int byLoopback = state.oif.in(bdd, index("lo"));
    SpdModel.Result result = spd.lookUp(Direction.OUT, state, looked, name);
    List<Decision> decisions = new ArrayList<>();
    // xfrm_lookup_with_ifid: the default is not for the loopback device.
    int byDefault = bdd.difference(result.byDefault(), byLoopback);
    decide(decisions, "XfrmOutPolBlock, by default", Effect.DROPPED, byDefault);
    result
        .deciders()
        .forEach((run, set) -> {
          int stopped =
              run.action() == HostState.PolicyAction.BLOCK ? set : bdd.and(set, result.withoutSa());
          if (stopped != FALSE) {
            decisions.add(new Decision(run.decider(), Effect.DROPPED, stopped));
          }
          int goesOn = bdd.difference(set, stopped);
          if (goesOn != FALSE) {
            decisions.add(new Decision(run.decider(), Effect.ROUTED, goesOn));
          }
        });
    int blocked = bdd.or(bdd.difference(result.blocked(), result.byDefault()), byDefault);
    int stopped = bdd.or(blocked, result.withoutSa());
    int bundled = bdd.difference(result.asked(), result.withoutSa());
    state.bundled = bdd.or(bdd.difference(state.bundled, looked), bundled);
    state.bundle = state.bundle.assign(bdd, looked, result.tunnel());
    state.bundleDestination = state.bundleDestination.assign(bdd, looked, state.destination);
    decide(decisions, "in clear", Effect.ROUTED, bdd.difference(looked, bdd.or(stopped, bundled)));
    journey.add(new Hop(name, looked, decisions), new State(state), result.deciders().keySet());
    return bdd.difference(packets, stopped);
  }

  /** What leaves by a device whose IPv4 routes have DST_NOXFRM; the loopback device's have. */
  private int withoutXfrm(State state) {
    int all = FALSE;
    if (family == Family.V4) {
      for (String device : space.devices()) {
        // With a default of blocking, they meet that one.
        boolean spared =
            either(device, "disable_xfrm", 0) && !host.blockedByDefault().contains(Direction.OUT);
        if (spared || device.equals("lo")) {
          all = bdd.or(all, state.oif.in(bdd, index(device)));
        }
      }
    }
    return all;
  }

  private int routeOut(State state, int packets, List<Decision> decisions) {
    int loopback = Math.max(space.devices().indexOf("lo"), 0);
    RoutingModel.Routes routes =
        routing.lookUp(query(state, Field.constant(space.iif.length, loopback)), packets);
    int routed = FALSE;
    for (Map.Entry<RouteKind, Integer> taken : routes.taken().entrySet()) {
      switch (taken.getKey()) {
        case RouteKind.Via via -> {
          goesBy(state, via, taken.getValue());
          routed = bdd.or(routed, taken.getValue());
        }
        case RouteKind.Local to -> {
          goesBy(state, new RouteKind.Via(List.of("lo")), taken.getValue());
          routed = bdd.or(routed, taken.getValue());
        }
        case RouteKind.Anycast to -> {
          goesBy(state, new RouteKind.Via(List.of("lo")), taken.getValue());
          routed = bdd.or(routed, taken.getValue());
        }
        case RouteKind.Broadcast to -> {
          goesBy(state, new RouteKind.Via(List.of(to.device())), taken.getValue());
          routed = bdd.or(routed, taken.getValue());
        }
        case RouteKind.Refuse refuse ->
            decide(decisions, "route: " + refuse.how(), Effect.DROPPED, taken.getValue());
        case RouteKind.Throw nothing -> {}
      }
    }
    decide(decisions, "no route", Effect.DROPPED, routes.unreachable());
    for (String device : space.devices()) {
      decide(
          decisions,
          "by " + device,
          Effect.ROUTED,
          bdd.and(routed, state.oif.in(bdd, index(device))));
    }
    state.routed = bdd.or(bdd.difference(state.routed, packets), routed);
    return routed;
  }

  /**
   * ip_route_me_harder: route and policies once more for locally made packets that a hook changed.
   */
  private int routeAgain(State state, int packets, int changed, Journey journey) {
    if (changed == FALSE) {
      return packets;
    }
    List<Decision> decisions = new ArrayList<>();
    int routed = routeOut(state, changed, decisions);
    journey.add(new Hop("route again", changed, decisions));
    int alive = bdd.or(bdd.difference(packets, changed), routed);
    return secure(state, alive, routed, "xfrm out again", journey);
  }
}
