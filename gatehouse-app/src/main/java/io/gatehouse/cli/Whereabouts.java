package io.gatehouse.cli;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.PacketPath;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What words about a packet may name, and what they leave open. */
interface Whereabouts {
  /** What they are about, as the subject of a sentence. */
  String name();

  List<String> tunnels();

  /** The kernel's names, for a message. */
  List<String> devices();

  /** The kernel's name of what somebody calls a device. */
  Optional<String> device(String word);

  /** Whether this host has the address. */
  boolean isOwn(Address address);

  /** The device by which packets with such a source come. */
  String arrival(Address source, Optional<String> tunnel);

  static Whereabouts of(Gateway gateway) {
    return new OfGateway(gateway);
  }

  /**
   * Those of a host.
   *
   * @param name of the host, for messages
   */
  static Whereabouts of(String name, HostState host) {
    return new OfHost(name, host);
  }

  /** As a description has them. */
  record OfGateway(Gateway gateway) implements Whereabouts {
    @Override
    public String name() {
      return "the description";
    }

    @Override
    public List<String> tunnels() {
      return gateway.tunnels().stream().map(Tunnel::name).toList();
    }

    @Override
    public List<String> devices() {
      return gateway.interfaces().stream().map(Interface::device).toList();
    }

    @Override
    public Optional<String> device(String word) {
      for (Interface at : gateway.interfaces()) {
        if (word.equals(at.device()) || word.equals(at.name())) {
          return Optional.of(at.device());
        }
      }
      return gateway.identities().stream().map(Identity::device).filter(word::equals).findFirst();
    }

    @Override
    public boolean isOwn(Address source) {
      return Stream.concat(
              gateway.interfaces().stream()
                  .flatMap(at -> at.addresses().stream())
                  .map(address -> address.value().address()),
              gateway.identities().stream()
                  .flatMap(identity -> identity.addresses().stream())
                  .map(Located::value))
          .anyMatch(source::equals);
    }

    @Override
    public String arrival(Address source, Optional<String> tunnel) {
      Optional<Network> home =
          tunnel.isPresent()
              ? Optional.empty()
              : gateway.networks().stream()
                  .filter(network ->
                      network.prefixes().stream().anyMatch(p -> p.value().contains(source)))
                  .findFirst();
      return home.map(network -> network.on().device())
          .or(() -> tunnel.flatMap(gateway::tunnel).map(t -> t.on().getFirst().device()))
          .or(() -> gateway.outside().stream().findFirst().map(Interface::device))
          .orElse("lo");
    }
  }

  /** As a kernel has them. */
  record OfHost(String name, HostState host) implements Whereabouts {
    @Override
    public List<String> tunnels() {
      return host.tunnels().stream().map(HostState.Tunnel::name).toList();
    }

    @Override
    public List<String> devices() {
      Set<String> names = new LinkedHashSet<>();
      for (Family family : Family.values()) {
        names.addAll(PacketPath.devices(host, family));
      }
      names.remove("lo");
      names.remove(HeaderSpace.ANOTHER_DEVICE);
      return List.copyOf(names);
    }

    @Override
    public Optional<String> device(String word) {
      return Optional.of(word).filter(w -> w.equals("lo") || devices().contains(w));
    }

    @Override
    public boolean isOwn(Address address) {
      return host.addresses(address.family()).contains(address);
    }

    /**
     * By the device that its own link is on, else by the one of the route back; what a tunnel
     * brought, by the one of the default route. Where several would do, by one that nothing names.
     */
    @Override
    public String arrival(Address source, Optional<String> tunnel) {
      Optional<String> near =
          host.devices().stream()
              .filter(d ->
                  d.addresses().stream()
                      .anyMatch(a ->
                          a.address().family() == source.family() && a.link().contains(source)))
              .map(HostState.Device::name)
              .findFirst();
      return near.filter(device -> tunnel.isEmpty())
          .or(() -> way(source, tunnel.isPresent()))
          .orElse(HeaderSpace.ANOTHER_DEVICE);
    }

    private Optional<String> way(Address source, boolean byDefaultRoute) {
      return host.routes().stream()
          .filter(r -> r.table() == Route.MAIN && r.destination().contains(source))
          .filter(r -> !byDefaultRoute || r.destination().isAll())
          .min(
              Comparator.comparingInt((Route r) -> -r.destination().length())
                  .thenComparingLong(Route::metric))
          .map(Route::kind)
          .flatMap(kind ->
              kind instanceof RouteKind.Via via && via.devices().size() == 1
                  ? Optional.of(via.devices().getFirst())
                  : Optional.empty());
    }
  }
}
