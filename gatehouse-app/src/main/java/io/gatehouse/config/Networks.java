package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads `networks:`. */
final class Networks {
  private final Problems problems;
  private final Values values;
  private final Overlaps overlaps;
  private final Names<Interface> interfaces;

  private Networks(
      Problems problems, Values values, Overlaps overlaps, Names<Interface> interfaces) {
    this.problems = problems;
    this.values = values;
    this.overlaps = overlaps;
    this.interfaces = interfaces;
  }

  static List<Network> read(
      Fields top,
      Problems problems,
      Values values,
      Overlaps overlaps,
      Names<Interface> interfaces,
      Names<Network> names) {
    Networks reader = new Networks(problems, values, overlaps, interfaces);
    List<Network> understood = new ArrayList<>();
    for (Fields fields : top.namedFields("networks")) {
      String name = fields.label().path().last();
      if (name.equals(Places.INTERNET)) {
        problems.error(
            fields.label(),
            "`internet` is everything that no network is",
            "give the network another name");
        continue;
      }
      names.declare(name, fields.label());
      reader
          .one(name, fields)
          .ifPresent(network -> {
            names.define(name, network);
            understood.add(network);
          });
    }
    return understood;
  }

  private Optional<Network> one(String name, Fields fields) {
    boolean connected = fields.has("on");
    if (connected == fields.has("via")) {
      problems.error(
          connected ? fields.spot("via") : fields.label(),
          connected
              ? "network `"
                  + name
                  + "` is either `on` an interface or `via` a router there, not both"
              : "network `" + name + "` is nowhere: `on` or `via` is missing",
          "`on: NAME` where it is the interface's own link, `via: NAME` where a router leads to it");
    }
    Optional<Node.Scalar> place = fields.text(connected ? "on" : "via");
    Optional<Interface> on = place.flatMap(interfaces::find);
    on.filter(i -> !i.isInside())
        .ifPresent(i ->
            problems.error(
                place.get().spot(),
                "interface `" + i.name() + "` is outside only, and network `" + name + "` is ours",
                "name an inside interface, or give that one `role: [inside, outside]`"));
    List<Located<Prefix>> prefixes = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("prefixes")) {
      values
          .prefix(scalar)
          .ifPresent(prefix -> {
            if (prefix.value().isAll()) {
              problems.error(
                  scalar.spot(),
                  prefix.value() + " is everything, not a network",
                  "for the internet there is the word `internet`");
              return;
            }
            prefixes.add(prefix);
            overlaps.network(
                prefix.value(),
                name,
                place.map(Node.Scalar::text).orElse(""),
                connected,
                scalar.spot());
            if (connected) {
              on.ifPresent(i -> linked(scalar, prefix.value(), i));
            }
          });
    }
    var nextHops = values.onePerFamily("next hop", fields.texts("next-hop"));
    if (connected && fields.has("next-hop")) {
      problems.error(
          fields.spot("next-hop"),
          "network `" + name + "` is on an interface's own link, where no router leads to it",
          "write `via:` instead of `on:`");
    }
    var routers = values.onePerFamily("router", fields.texts("router"));
    for (Node.Scalar router : fields.texts("router")) {
      router(router, prefixes, on);
    }
    for (Located<Address> router : routers) {
      overlaps.router(Prefix.host(router.value()), name, fields.spot("router"));
    }
    return on.isEmpty() || prefixes.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Network(name, on.get(), connected, prefixes, nextHops, routers, fields.origin()));
  }

  private void linked(Node.Scalar scalar, Prefix prefix, Interface on) {
    List<InterfaceAddress> same =
        on.addresses().stream()
            .map(Located::value)
            .filter(a -> a.address().family() == prefix.family())
            .toList();
    if (!same.isEmpty() && same.stream().noneMatch(a -> prefix.overlaps(a.link()))) {
      problems.warning(
          scalar.spot(),
          "interface `" + on.name() + "` has no address in " + prefix,
          "where a router leads to it, write `via:` instead of `on:`");
    }
  }

  private void router(Node.Scalar scalar, List<Located<Prefix>> prefixes, Optional<Interface> on) {
    Optional<Address> router = Address.parse(scalar.text());
    if (router.isEmpty() || prefixes.isEmpty() || Values.isLinkLocal(router.get())) {
      return;
    }
    boolean ours =
        on.stream()
            .flatMap(i -> i.addresses().stream())
            .anyMatch(a -> a.value().address().equals(router.get()));
    if (ours) {
      problems.error(
          scalar.spot(),
          scalar.text() + " is this host's own address",
          "leave `router` out where this host is the default gateway");
    } else if (prefixes.stream().noneMatch(p -> p.value().contains(router.get()))) {
      problems.error(
          scalar.spot(),
          "router " + scalar.text() + " is not in the network, its hosts could not reach it",
          Optional.empty());
    }
  }
}
