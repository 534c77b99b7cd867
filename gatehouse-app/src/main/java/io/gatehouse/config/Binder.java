package io.gatehouse.config;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Uplink;
import java.util.List;
import java.util.Optional;

/**
 * From a tree that has the right shape to the model. Whatever is wrong, everything else is still
 * read.
 */
final class Binder {

  private Binder() {}

  static Reading bind(Node.Mapping root, Problems problems) {
    Fields top = new Fields(Language.TOP, root, root.spot());
    version(top, problems);
    Values values = new Values(problems);
    Overlaps overlaps = new Overlaps(problems);
    Names<Interface> interfaceNames = new Names<>("interface", problems);
    Names<Network> networkNames = new Names<>("network", problems);
    List<Interface> interfaces = Interfaces.read(top, problems, values, overlaps, interfaceNames);
    List<Network> networks =
        Networks.read(top, problems, values, overlaps, interfaceNames, networkNames);
    Services services = new Services(problems);
    services.define(top.named("services"));
    Places places = new Places(problems, interfaceNames, networkNames, services);
    places.define(top.named("tunnels"));
    Tunnels reader =
        new Tunnels(problems, values, services, places, overlaps, interfaceNames, interfaces);
    List<Tunnel> tunnels = reader.read(top);
    Host host =
        new Hosts(problems, values, services, places, interfaceNames, interfaces, networks, tunnels)
            .read(top);
    List<Identity> identities =
        new Identities(problems, values, interfaceNames, interfaces).read(top);
    Optional<Masquerade> masquerade =
        new Masquerades(problems, values, places, interfaceNames, interfaces, host).read(top);
    FullTunnel full = new FullTunnel(problems, reader.everythings());
    full.check(tunnels, host, masquerade);
    host = host.offering(masquerade.map(Masquerades::offers).orElse(List.of()));
    if (masquerade.isPresent()) {
      host = host.forwarding(NatTraversal.forwards(masquerade.get(), host, tunnels));
    }
    int uplinks = Uplink.among(identities, interfaces, host, masquerade).size();
    Numbers numbers = NumbersReader.read(top, identities, uplinks, problems);
    tunnels = full.cut(tunnels, interfaces, networks);
    overlaps.check();
    if (problems.errors() > 0) {
      return new Reading.Refused(problems.sorted());
    }
    String name = top.word("gateway").orElseThrow();
    return new Reading.Understood(
        new Gateway(
            name,
            interfaces,
            networks,
            host,
            tunnels,
            identities,
            masquerade,
            numbers,
            root.spot().origin()),
        problems.sorted());
  }

  private static void version(Fields top, Problems problems) {
    top.text("version")
        .filter(version -> !version.text().equals(Language.VERSION))
        .ifPresent(version ->
            problems.error(
                version.spot(),
                "version " + Quote.of(version.text()) + " is not known",
                "this gatehouse reads version " + Language.VERSION));
  }

  /** The type of a tunnel; empty where it has none that can be used. */
  static String type(Node.Entry tunnel) {
    return Optional.of(tunnel.value())
        .filter(Node.Mapping.class::isInstance)
        .map(Node.Mapping.class::cast)
        .flatMap(mapping -> mapping.find("type"))
        .map(Node.Entry::value)
        .filter(Node.Scalar.class::isInstance)
        .map(value -> ((Node.Scalar) value).text())
        .orElse("");
  }
}
