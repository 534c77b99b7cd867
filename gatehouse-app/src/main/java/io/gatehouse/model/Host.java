package io.gatehouse.model;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Ordinary traffic of this machine and through it, outside of any tunnel.
 *
 * @param inputClosed whether what nothing allows is dropped on its way to this host
 * @param outputClosed whether what nothing allows is dropped on its way out of this host
 * @param forward what of the forwarded traffic is ours to drop
 * @param services what this host offers to places that need no tunnel, administration included
 * @param outgoing what this host itself may begin where {@code outputClosed}; IKE and ESP need no
 *     mention
 * @param internet who reaches the internet through this host
 * @param flows who else of the networks reaches whom
 * @param portForwards what of the outside addresses leads to a host inside
 * @param ping who may ping this host
 */
public record Host(
    boolean inputClosed,
    boolean outputClosed,
    Forward forward,
    List<Offer> services,
    List<Located<Service>> outgoing,
    List<InternetAccess> internet,
    List<Flow> flows,
    List<PortForward> portForwards,
    Ping ping,
    Optional<DropLog> dropLog,
    Origin origin) {

  /** What of the forwarded traffic is dropped where nothing allows it. */
  public enum Forward {
    /**
     * Only what touches an inside interface, a network, a pool or a remote network. Containers go
     * on.
     */
    OURS,
    /** Everything. */
    ALL
  }

  /** Who may ping this host outside of tunnels. */
  public enum Ping {
    NOBODY,
    INSIDE,
    ANYBODY
  }

  /**
   * Services on this host for one place.
   *
   * @param admin whether it is what an administrator comes by: `apply` looks whether that stays
   *     open
   */
  public record Offer(Place from, List<Service> services, boolean admin, Origin origin) {
    public Offer {
      services = List.copyOf(services);
    }

    /** Whether a UDP port is among the services. */
    public boolean offersUdp(int port) {
      return services.stream()
          .filter(service -> service.protocol() == Protocol.UDP)
          .anyMatch(
              service -> service.ports().map(r -> r.contains(PortRange.of(port))).orElse(true));
    }
  }

  /**
   * What one place may begin towards another.
   *
   * @param sources which of the addresses there; empty means all
   * @param destinations the same of the other place
   */
  public record Flow(Place from, Reach to, List<Prefix> sources, List<Prefix> destinations) {
    public Flow {
      sources = List.copyOf(sources);
      destinations = List.copyOf(destinations);
    }

    /** Between all addresses of both. */
    public Flow(Place from, Reach to) {
      this(from, to, List.of(), List.of());
    }

    /** Whether anything of a family is meant. */
    public boolean has(Family family) {
      return Stream.of(sources, destinations)
          .allMatch(
              some -> some.isEmpty() || some.stream().anyMatch(one -> one.family() == family));
    }
  }

  /** A network's way to the internet. */
  public record InternetAccess(Network from, SourceNat nat, List<Service> services, Origin origin) {
    public InternetAccess {
      services = List.copyOf(services);
    }
  }

  /** As whom somebody appears in the internet. */
  public sealed interface SourceNat {
    /**
     * As the outside interface's address at that moment; IPv6 with global addresses keeps its own.
     */
    record Masquerade() implements SourceNat {}

    /** As a fixed address of ours. */
    record Fixed(Located<Address> address) implements SourceNat {}

    /** As itself: its addresses are routed in the world. */
    record None() implements SourceNat {}
  }

  /**
   * A service of the outside addresses that leads inside.
   *
   * @param on the outside interface
   * @param toPort the port there; nothing keeps the one that was asked for
   * @param from who may use it; empty means anybody
   */
  public record PortForward(
      Interface on,
      Service service,
      Located<Address> to,
      Optional<Integer> toPort,
      List<Prefix> from,
      Origin origin) {
    public PortForward {
      from = List.copyOf(from);
    }
  }

  /**
   * A log line for each dropped packet, within limits.
   *
   * @param perMinute lines a minute for each kind of drop
   * @param burst lines at once
   * @param until when it ends by itself; nothing means never
   */
  public record DropLog(int perMinute, int burst, Optional<Instant> until, Origin origin) {}

  /** The same host, with further services. */
  public Host offering(List<Offer> more) {
    return new Host(
        inputClosed,
        outputClosed,
        forward,
        Stream.concat(services.stream(), more.stream()).toList(),
        outgoing,
        internet,
        flows,
        portForwards,
        ping,
        dropLog,
        origin);
  }

  /** The same host, with further port forwards behind its own. */
  public Host forwarding(List<PortForward> more) {
    return new Host(
        inputClosed,
        outputClosed,
        forward,
        services,
        outgoing,
        internet,
        flows,
        Stream.concat(portForwards.stream(), more.stream()).toList(),
        ping,
        dropLog,
        origin);
  }

  public Host {
    services = List.copyOf(services);
    outgoing = List.copyOf(outgoing);
    internet = List.copyOf(internet);
    flows = List.copyOf(flows);
    portForwards = List.copyOf(portForwards);
  }
}
