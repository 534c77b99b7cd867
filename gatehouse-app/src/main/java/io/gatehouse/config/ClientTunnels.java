package io.gatehouse.config;

import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads tunnels of which this host is the client. */
final class ClientTunnels {
  private final Problems problems;
  private final Values values;
  private final Services services;
  private final Places places;
  private final Overlaps overlaps;

  /** The tunnels that are told to take everything, each with the place that says so. */
  private final Map<String, Spot> everythings = new LinkedHashMap<>();

  ClientTunnels(
      Problems problems, Values values, Services services, Places places, Overlaps overlaps) {
    this.problems = problems;
    this.values = values;
    this.services = services;
    this.places = places;
    this.overlaps = overlaps;
  }

  Map<String, Spot> everythings() {
    return everythings;
  }

  Optional<Tunnel> read(Fields fields, Tunnels.Common common) {
    List<Located<Prefix>> addresses = addresses(fields, common.name());
    Set<Family> families =
        addresses.stream().map(address -> address.value().family()).collect(Collectors.toSet());
    boolean everything =
        fields.texts("remote").stream().anyMatch(s -> s.text().equals(Places.INTERNET));
    List<Located<Prefix>> remote =
        everything ? everything(fields, common.name()) : remote(fields, common.name(), families);
    if (!remote.isEmpty()) {
      amidst(fields, remote);
    }
    List<Network> local = local(fields, families);
    List<Service> outbound = services.all(fields.texts("outbound"));
    if (fields.has("outbound") && !fields.has("local")) {
      problems.warning(
          fields.spot("outbound"),
          "`outbound` changes nothing: this host alone uses tunnel `" + common.name() + "`",
          "what this host may begin stands in `host.outgoing`; or add `local:`");
    }
    if (addresses.isEmpty()
        || remote.isEmpty()
        || common.on().isEmpty()
        || common.peers().isEmpty()
        || local.size() < fields.items("local").size()
        || (fields.has("outbound") && outbound.isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new Tunnel.Client(
            common.name(),
            common.on(),
            common.peers(),
            common.ike(),
            common.esp(),
            common.mss(),
            addresses,
            local,
            remote,
            everything,
            outbound,
            common.services(),
            common.origin()));
  }

  private List<Located<Prefix>> addresses(Fields fields, String tunnel) {
    List<Located<Prefix>> addresses = values.sourcePerFamily("address", fields.texts("address"));
    List<Located<Prefix>> usable = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("address")) {
      for (Located<Prefix> address : addresses) {
        if (!address.origin().equals(scalar.spot().origin())) {
          continue;
        }
        if (address.value().isAll()) {
          problems.error(
              scalar.spot(),
              "out of " + address.value() + " the server could give this host anybody's address",
              "name the prefix that its virtual IPs are out of, such as 10.8.0.0/24");
        } else {
          overlaps.virtual(address.value(), tunnel, scalar.spot());
          usable.add(address);
        }
      }
    }
    return usable;
  }

  /** Of an address that changes the others are somebody else's: they are behind the tunnel. */
  private void amidst(Fields fields, List<Located<Prefix>> remote) {
    for (Node.Scalar scalar : fields.texts("address")) {
      Optional<Prefix> virtual = Prefix.parse(scalar.text()).filter(p -> !p.isHost());
      if (virtual.isPresent()
          && !virtual.get().isAll()
          && remote.stream().noneMatch(there -> there.value().contains(virtual.get()))) {
        problems.error(
            scalar.spot(),
            virtual.get() + " lies in no remote network: which of it is this host's comes and goes",
            "add " + virtual.get() + " to `remote:`, so that the rest of it is never met in clear");
      }
    }
  }

  private List<Located<Prefix>> remote(Fields fields, String tunnel, Set<Family> families) {
    List<Located<Prefix>> remote = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("remote")) {
      values
          .prefix(scalar)
          .ifPresent(prefix -> {
            remote.add(prefix);
            Family family = prefix.value().family();
            if (prefix.value().isAll()) {
              problems.error(
                  scalar.spot(),
                  prefix.value() + " as a remote network would take our own into the tunnel",
                  "for all that is not ours, write `remote: internet`");
              return;
            }
            overlaps.remote(prefix.value(), tunnel, scalar.spot());
            if (!families.isEmpty() && !families.contains(family)) {
              problems.error(
                  scalar.spot(),
                  "no virtual IP to reach " + prefix.value() + " with",
                  "add an "
                      + Hosts.family(family)
                      + " address to `address:`, or leave the network out");
            }
          });
    }
    return remote;
  }

  /** All that routers carry; what of it is ours is taken out when all is read. */
  private List<Located<Prefix>> everything(Fields fields, String tunnel) {
    List<Located<Prefix>> remote = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("remote")) {
      if (scalar.text().equals(Places.INTERNET)) {
        Origin origin = scalar.spot().origin();
        Tunnel.Client.EVERYTHING.forEach(prefix -> remote.add(new Located<>(prefix, origin)));
        everythings.putIfAbsent(tunnel, scalar.spot());
      } else {
        problems.error(
            scalar.spot(), "`internet` is all that is not ours, this among it", "leave it out");
      }
    }
    return remote;
  }

  private List<Network> local(Fields fields, Set<Family> families) {
    List<Network> local = new ArrayList<>();
    for (Node.Scalar scalar : fields.texts("local")) {
      for (Network network : places.networks(List.of(scalar), "`local` is a network of ours")) {
        local.add(network);
        boolean speaks =
            network.prefixes().stream().anyMatch(p -> families.contains(p.value().family()));
        if (!families.isEmpty() && !speaks) {
          problems.error(
              scalar.spot(),
              "network `" + network.name() + "` has no address of the virtual IP's family",
              "leave it out, or add a virtual IP of its family to `address:`");
        }
      }
    }
    return local;
  }
}
