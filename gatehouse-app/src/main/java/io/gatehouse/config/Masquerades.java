package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads `masquerade:`. */
final class Masquerades {
  private static final PortRange IKE = PortRange.of(500);
  private static final Duration LIFETIME = Duration.ofMinutes(65);
  private static final Duration SHORTEST = Duration.ofMinutes(1);
  private static final Duration LONGEST = Duration.ofDays(7);

  private final Problems problems;
  private final Values values;
  private final Places places;
  private final Names<Interface> interfaceNames;
  private final List<Interface> interfaces;
  private final Host host;

  Masquerades(
      Problems problems,
      Values values,
      Places places,
      Names<Interface> interfaceNames,
      List<Interface> interfaces,
      Host host) {
    this.problems = problems;
    this.values = values;
    this.places = places;
    this.interfaceNames = interfaceNames;
    this.interfaces = interfaces;
    this.host = host;
  }

  Optional<Masquerade> read(Fields top) {
    return top.fields("masquerade").map(this::one);
  }

  private Masquerade one(Fields fields) {
    List<Network> clients = clients(fields);
    List<Interface> on = outside(fields);
    List<Located<Prefix>> peers = peers(fields);
    Optional<Fields> ipsec = fields.fields("ipsec");
    return new Masquerade(
        clients,
        on,
        peers,
        ipsec.map(this::lifetime).orElse(LIFETIME),
        ipsec.flatMap(i -> i.flag("parallel-sessions")).orElse(true),
        Duration.ofMillis(ipsec.flatMap(i -> i.number("hold")).orElse(400L)),
        ipsec.flatMap(i -> i.word("without-daemon")).filter("open"::equals).isPresent(),
        calls(fields),
        servers(fields, clients, peers),
        fields.fields("register").flatMap(register -> register(register, clients)),
        fields.origin());
  }

  private Masquerade.Calls calls(Fields fields) {
    boolean pptp = fields.flag("pptp").orElse(false);
    Optional<String> by = fields.word("pptp-by");
    if (by.isPresent() && !pptp) {
      problems.error(
          fields.spot("pptp-by"),
          "`pptp-by` says who translates calls of PPTP, and there are none",
          "`pptp: true` beside it, or leave it out");
    }
    if (!pptp) {
      return Masquerade.Calls.NONE;
    }
    return by.filter("daemon"::equals).isPresent()
        ? Masquerade.Calls.BY_DAEMON
        : Masquerade.Calls.BY_KERNEL;
  }

  /** What this host offers to its networks because of it: the port for registrations. */
  static List<Host.Offer> offers(Masquerade masquerade) {
    List<Host.Offer> offers = new ArrayList<>();
    masquerade
        .register()
        .ifPresent(register -> {
          List<Service> port = List.of(Service.of(Protocol.TCP, register.port()));
          masquerade
              .clients()
              .forEach(
                  network -> offers.add(new Host.Offer(network, port, false, register.origin())));
        });
    return offers;
  }

  private List<Located<Prefix>> peers(Fields fields) {
    List<Located<Prefix>> peers = new ArrayList<>();
    for (Node.Scalar text : fields.texts("peers")) {
      for (Prefix peer : values.sources(List.of(text))) {
        if (peer.family() == Family.V6) {
          problems.error(text.spot(), peer + " is IPv6: only IPv4 is masqueraded", "leave it out");
        } else {
          peers.add(new Located<>(peer, text.spot().origin()));
        }
      }
    }
    return peers;
  }

  private Optional<Masquerade.Register> register(Fields fields, List<Network> clients) {
    Optional<Node.Scalar> written = fields.text("at");
    Optional<Located<Address>> at = written.flatMap(values::address);
    at.ifPresent(address -> isInside(written.orElseThrow().spot(), address.value(), clients));
    Optional<String> certificate = fields.word("certificate");
    Optional<String> key = fields.word("key");
    Optional<String> authorities = fields.word("authorities");
    if (at.isEmpty() || certificate.isEmpty() || key.isEmpty() || authorities.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Masquerade.Register(
            at.get(),
            fields.number("port").orElse((long) Masquerade.Register.PORT).intValue(),
            certificate.get(),
            key.get(),
            authorities.get(),
            fields.origin()));
  }

  /** An address of this host on the interface of one of the networks, as far as one can know. */
  private void isInside(Spot spot, Address at, List<Network> clients) {
    if (at.family() == Family.V6) {
      problems.error(spot, at + " is IPv6: only IPv4 is masqueraded", "an IPv4 address");
      return;
    }
    boolean may =
        clients.stream()
            .anyMatch(network ->
                network.on().isFixed(Family.V4)
                    ? network.on().addresses().stream()
                        .anyMatch(own -> own.value().address().equals(at))
                    : network.prefixes().stream().anyMatch(prefix -> prefix.value().contains(at)));
    if (!clients.isEmpty() && !may) {
      problems.error(
          spot,
          at + " is no address of this host towards the networks in `clients`",
          "the address that hosts inside have as their gateway");
    }
  }

