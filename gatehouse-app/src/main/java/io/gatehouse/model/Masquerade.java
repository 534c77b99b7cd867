package io.gatehouse.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * VPN hosts behind this one that appear under its outside address (VPN Masquerade HOWTO). IPv4
 * alone: IPv6 needs no translation.
 *
 * @param clients networks whose hosts may have IPsec sessions of their own with the world
 * @param on outside interfaces that they leave by
 * @param peers remotes that alone they may have sessions with; empty means anybody
 * @param lifetime how long a binding stays without traffic; somewhat above the rekey interval
 * @param parallel whether several hosts may have sessions with one remote
 * @param hold how long a message of IKE may be kept so that negotiations do not overlap
 * @param open whether what only the daemon could decide goes out while no daemon runs
 * @param calls whether the hosts may have calls of PPTP too, and who translates these
 * @param servers hosts of these networks that remotes may begin sessions with
 * @param register where the hosts may say themselves under which SPI they receive
 */
public record Masquerade(
    List<Network> clients,
    List<Interface> on,
    List<Located<Prefix>> peers,
    Duration lifetime,
    boolean parallel,
    Duration hold,
    boolean open,
    Calls calls,
    List<Server> servers,
    Optional<Register> register,
    Origin origin) {
  /** The port of PPTP's control connection (RFC 2637, 3.1). */
  public static final int PPTP_CONTROL = 1723;

  /** Who finds and translates calls of PPTP. */
  public enum Calls {
    /** There are none. */
    NONE,
    /** The kernel's helper: one call in each control connection. */
    BY_KERNEL,
    /** The daemon: any number, and those of servers inside beside them. */
    BY_DAEMON
  }

  /**
   * A VPN server inside.
   *
   * @param from whose sessions it gets; the longest prefix wins, and one of length 0 takes the rest
   */
  public record Server(Located<Address> host, List<Prefix> from, Origin origin) {
    public Server {
      from = List.copyOf(from);
    }
  }

  /**
   * A listener for the hosts, with TLS; each proves that it has its address by its certificate.
   *
   * @param at an address of this host, inside
   * @param port TCP's
   * @param certificate the file with this host's certificate; files are in PEM
   * @param key the file with its key: a secret is never in a description
   * @param authorities the file with the certificates that are believed
   */
  public record Register(
      Located<Address> at,
      int port,
      String certificate,
      String key,
      String authorities,
      Origin origin) {
    /** Where nothing else is said. */
    public static final int PORT = 4510;
  }

  public Masquerade {
    clients = List.copyOf(clients);
    on = List.copyOf(on);
    peers = List.copyOf(peers);
    servers = List.copyOf(servers);
  }

  /** The kernel's names of the outside interfaces. */
  public Set<String> devices() {
    return on.stream().map(Interface::device).collect(Collectors.toUnmodifiableSet());
  }

  /** Whether the hosts may have calls of PPTP. */
  public boolean pptp() {
    return calls != Calls.NONE;
  }

  /** What the hosts may begin with the world: IKE on both its ports, ESP; PPTP's control. */
  public List<Service> services() {
    List<Service> services = new ArrayList<>();
    services.add(Service.of(Protocol.UDP, 500));
    services.add(Service.of(Protocol.UDP, 4500));
    services.add(new Service(Protocol.ESP, Optional.empty()));
    if (pptp()) {
      services.add(Service.of(Protocol.TCP, PPTP_CONTROL));
    }
    return List.copyOf(services);
  }

  /** With whom the hosts may have sessions, as addresses. */
  public List<Prefix> remotes() {
    return peers.isEmpty() ? List.of(Prefix.ALL_V4) : peers.stream().map(Located::value).toList();
  }

  /** Where the hosts may be. */
  public List<Located<Prefix>> prefixes() {
    return clients.stream()
        .flatMap(network -> network.prefixes().stream())
        .filter(prefix -> prefix.value().family() == Family.V4)
        .toList();
  }
}
