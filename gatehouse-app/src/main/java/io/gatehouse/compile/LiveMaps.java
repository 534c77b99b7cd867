package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the daemon fills while tunnels come and go: the maps of a ruleset, and the addresses that
 * this host answers for.
 *
 * @param groups of clients by who they are
 * @param zones of L2TP's clients, where the description has some
 * @param virtual where this host is the client, and its virtual IP not always the same
 * @param answering for clients whose addresses lie in a LAN
 * @param masquerade of VPN hosts behind this one, where the description has some
 */
public record LiveMaps(
    List<OfGroups> groups,
    Optional<NftSet> zones,
    List<OfClient> virtual,
    List<Answering> answering,
    Optional<OfMasquerade> masquerade) {
  /** Where nothing of ours stands. */
  public static final LiveMaps NONE =
      new LiveMaps(List.of(), Optional.empty(), List.of(), List.of(), Optional.empty());

  /** The table that they are all in. */
  public static final String TABLE = Draft.TABLE;

  /**
   * A map from virtual IPs to the chains of their clients' groups.
   *
   * @param tunnel its name
   * @param verdicts by the group's name; only those that the map's contract allows
   */
  public record OfGroups(NftSet map, Family family, String tunnel, Map<String, Verdict> verdicts) {
    public OfGroups {
      Set<Verdict> allowed =
          map.contract().map(contract -> Set.copyOf(contract.verdicts())).orElse(Set.of());
      Map<String, Verdict> kept = new HashMap<>(verdicts);
      kept.values().retainAll(allowed);
      verdicts = Map.copyOf(kept);
    }
  }

  /**
   * A map from outside devices to the virtual IP of this host, which is the same for all of them.
   *
   * @param tunnel its name
   * @param devices by their names
   */
  public record OfClient(NftSet map, Family family, String tunnel, List<String> devices) {
    public OfClient {
      devices = List.copyOf(devices);
    }
  }

  /**
   * A pool whose clients this host answers for on a link, by ARP or neighbour advertisements: the
   * contract of its proxy neighbours.
   *
   * @param tunnel its name
   * @param link the prefix of the link that the pool lies in
   * @param device the link's, by its name
   */
  public record Answering(String tunnel, Prefix pool, Prefix link, String device, Origin origin) {
    /**
     * Whether it may be answered for. A link's first address is its name or its routers' anycast
     * address (RFC 4291, 2.6.1); IPv4's last is its broadcast.
     */
    public boolean allows(Address address) {
      return pool.contains(Prefix.host(address))
          && !address.equals(link.first())
          && !(link.family() == Family.V4 && address.equals(link.last()));
    }
  }

  /**
   * What the masquerade writes.
   *
   * @param zones from a host to its conntrack zone
   * @param hosts and back
   * @param spis from a remote and an inbound SPI to a zone
   * @param cookies from a remote and an initiator's cookie to a zone
   * @param direct from a remote and an inbound SPI to its host, where packets may go past conntrack
   * @param watched hosts and remotes whose established traffic is wanted too
   * @param sent hosts, remotes and SPIs under which they sent lately; the kernel writes it
   * @param known hosts, remotes and cookies of IKE that they used lately; the kernel writes it
   * @param own this host's inbound SPIs, where it speaks IPsec itself on the same interface
   * @param calls of PPTP, where the daemon translates them
   */
  public record OfMasquerade(
      NftSet zones,
      NftSet hosts,
      NftSet spis,
      NftSet cookies,
      Optional<NftSet> direct,
      NftSet watched,
      NftSet sent,
      NftSet known,
      Optional<NftSet> own,
      Optional<OfCalls> calls) {
    /** Elements that each of those may hold which traffic fills; nft writes such a bound down. */
    public int room() {
      return spis.size().orElseThrow();
    }
  }

  /**
   * Calls of PPTP.
   *
   * @param hosts from a remote and the Call ID that it was told to the host
   * @param ids from the same to the host's own Call ID
   * @param allowed hosts, remotes and these' own Call IDs, under which the hosts may send
   */
  public record OfCalls(NftSet hosts, NftSet ids, NftSet allowed) {}

  public LiveMaps {
    groups = List.copyOf(groups);
    virtual = List.copyOf(virtual);
    answering = List.copyOf(answering);
  }

  /** Those that the compiler made of this description. */
  public static LiveMaps of(Gateway gateway, Ruleset ruleset) {
    Map<String, NftSet> live = new HashMap<>();
    for (Table table : ruleset.tables()) {
      table.sets().stream().filter(NftSet::isLive).forEach(set -> live.put(set.name(), set));
    }
    List<OfGroups> groups = new ArrayList<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (String prefix : ByClass.WITH_GROUPS) {
        Map<String, Verdict> verdicts = new HashMap<>();
        tunnel
            .groups()
            .forEach(group ->
                verdicts.put(group.name(), Nft.goTo(ByClass.chain(prefix, tunnel, group))));
        for (Family family : Family.values()) {
          Optional.ofNullable(live.get(Sets.of(ByClass.map(prefix, tunnel), family)))
              .ifPresent(map -> groups.add(new OfGroups(map, family, tunnel.name(), verdicts)));
        }
      }
    }
    return new LiveMaps(
        groups,
        Optional.ofNullable(live.get(L2tp.ZONES)),
        virtual(gateway, live),
        Routes.of(gateway).answering(),
        masquerade(gateway, live));
  }

  private static List<OfClient> virtual(Gateway gateway, Map<String, NftSet> live) {
    List<String> devices = gateway.outside().stream().map(Interface::device).distinct().toList();
    List<OfClient> virtual = new ArrayList<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.Client client) {
        for (Family family : Family.values()) {
          Optional.ofNullable(live.get(SharedClient.map(client, family)))
              .ifPresent(map -> virtual.add(new OfClient(map, family, client.name(), devices)));
        }
      }
    }
    return virtual;
  }

  private static Optional<OfMasquerade> masquerade(Gateway gateway, Map<String, NftSet> live) {
    Set<String> needed =
        Set.of(
            VpnHostMaps.ZONES,
            VpnHostMaps.HOSTS,
            VpnHostMaps.SPIS,
            VpnHostMaps.COOKIES,
            VpnHostMaps.WATCHED,
            VpnHostMaps.SENT,
            VpnHostMaps.KNOWN);
    return gateway.masquerade().isPresent() && live.keySet().containsAll(needed)
        ? Optional.of(
            new OfMasquerade(
                /* zones= */ named(live, VpnHostMaps.ZONES),
                /* hosts= */ named(live, VpnHostMaps.HOSTS),
                /* spis= */ named(live, VpnHostMaps.SPIS),
                /* cookies= */ named(live, VpnHostMaps.COOKIES),
                /* direct= */ Optional.ofNullable(live.get(VpnHostMaps.DIRECT)),
                /* watched= */ named(live, VpnHostMaps.WATCHED),
                /* sent= */ named(live, VpnHostMaps.SENT),
                /* known= */ named(live, VpnHostMaps.KNOWN),
                /* own= */ Optional.ofNullable(live.get(VpnHostMaps.OWN_SPIS)),
                /* calls= */ calls(live)))
        : Optional.empty();
  }

  private static Optional<OfCalls> calls(Map<String, NftSet> live) {
    return live.keySet()
            .containsAll(Set.of(VpnHostMaps.CALLS, VpnHostMaps.CALL_IDS, VpnHostMaps.CALLED))
        ? Optional.of(
            new OfCalls(
                named(live, VpnHostMaps.CALLS),
                named(live, VpnHostMaps.CALL_IDS),
                named(live, VpnHostMaps.CALLED)))
        : Optional.empty();
  }

  private static NftSet named(Map<String, NftSet> live, String name) {
    return Optional.ofNullable(live.get(name)).orElseThrow();
  }

  /** Every map that follows the tunnels. */
  public List<NftSet> all() {
    List<NftSet> all = new ArrayList<>();
    groups.forEach(of -> all.add(of.map()));
    zones.ifPresent(all::add);
    virtual.forEach(of -> all.add(of.map()));
    return all;
  }

  /** The name of the tunnel's connection in the IKE daemon's configuration. */
  public static String connection(Tunnel tunnel) {
    return Swanctl.connection(tunnel);
  }

  /** The section of a tunnel's first pool of a family; none where it is leased or has none. */
  public static Optional<String> pool(Tunnel.RemoteAccess access, Family family) {
    return access.leased() ? Optional.empty() : Swanctl.pool(access, family);
  }

  /** The name of its child there; others of the same connection are not this tunnel's. */
  public static String child(Tunnel tunnel) {
    return Swanctl.child(tunnel);
  }
}
