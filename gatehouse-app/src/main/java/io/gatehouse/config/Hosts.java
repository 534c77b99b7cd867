package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Reads `host:`. */
final class Hosts {
  private static final int RATE = 10;

  /** Flows, and port forwards: each costs a rule or an element. */
  private static final int LIMIT = 4096;

  /** The default of nft's `limit rate`. */
  private static final int BURST = 5;

  private static final PortRange ISAKMP = PortRange.of(500);
  private static final PortRange NAT_T = PortRange.of(4500);

  private final Problems problems;
  private final Values values;
  private final Services services;
  private final Places places;
  private final Names<Interface> interfaceNames;
  private final List<Interface> interfaces;

  /** The networks' prefixes by their first address; they do not overlap. */
  private final TreeMap<Address, Prefix> networks = new TreeMap<>();

  /** The local networks of each site-to-site tunnel. */
  private final Map<String, Set<String>> locals = new HashMap<>();

  /** What this host itself offers to the world, on every outside interface. */
  private final List<Taken> toWorld = new ArrayList<>();

  /** Interfaces that tunnels use. */
  private final Set<String> tunnelled = new HashSet<>();

  Hosts(
      Problems problems,
      Values values,
      Services services,
      Places places,
      Names<Interface> interfaceNames,
      List<Interface> interfaces,
      List<Network> networks,
      List<Tunnel> tunnels) {
    this.problems = problems;
    this.values = values;
    this.services = services;
    this.places = places;
    this.interfaceNames = interfaceNames;
    this.interfaces = interfaces;
    for (Network network : networks) {
      network.prefixes().forEach(p -> this.networks.put(p.value().first(), p.value()));
    }
    for (Tunnel tunnel : tunnels) {
      tunnel.on().forEach(i -> tunnelled.add(i.name()));
      if (tunnel instanceof Tunnel.SiteToSite site) {
        locals.put(
            site.name(), site.local().stream().map(Network::name).collect(Collectors.toSet()));
      }
    }
  }

  /** The host; closed, with nothing offered, where the description has none. */
  Host read(Fields top) {
    Optional<Fields> given = top.fields("host");
    if (given.isEmpty()) {
      return new Host(
          true,
          false,
          Host.Forward.OURS,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          Host.Ping.INSIDE,
          Optional.empty(),
          Origin.builtIn("a host that the description does not mention is closed"));
    }
    Fields host = given.get();
    boolean outputClosed = host.word("output").filter("closed"::equals).isPresent();
    if (host.has("outgoing") && !outputClosed) {
      problems.warning(
          host.spot("outgoing"),
          "`outgoing` changes nothing: this host may begin everything",
          "`output: closed` makes it count");
    }
    List<Host.Offer> offers = new ArrayList<>();
    host.several("admin").forEach(admin -> offers(admin, true, offers));
    host.several("services").forEach(offer -> offers(offer, false, offers));
    return new Host(
        host.word("input").filter("open"::equals).isEmpty(),
        outputClosed,
        host.word("forward").filter("all"::equals).isPresent()
            ? Host.Forward.ALL
            : Host.Forward.OURS,
        offers,
        services.located(host.texts("outgoing")),
        internet(host),
        flows(host),
        portForwards(host),
        switch (host.word("ping").orElse("inside")) {
          case "nobody" -> Host.Ping.NOBODY;
          case "anybody" -> Host.Ping.ANYBODY;
          default -> Host.Ping.INSIDE;
        },
        host.fields("log").flatMap(this::log),
        host.origin());
  }

  private void offers(Fields fields, boolean admin, List<Host.Offer> offers) {
    List<Service> offered =
        admin && !fields.has("services")
            ? services.resolve("ssh")
            : services.all(fields.texts("services"));
    for (Node.Scalar from : fields.texts("from")) {
      if (places.isTunnel(from.text())) {
        problems.error(
            from.spot(),
            "`" + from.text() + "` is a tunnel, and here stands what needs none",
            "write it there: `services:` of tunnel `" + from.text() + "`");
        continue;
      }
      Optional<Place> place = places.place(from, from.text());
      if (place.isPresent() && !offered.isEmpty()) {
        offers.add(new Host.Offer(place.get(), offered, admin, from.spot().origin()));
        if (place.get() instanceof Place.Internet) {
          offered.forEach(service -> toWorld.add(new Taken(service, from.spot())));
        }
      }
    }
  }