  private List<Network> clients(Fields fields) {
    List<Network> clients = new ArrayList<>();
    for (Node.Scalar name : fields.texts("clients")) {
      String hint = "name networks of ours: VPN hosts are in one";
      for (Network network : places.networks(List.of(name), hint)) {
        if (network.on().isOutside()) {
          problems.error(
              name.spot(),
              "network `"
                  + network.name()
                  + "` is on the outside interface `"
                  + network.on().name()
                  + "`: what its hosts send is not told from what the world sends",
              "give it an inside interface of its own");
        } else if (network.prefixes().stream().noneMatch(Masquerades::isV4)) {
          problems.error(
              name.spot(),
              "network `" + network.name() + "` has no IPv4 addresses",
              "IPv6 needs no masquerade: `host.flows` lets its hosts out");
        } else if (!clients.contains(network)) {
          asItself(name, network);
          clients.add(network);
        }
      }
    }
    return clients;
  }

  private static boolean isV4(Located<Prefix> prefix) {
    return prefix.value().family() == Family.V4;
  }

  private void asItself(Node.Scalar name, Network network) {
    boolean routed =
        host.internet().stream()
            .anyMatch(access ->
                access.from().equals(network) && access.nat() instanceof Host.SourceNat.None);
    if (routed) {
      problems.error(
          name.spot(),
          "network `" + network.name() + "` has `snat: none`: its addresses are its own out there",
          "leave it out here; `host.flows` from `internet` lets remotes in");
    }
  }

  private List<Interface> outside(Fields fields) {
    List<Interface> on = new ArrayList<>();
    if (!fields.has("on")) {
      interfaces.stream().filter(Interface::isOutside).forEach(i -> usable(fields.label(), i, on));
      return on;
    }
    for (Node.Scalar name : fields.texts("on")) {
      interfaceNames
          .find(name)
          .ifPresent(i -> {
            if (i.isOutside()) {
              usable(name.spot(), i, on);
            } else {
              problems.error(
                  name.spot(),
                  "interface `" + i.name() + "` is inside: remotes are outside",
                  "name an outside interface");
            }
          });
    }
    return on;
  }

  private void usable(Spot spot, Interface at, List<Interface> on) {
    Optional<Host.PortForward> forward =
        host.portForwards().stream()
            .filter(f -> f.on().equals(at) && isIpsec(f.service()))
            .findFirst();
    if (forward.isPresent()) {
      problems.error(
          spot,
          forward.get().service()
              + " on `"
              + at.name()
              + "` is forwarded already (line "
              + forward.get().origin().line()
              + ")",
          "a VPN server inside is named here: `servers`");
    } else if (!at.speaks(Family.V4)) {
      problems.error(
          spot,
          "interface `" + at.name() + "` has no IPv4 address to appear under",
          "name others in `on`");
    } else {
      on.add(at);
    }
  }

  private static boolean isIpsec(Service service) {
    return service.protocol() == Protocol.ESP
        || (service.protocol() == Protocol.UDP
            && service.ports().map(ports -> ports.overlaps(IKE)).orElse(true));
  }

  private Duration lifetime(Fields ipsec) {
    Optional<Node.Scalar> text = ipsec.text("lifetime");
    if (text.isEmpty()) {
      return LIFETIME;
    }
    String written = text.get().text();
    long number = Long.parseLong(written.substring(0, written.length() - 1));
    Duration lifetime =
        switch (written.charAt(written.length() - 1)) {
          case 'h' -> Duration.ofHours(number);
          case 'm' -> Duration.ofMinutes(number);
          default -> Duration.ofSeconds(number);
        };
    if (lifetime.compareTo(SHORTEST) < 0 || lifetime.compareTo(LONGEST) > 0) {
      problems.error(
          text.get().spot(),
          "`lifetime` cannot be " + Quote.of(written),
          "from 1m to 168h; somewhat above the longest rekey interval");
      return LIFETIME;
    }
    return lifetime;
  }

  private List<Masquerade.Server> servers(
      Fields fields, List<Network> clients, List<Located<Prefix>> peers) {
    List<Masquerade.Server> servers = new ArrayList<>();
    Map<Prefix, Spot> taken = new HashMap<>();
    for (Fields server : fields.several("servers")) {
      Optional<Located<Address>> address = server.text("host").flatMap(values::address);
      List<Prefix> from = values.sources(server.texts("from"));
      if (address.isEmpty() || from.size() < server.items("from").size()) {
        continue;
      }
      Spot spot = server.text("host").orElseThrow().spot();
      boolean known =
          clients.stream()
              .flatMap(network -> network.prefixes().stream())
              .anyMatch(prefix -> prefix.value().contains(address.get().value()));
      if (!known) {
        problems.error(
            spot,
            address.get().value() + " is in none of the networks in `clients`",
            "name its network there");
      }
      for (Prefix remote : from.isEmpty() ? List.of(Prefix.ALL_V4) : from) {
        if (remote.family() == Family.V6) {
          problems.error(spot, remote + " is IPv6: only IPv4 is masqueraded", "leave it out");
          continue;
        }
        if (!peers.isEmpty()
            && !from.isEmpty()
            && peers.stream().noneMatch(peer -> peer.value().contains(remote))) {
          problems.error(
              spot,
              remote + " is not among the `peers` of `masquerade`, so it reaches no host",
              "add it there");
        }
        Spot other = taken.putIfAbsent(remote, spot);
        if (other != null) {
          problems.error(
              spot,
              "sessions of "
                  + (remote.isAll() ? "anybody" : remote.toString())
                  + " go to another server already ("
                  + other.seenFrom(spot)
                  + ")",
              "tell remotes apart with `from`");
        }
      }
      servers.add(new Masquerade.Server(address.get(), from, server.origin()));
    }
    return servers;
  }
}
