package io.gatehouse.config;

import io.gatehouse.model.Esp;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Reads `tunnels:`. */
final class Tunnels {
  /** One proxy neighbour for each address, and the kernel hashes them into 16 buckets. */
  private static final long PROXY_LIMIT = 1024;

  /** The IKE daemon gives out neither the first nor the last address. */
  private static final long SMALLEST_POOL = 4;

  private static final Pattern HOST_NAME =
      Pattern.compile(
          "(?=.{1,253}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){0,126}[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?");

  private static final List<Located<Peer>> NO_PEERS = List.of();

  private final Problems problems;
  private final Values values;
  private final Services services;
  private final Places places;
  private final Overlaps overlaps;
  private final Names<Interface> interfaces;
  private final ClientTunnels clients;
  private final List<Interface> outside;

  /** Families of each network and tunnel, for what they can say to each other. */
  private final Map<String, Set<Family>> families = new HashMap<>();

  /** The tunnel that has an IKE connection and child. */
  private final Map<Tunnel.Ike, Spot> connections = new HashMap<>();

  Tunnels(
      Problems problems,
      Values values,
      Services services,
      Places places,
      Overlaps overlaps,
      Names<Interface> interfaces,
      List<Interface> known) {
    this.problems = problems;
    this.values = values;
    this.services = services;
    this.places = places;
    this.overlaps = overlaps;
    this.interfaces = interfaces;
    this.clients = new ClientTunnels(problems, values, services, places, overlaps);
    this.outside = known.stream().filter(Interface::isOutside).toList();
  }

  /** What all types have in common. */
  record Common(
      String name,
      List<Interface> on,
      List<Located<Peer>> peers,
      Optional<Tunnel.Ike> ike,
      Esp esp,
      Mss mss,
      List<Located<Service>> services,
      Origin origin) {}

  List<Tunnel> read(Fields top) {
    List<Tunnel> understood = new ArrayList<>();
    Map<String, Section> sections = Language.tunnels();
    for (Node.Entry entry : top.named("tunnels")) {
      Section section = sections.get(Binder.type(entry));
      if (section == null || entry.key().text().equals(Places.INTERNET)) {
        continue; // told before
      }
      Fields fields = new Fields(section, entry.value(), entry.key().spot());
      Common common = common(fields);
      switch (fields.word("type").orElse("")) {
        case "remote-access" -> remoteAccess(fields, common).ifPresent(understood::add);
        case "site-to-site" -> siteToSite(fields, common).ifPresent(understood::add);
        case "client" -> clients.read(fields, common).ifPresent(understood::add);
        default -> l2tp(common).ifPresent(understood::add);
      }
    }
    reaches.forEach(this::speaks);
    return understood;
  }

  /** Whom the clients of a pool may speak to. */
  private record PoolReach(Spot spot, Prefix pool, Set<Place> places) {}

  private final List<PoolReach> reaches = new ArrayList<>();

  /** Clients that can speak to nobody in their address's family: not wrong, but hardly meant. */
  private void speaks(PoolReach reach) {
    Family family = reach.pool.family();
    for (Place place : reach.places) {
      Set<Family> there = families(place);
      if (there.isEmpty() || there.contains(family)) {
        return;
      }
    }
    problems.warning(
        reach.spot,
        "nothing that clients of "
            + reach.pool
            + " may reach has "
            + Hosts.family(family)
            + " addresses",
        "add a network of that family, or leave the pool out");
  }

  private Common common(Fields fields) {
    return new Common(
        fields.label().path().last(),
        on(fields),
        peers(fields),
        ike(fields),
        esp(fields),
        mss(fields),
        services.located(fields.texts("services")),
        fields.origin());
  }