  private List<Host.InternetAccess> internet(Fields host) {
    List<Host.InternetAccess> all = new ArrayList<>();
    String hint = "for a tunnel, add `internet` to its `reach`";
    for (Node.Scalar name : host.texts("internet")) {
      for (Network network : places.networks(List.of(name), hint)) {
        all.add(
            new Host.InternetAccess(
                network, new Host.SourceNat.Masquerade(), List.of(), name.spot().origin()));
      }
    }
    for (Fields access : host.several("internet")) {
      List<Network> from = places.networks(access.texts("from"), hint);
      Optional<Host.SourceNat> nat = sourceNat(access, from);
      List<Service> allowed = services.all(access.texts("services"));
      boolean wrong = nat.isEmpty() || (access.has("services") && allowed.isEmpty());
      if (!wrong) {
        from.forEach(n -> all.add(new Host.InternetAccess(n, nat.get(), allowed, access.origin())));
      }
    }
    return all;
  }

  private Optional<Host.SourceNat> sourceNat(Fields access, List<Network> from) {
    Optional<Node.Scalar> given = access.text("snat");
    switch (given.map(Node.Scalar::text).orElse("masquerade")) {
      case "masquerade" -> {
        return Optional.of(new Host.SourceNat.Masquerade());
      }
      case "none" -> {
        return Optional.of(new Host.SourceNat.None());
      }
      default -> {}
    }
    Node.Scalar text = given.orElseThrow();
    if (Address.parse(text.text()).isEmpty()) {
      problems.error(
          text.spot(),
          "`snat` cannot be " + Quote.of(text.text()),
          problems
              .didYouMean(text.text(), List.of("masquerade", "none"))
              .or(() -> Optional.of("it takes `masquerade`, `none` or an address of this host")));
      return Optional.empty();
    }
    Optional<Located<Address>> address = values.address(text);
    address.ifPresent(a -> snatFits(text, a.value(), from));
    return address.map(Host.SourceNat.Fixed::new);
  }

  private void snatFits(Node.Scalar text, Address address, List<Network> from) {
    for (Network network : from) {
      boolean fits =
          network.prefixes().stream().anyMatch(p -> p.value().family() == address.family());
      if (!fits) {
        problems.error(
            text.spot(),
            address
                + " is "
                + family(address.family())
                + ", and network `"
                + network.name()
                + "` has none of that family",
            "write an address of the network's family, or `masquerade`");
        return;
      }
    }
    boolean fixed =
        interfaces.stream().filter(Interface::isOutside).allMatch(i -> i.isFixed(address.family()));
    boolean ours =
        interfaces.stream()
            .filter(Interface::isOutside)
            .flatMap(i -> i.addresses().stream())
            .anyMatch(a -> a.value().link().contains(address));
    if (fixed && !ours) {
      problems.warning(
          text.spot(),
          address + " is on no link of an outside interface",
          "answers come back only if somebody routes it here");
    }
  }

  static String family(Family family) {
    return family == Family.V4 ? "IPv4" : "IPv6";
  }

  private List<Host.Flow> flows(Fields host) {
    List<Host.Flow> all = new ArrayList<>();
    for (Fields flow : host.several("flows")) {
      List<Reach> to = places.reaches(flow.texts("to"));
      List<Located<Prefix>> sources = narrowed(flow, "source");
      List<Located<Prefix>> destinations = narrowed(flow, "destination");
      boolean wrong =
          sources.size() < flow.items("source").size()
              || destinations.size() < flow.items("destination").size();
      if (all.size() + (long) to.size() * flow.items("from").size() > LIMIT) {
        problems.error(flow.label(), "more than " + LIMIT + " flows");
        break;
      }
      for (Node.Scalar from : flow.texts("from")) {
        if (places.isTunnel(from.text())) {
          problems.error(
              from.spot(),
              "`" + from.text() + "` is a tunnel, and here stands what needs none",
              "write it there: `reach:` of tunnel `" + from.text() + "`");
          continue;
        }
        places
            .place(from, from.text())
            .ifPresent(place ->
                to.forEach(reach -> {
                  flow(from, place, reach);
                  lies(flow, "source", sources, place);
                  lies(flow, "destination", destinations, reach.place());
                  // Empty would mean everybody: what was told to be wrong must not become that.
                  if (!wrong) {
                    all.add(new Host.Flow(place, reach, values(sources), values(destinations)));
                  }
                }));
      }
    }
    return all;
  }

  private List<Located<Prefix>> narrowed(Fields flow, String key) {
    return flow.texts(key).stream()
        .flatMap(text -> values.source(text, "neither an address nor a prefix").stream())
        .toList();
  }

  private static List<Prefix> values(List<Located<Prefix>> located) {
    return located.stream().map(Located::value).toList();
  }

  /** Some addresses of a place are in it. */
  private void lies(Fields flow, String key, List<Located<Prefix>> some, Place place) {
    switch (place) {
      case Network network -> {
        for (Located<Prefix> one : some) {
          if (network.prefixes().stream().noneMatch(p -> p.value().contains(one.value()))) {
            problems.error(
                flow.spot(key),
                one.value() + " is not in network `" + network.name() + "`",
                "name addresses of that network, or leave `" + key + "` out");
          }
        }
      }
      case Place.OfTunnel of -> {
        if (!some.isEmpty()) {
          problems.error(
              flow.spot(key),
              "`" + key + "` beside tunnel `" + of.name() + "` is not there yet",
              "a tunnel of its own has `remote` as you want it");
        }
      }
      case Place.Internet internet -> {}
    }
  }

  private void flow(Node.Scalar from, Place place, Reach reach) {
    if (place instanceof Place.Internet && reach.place() instanceof Place.Internet) {
      problems.error(
          from.spot(), "a flow from the internet to the internet", "name a network on one side");
    }
    if (place instanceof Network network && reach.place() instanceof Place.OfTunnel of) {
      Set<String> local = locals.getOrDefault(of.name(), Set.of(network.name()));
      if (!local.contains(network.name())) {
        problems.warning(
            from.spot(),
            "network `"
                + network.name()
                + "` is not `local` in tunnel `"
                + of.name()
                + "`, which will not carry it",
            "add it to `local:` on both ends");
      }
    }
  }

  /** Ports that lead somewhere already, to see clashes. */
  private record Taken(Service service, Spot spot) {}

  private List<Host.PortForward> portForwards(Fields host) {
    List<Host.PortForward> all = new ArrayList<>();
    Map<String, List<Taken>> taken = new HashMap<>();
    for (Fields fields : host.several("port-forwards")) {
      List<Interface> on = outside(fields);
      Optional<Located<Address>> to = fields.text("to").flatMap(values::address);
      to.ifPresent(address -> inside(fields, address.value()));
      List<Prefix> from = values.sources(fields.texts("from"));
      boolean fromWrong = from.size() < fields.items("from").size();
      Optional<Integer> port = fields.number("port").map(Long::intValue);
      for (Service service : fields.text("service").map(services::one).orElse(List.of())) {
        Spot spot = fields.text("service").orElseThrow().spot();
        if (port.isPresent() && service.ports().filter(PortRange::isSingle).isEmpty()) {
          problems.error(
              fields.spot("port"),
              "`port` needs a single port to change, and the service is " + service,
              "leave `port` out, or forward one port");
        }
        if (all.size() + on.size() > LIMIT) {
          problems.error(spot, "more than " + LIMIT + " port forwards");
          return all;
        }
        for (Interface i : on) {
          clash(taken, i, service, from.isEmpty(), spot);
          if (to.isPresent() && !fromWrong) {
            all.add(new Host.PortForward(i, service, to.get(), port, from, fields.origin()));
          }
        }
      }
    }
    return all;
  }