  private List<Interface> on(Fields fields) {
    if (!fields.has("on")) {
      return outside;
    }
    List<Interface> on = new ArrayList<>();
    for (Node.Scalar name : fields.texts("on")) {
      interfaces
          .find(name)
          .ifPresent(i -> {
            if (!i.isOutside()) {
              problems.error(
                  name.spot(),
                  "interface `" + i.name() + "` is inside only, and tunnels come from outside",
                  "name an outside interface, or give that one `role: [inside, outside]`");
            }
            on.add(i);
          });
    }
    return on.stream().distinct().toList();
  }

  private List<Located<Peer>> peers(Fields fields) {
    if (fields.word("type").filter("client"::equals).isPresent()) {
      return server(fields);
    }
    boolean single = fields.word("type").filter("site-to-site"::equals).isPresent();
    String key = single && fields.has("peer") ? "peer" : "peers";
    if (!fields.has(key)) {
      if (single) {
        problems.error(
            fields.label(),
            "`peer` is missing in tunnel `" + fields.label().path().last() + "`",
            "its address, or `peer: any` where that changes");
        return NO_PEERS;
      }
      Origin origin =
          new Origin(
              fields.origin().file(),
              fields.origin().line(),
              fields.origin().column(),
              fields.origin().path() + ".peers");
      return List.of(new Located<>(new Peer.Anybody(), origin));
    }
    if (single && fields.has("peer") && fields.has("peers")) {
      problems.error(fields.spot("peers"), "both `peer` and `peers`", "write all into `peers`");
    }
    List<Located<Peer>> all = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts(key)) {
      peer(scalar).ifPresent(peer -> all.add(new Located<>(peer, scalar.spot().origin())));
    }
    if (all.size() > 1 && all.stream().anyMatch(p -> p.value() instanceof Peer.Anybody)) {
      problems.error(
          fields.spot(key),
          "`any` beside other peers: they would not count",
          "leave out one or the other");
    }
    return all;
  }

  private Optional<Peer> peer(Node.Scalar scalar) {
    String text = scalar.text();
    if (text.equals("any")) {
      return Optional.of(new Peer.Anybody());
    }
    // Letters tell a name from IPv4, colons IPv6 from a name.
    boolean name =
        text.indexOf(':') < 0
            && text.indexOf('/') < 0
            && text.length() < 254
            && text.chars().anyMatch(Character::isLetter)
            && HOST_NAME.matcher(text).matches();
    if (!name) {
      return values
          .source(scalar, "neither an address, a prefix nor a host's name")
          .map(prefix -> new Peer.At(prefix.value()));
    }
    Optional<String> near =
        text.indexOf('.') < 0 ? problems.didYouMean(text, List.of("any")) : Optional.empty();
    if (near.isPresent()) {
      problems.error(scalar.spot(), "peer " + Quote.of(text) + " is no host", near);
      return Optional.empty();
    }
    problems.warning(
        scalar.spot(),
        "peer "
            + Quote.of(text)
            + " is a name: no filter can rest on it, IKE is open to anybody there",
        "an address or a prefix closes it");
    return Optional.of(new Peer.Named(text));
  }

  private Optional<Tunnel.Ike> ike(Fields fields) {
    Optional<Fields> ike = fields.fields("ike");
    Optional<Tunnel.Ike> named =
        ike.flatMap(f -> f.word("connection").map(c -> new Tunnel.Ike(c, f.word("child"))));
    if (named.isPresent()) {
      Spot spot = ike.get().label();
      Optional<Spot> other =
          Optional.ofNullable(connections.get(named.get()))
              .or(() ->
                  Optional.ofNullable(
                      connections.get(new Tunnel.Ike(named.get().connection(), Optional.empty()))));
      other.ifPresent(o ->
          problems.error(
              spot,
              "another tunnel has the same IKE connection and child (" + o.seenFrom(spot) + ")",
              "nobody could tell their SAs apart: give each a `child` of its own"));
      connections.putIfAbsent(named.get(), spot);
      if (named.get().child().isEmpty()) {
        whole(named.get().connection(), spot);
      } else {
        parts.putIfAbsent(named.get().connection(), spot);
      }
    }
    return named;
  }

  /** Connections of which a tunnel takes single children. */
  private final Map<String, Spot> parts = new HashMap<>();

  private void whole(String connection, Spot spot) {
    Spot part = parts.get(connection);
    if (part != null) {
      problems.error(
          spot,
          "another tunnel has a child of the IKE connection `"
              + connection
              + "`, and this one has all of it ("
              + part.seenFrom(spot)
              + ")",
          "nobody could tell their SAs apart: name the `child` here too");
    }
  }

  private Esp esp(Fields fields) {
    Optional<Fields> esp = fields.fields("esp");
    List<Located<String>> proposals =
        esp.stream()
            .flatMap(e -> e.texts("proposals").stream())
            .map(s -> new Located<>(s.text(), s.spot().origin()))
            .toList();
    return new Esp(
        proposals,
        Esp.Encapsulation.valueOf(
            esp.flatMap(e -> e.word("encapsulation")).orElse("auto").toUpperCase(Locale.ROOT)));
  }

  private static Mss mss(Fields fields) {
    Optional<Long> bytes = fields.number("mss");
    if (bytes.isPresent()) {
      return new Mss.Fixed(bytes.get().intValue());
    }
    return fields.word("mss").filter("off"::equals).isPresent()
        ? new Mss.Unclamped()
        : new Mss.Reckoned();
  }

  private Optional<Tunnel> remoteAccess(Fields fields, Common common) {
    String name = common.name;
    Tunnel.Return wayBack =
        Tunnel.Return.valueOf(fields.word("return").orElse("routed").toUpperCase(Locale.ROOT));
    boolean proxy = wayBack == Tunnel.Return.PROXY;
    List<Located<Prefix>> pools = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("pools")) {
      values
          .prefix(scalar)
          .filter(pool -> poolFits(scalar, pool.value(), proxy))
          .ifPresent(pool -> {
            pools.add(pool);
            families
                .computeIfAbsent(name, n -> EnumSet.noneOf(Family.class))
                .add(pool.value().family());
            overlaps.pool(pool.value(), name, proxy, scalar.spot());
          });
    }
    // Copied once: groups without a reach of their own share it.
    List<Reach> reach = List.copyOf(places.reaches(fields.texts("reach")));
    Set<Place> reached = new HashSet<>();
    reach.forEach(r -> reached.add(r.place()));
    List<Tunnel.Group> groups = groups(fields, reach, List.copyOf(common.services), reached);
    boolean nothing =
        fields.items("reach").isEmpty()
            && fields.items("services").isEmpty()
            && fields.named("groups").isEmpty();
    if (nothing) {
      problems.error(
          fields.has("reach") ? fields.spot("reach") : fields.label(),
          "tunnel `" + name + "` reaches nothing: no `reach`, no `services`",
          "such as `reach: [office]`, or `internet` for everything");
    }
    if (!reached.isEmpty()) {
      for (Node.Scalar scalar : fields.texts("pools")) {
        Prefix.parse(scalar.text())
            .ifPresent(p -> reaches.add(new PoolReach(scalar.spot(), p, reached)));
      }
    }
    if (pools.isEmpty() || common.on.isEmpty() || common.peers.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Tunnel.RemoteAccess(
            name,
            common.on,
            common.peers,
            common.ike,
            common.esp,
            common.mss,
            pools,
            leased(fields, wayBack, pools),
            wayBack,
            reach,
            common.services,
            values.addresses(fields.texts("dns")),
            groups,
            common.origin));
  }

  /** Whether the LAN's DHCP server gives the addresses out. */
  private boolean leased(Fields fields, Tunnel.Return wayBack, List<Located<Prefix>> pools) {
    if (!fields.has("pool")) {
      return false;
    }
    if (wayBack != Tunnel.Return.PROXY) {
      problems.error(
          fields.has("return") ? fields.spot("return") : fields.spot("pool"),
          "addresses that the LAN's DHCP server leases lie in the LAN, whose hosts look for them"
              + " there",
          "write `return: proxy`, and as `pools` what of the LAN the server leases to clients");
    }
    for (Node.Scalar scalar : fields.texts("pools")) {
      boolean six =
          pools.stream()
              .anyMatch(pool ->
                  pool.origin().equals(scalar.spot().origin())
                      && pool.value().family() == Family.V6);
      if (six) {
        problems.error(
            scalar.spot(),
            "`pool: dhcp` leases IPv4 addresses only: strongSwan's plugin knows no DHCPv6",
            "leave it out, or give IPv6 a tunnel of its own");
      }
    }
    if (fields.has("dns")) {
      problems.error(
          fields.spot("dns"),
          "`dns` beside `pool: dhcp`: the DHCP server tells clients their name servers",
          "leave it out, and write it there");
    }
    return true;
  }

  private boolean poolFits(Node.Scalar scalar, Prefix pool, boolean proxy) {
    if (pool.isAll()) {
      problems.error(scalar.spot(), pool + " is everything, not a pool", "such as 10.0.3.0/24");
      return false;
    }
    long size = pool.size().orElse(Long.MAX_VALUE);
    if (size < SMALLEST_POOL) {
      int length = pool.family().bits() - 2;
      problems.error(
          scalar.spot(),
          "pool " + pool + " is too small: the first and the last address are given to nobody",
          "/" + length + " is the smallest");
      return false;
    }
    if (proxy && size > PROXY_LIMIT) {
      int length = pool.family().bits() - 10;
      problems.error(
          scalar.spot(),
          "pool " + pool + " is too large for `return: proxy`: this host answers for each address",
          PROXY_LIMIT + " at most: /" + length + " or longer; or write `return: routed`");
    }
    return true;
  }

  /** Families of a place; empty where they are not known or both. */
  private Set<Family> families(Place place) {
    return switch (place) {
      case Network network -> {
        Set<Family> found = EnumSet.noneOf(Family.class);
        network.prefixes().forEach(p -> found.add(p.value().family()));
        yield found;
      }
      case Place.OfTunnel of -> families.getOrDefault(of.name(), Set.of());
      case Place.Internet internet -> Set.of();
    };
  }

  private List<Tunnel.Group> groups(
      Fields fields, List<Reach> reach, List<Located<Service>> offered, Set<Place> reached) {
    List<Tunnel.Group> understood = new ArrayList<>();
    Map<Tunnel.Match, Spot> taken = new HashMap<>();
    for (Fields group : fields.namedFields("groups")) {
      Optional<Tunnel.Match> match = group.fields("match").flatMap(m -> match(group, m));
      match.ifPresent(m -> {
        Spot other = taken.putIfAbsent(m, group.label());
        if (other != null) {
          problems.error(
              group.spot("match"),
              "group `"
                  + other.path().last()
                  + "` has the same match ("
                  + other.seenFrom(group.label())
                  + ")",
              "one identity can be in one group only");
        }
      });
      // What a group does not say is the tunnel's; an empty list says that there is nothing.
      List<Reach> own = group.has("reach") ? places.reaches(group.texts("reach")) : reach;
      if (group.has("reach")) {
        own.forEach(r -> reached.add(r.place()));
      }
      List<Located<Service>> services =
          group.has("services") ? this.services.located(group.texts("services")) : offered;
      match.ifPresent(m ->
          understood.add(
              new Tunnel.Group(group.label().path().last(), m, own, services, group.origin())));
    }
    return understood;
  }

  private Optional<Tunnel.Match> match(Fields group, Fields match) {
    List<Tunnel.Match> all = new ArrayList<>();
    int given = 0;
    for (Tunnel.Match.Kind kind : Tunnel.Match.Kind.values()) {
      String key = kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
      given += match.has(key) ? 1 : 0;
      match.word(key).ifPresent(pattern -> all.add(new Tunnel.Match(kind, pattern)));
    }
    if (given != 1) {
      problems.error(
          group.spot("match"),
          "group `"
              + group.label().path().last()
              + "` "
              + (given == 0 ? "matches no identity" : "matches more than one kind of identity"),
          "one of `ike-id`, `eap-id`, `xauth-id`");
      return Optional.empty();
    }
    return all.stream().findFirst();
  }

  private Optional<Tunnel> siteToSite(Fields fields, Common common) {
    List<Network> local = new ArrayList<>();
    List<Reach> reach = new ArrayList<>(places.reaches(fields.texts("reach")));
    for (Node.Scalar scalar : fields.texts("local")) {
      for (Network network : places.networks(List.of(scalar), "`local` is a network of ours")) {
        local.add(network);
        if (!fields.has("reach")) {
          reach.add(new Reach(network, List.of(), scalar.spot().origin()));
        }
      }
    }
    List<Located<Prefix>> remote = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("remote")) {
      values.prefix(scalar).ifPresent(prefix -> remote(scalar, prefix, common.name, remote));
    }
    if (fields.has("reach")) {
      carried(fields, common.name, local);
    }
    List<Tunnel.Image> images = new Images(problems, values, overlaps).read(fields, local, reach);
    List<Service> outbound = services.all(fields.texts("outbound"));
    if (local.isEmpty()
        || remote.isEmpty()
        || common.on.isEmpty()
        || common.peers.isEmpty()
        || (fields.has("outbound") && outbound.isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new Tunnel.SiteToSite(
            common.name,
            common.on,
            common.peers,
            common.ike,
            common.esp,
            common.mss,
            local,
            images,
            remote,
            reach,
            outbound,
            common.services,
            common.origin));
  }

  /** What is not in the selectors does not come through. */
  private void carried(Fields fields, String tunnel, List<Network> local) {
    Set<String> names = local.stream().map(Network::name).collect(Collectors.toSet());
    for (Node.Scalar scalar : fields.texts("reach")) {
      int slash = scalar.text().indexOf('/');
      String place = slash < 0 ? scalar.text() : scalar.text().substring(0, slash);
      if (places.isNetwork(place) && !names.contains(place)) {
        problems.warning(
            scalar.spot(),
            "network `"
                + place
                + "` is not `local` in tunnel `"
                + tunnel
                + "`, which will not carry it",
            "add it to `local:` on both ends");
      }
    }
  }

  private void remote(
      Node.Scalar scalar, Located<Prefix> prefix, String name, List<Located<Prefix>> remote) {
    if (prefix.value().isAll()) {
      problems.error(
          scalar.spot(),
          prefix.value()
              + " as a remote network is not there yet: this host cannot send all of its traffic into a tunnel",
          "name the networks there");
      return;
    }
    remote.add(prefix);
    families.computeIfAbsent(name, n -> EnumSet.noneOf(Family.class)).add(prefix.value().family());
    overlaps.site(prefix.value(), name, scalar.spot());
  }

  private List<Located<Peer>> server(Fields fields) {
    List<Located<Peer>> all = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("server")) {
      Optional<Peer> peer = peer(scalar);
      boolean nowhere =
          peer.filter(p -> p instanceof Peer.Anybody || (p instanceof Peer.At at && !isHost(at)))
              .isPresent();
      if (nowhere) {
        problems.error(
            scalar.spot(),
            "server " + Quote.of(scalar.text()) + " is nobody whom this host could call",
            "its address, or its name");
      } else {
        peer.ifPresent(p -> all.add(new Located<>(p, scalar.spot().origin())));
      }
    }
    return all;
  }

  private static boolean isHost(Peer.At at) {
    return at.prefix().length() == at.prefix().family().bits();
  }

  /** Where tunnels are told to take everything. */
  Map<String, Spot> everythings() {
    return clients.everythings();
  }

  private Optional<Tunnel> l2tp(Common common) {
    return common.on.isEmpty() || common.peers.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Tunnel.L2tp(
                common.name,
                common.on,
                common.peers,
                common.ike,
                common.esp,
                common.mss,
                common.services,
                common.origin));
  }
}