  private List<Interface> outside(Fields fields) {
    if (!fields.has("on")) {
      return interfaces.stream().filter(Interface::isOutside).toList();
    }
    List<Interface> on = new ArrayList<>();
    for (Node.Scalar name : fields.texts("on")) {
      interfaceNames
          .find(name)
          .ifPresent(i -> {
            if (!i.isOutside()) {
              problems.error(
                  name.spot(),
                  "interface `" + i.name() + "` is inside: a port forward begins outside",
                  "between networks, `host.flows` says who reaches whom");
            }
            on.add(i);
          });
    }
    return on.stream().distinct().toList();
  }

  private void inside(Fields fields, Address to) {
    Spot spot = fields.text("to").orElseThrow().spot();
    boolean own =
        interfaces.stream()
            .flatMap(i -> i.addresses().stream())
            .anyMatch(a -> a.value().address().equals(to));
    if (own) {
      problems.error(
          spot,
          to + " is this host itself",
          "what it offers to the world: `host.services` from `internet`");
    } else if (Optional.ofNullable(networks.floorEntry(to))
        .filter(e -> e.getValue().contains(to))
        .isEmpty()) {
      problems.error(
          spot,
          to + " is in no network of this description",
          "describe its network under `networks:`");
    }
  }

  private void clash(
      Map<String, List<Taken>> taken, Interface on, Service service, boolean anybody, Spot spot) {
    if (tunnelled.contains(on.name()) && isIpsec(service)) {
      problems.error(
          spot,
          service + " on `" + on.name() + "` belongs to this host's own tunnels",
          "a VPN server behind this host needs an outside interface without tunnels");
    }
    if (!anybody) {
      return; // who may use it tells them apart; the first that fits counts
    }
    for (Taken own : toWorld) {
      if (overlap(own.service, service)) {
        problems.error(
            spot,
            service
                + " on `"
                + on.name()
                + "` is what this host offers to the internet itself ("
                + own.spot.seenFrom(spot)
                + ")",
            "forward another port, or say in `from` who is forwarded");
        return;
      }
    }
    List<Taken> others = taken.computeIfAbsent(on.name(), name -> new ArrayList<>());
    for (Taken other : others) {
      if (overlap(other.service, service)) {
        problems.error(
            spot,
            service
                + " on `"
                + on.name()
                + "` is forwarded already ("
                + other.spot.seenFrom(spot)
                + ")",
            Optional.empty());
        return;
      }
    }
    others.add(new Taken(service, spot));
  }

  private static boolean overlap(Service a, Service b) {
    return a.protocol() == b.protocol()
        && (a.ports().isEmpty()
            || b.ports().isEmpty()
            || a.ports().get().overlaps(b.ports().get()));
  }

  private static boolean isIpsec(Service service) {
    return service.protocol() == Protocol.ESP
        || (service.protocol() == Protocol.UDP
            && service.ports().map(p -> p.overlaps(ISAKMP) || p.overlaps(NAT_T)).orElse(true));
  }

  private Optional<Host.DropLog> log(Fields log) {
    if (!log.flag("drops").orElse(true)) {
      return Optional.empty();
    }
    int rate =
        log.word("rate")
            .map(text -> {
              int number = Integer.parseInt(text.substring(0, text.indexOf('/')));
              return text.endsWith("second") ? 60 * number : number;
            })
            .orElse(RATE);
    int burst = log.number("burst").map(Long::intValue).orElse(BURST);
    return Optional.of(
        new Host.DropLog(rate, burst, log.text("until").flatMap(this::time), log.origin()));
  }

  private Optional<Instant> time(Node.Scalar scalar) {
    try {
      return Optional.of(OffsetDateTime.parse(scalar.text()).toInstant());
    } catch (DateTimeException e) {
      problems.error(
          scalar.spot(),
          Quote.of(scalar.text()) + " is not a time",
          "date, time and zone: 2026-12-01T18:00:00Z");
      return Optional.empty();
    }
  }
}
