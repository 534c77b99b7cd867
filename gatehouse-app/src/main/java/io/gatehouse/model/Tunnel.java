package io.gatehouse.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** An IPsec tunnel, or the many of one kind that one connection of the IKE daemon serves. */
public sealed interface Tunnel {
  String name();

  /** The outside interfaces that it may use; never empty. */
  List<Interface> on();

  /** Who may be on the other end; never empty. */
  List<Located<Peer>> peers();

  /** How its SAs are recognised at the IKE daemon. */
  Optional<Ike> ike();

  Esp esp();

  Mss mss();

  /** What those may begin who come through it; for groups see {@link Group}. */
  List<Reach> reach();

  /** What this host offers to those who come through it; for groups see {@link Group}. */
  List<Located<Service>> services();

  /** Its clients as identities tell them apart. */
  default List<Group> groups() {
    return List.of();
  }

  /** What some of those may begin who come through it, whatever group they are in. */
  default Stream<Reach> reachOfAnybody() {
    return Stream.concat(
        reach().stream(), groups().stream().flatMap(group -> group.reach().stream()));
  }

  /** Networks of ours that its other end knows by other addresses. */
  default List<Image> images() {
    return List.of();
  }

  /** Whether the other end knows our networks of a family by other addresses. */
  default boolean maps(Family family) {
    return images().stream().anyMatch(image -> image.of().family() == family);
  }

  /** What the other end knows by that prefix. */
  default Prefix behind(Prefix known) {
    return images().stream()
        .filter(image -> image.as().value().equals(known))
        .map(Image::of)
        .findFirst()
        .orElse(known);
  }

  /** A prefix of ours as the other end knows it. */
  default Prefix image(Prefix here) {
    return images().stream()
        .filter(image -> image.of().equals(here))
        .map(image -> image.as().value())
        .findFirst()
        .orElse(here);
  }

  Origin origin();

  /** The addresses on its other end: the pools, or the remote networks. */
  List<Located<Prefix>> farPrefixes();

  /** The IKE daemon's names for it. */
  record Ike(String connection, Optional<String> child) {}

  /** How hosts of the LAN find the way back to virtual IPs. */
  enum Return {
    /** By routes: this host is their default gateway, or their router is told. */
    ROUTED,
    /** This host answers ARP and neighbour solicitations for them: the pool is inside a LAN. */
    PROXY,
    /** They never see virtual IPs but this host's inside address. */
    NAT
  }

  /**
   * Clients that come from anywhere and are given virtual IPs.
   *
   * @param pools never empty
   * @param leased whether the LAN's DHCP server gives them out, and not the IKE daemon
   * @param wayBack how the LAN answers
   * @param reach what everybody may reach who is in no group; with groups, an identity not yet
   *     known gets only what it and all groups have in common
   * @param dns name servers that clients are told
   */
  record RemoteAccess(
      String name,
      List<Interface> on,
      List<Located<Peer>> peers,
      Optional<Ike> ike,
      Esp esp,
      Mss mss,
      List<Located<Prefix>> pools,
      boolean leased,
      Return wayBack,
      List<Reach> reach,
      List<Located<Service>> services,
      List<Located<Address>> dns,
      List<Group> groups,
      Origin origin)
      implements Tunnel {
    public RemoteAccess {
      on = List.copyOf(on);
      peers = List.copyOf(peers);
      pools = List.copyOf(pools);
      reach = List.copyOf(reach);
      services = List.copyOf(services);
      dns = List.copyOf(dns);
      groups = List.copyOf(groups);
    }

    @Override
    public List<Located<Prefix>> farPrefixes() {
      return pools;
    }
  }

  /**
   * Clients of a remote-access tunnel that an identity tells apart.
   *
   * @param reach instead of the tunnel's
   * @param services instead of the tunnel's
   */
  record Group(
      String name, Match match, List<Reach> reach, List<Located<Service>> services, Origin origin) {
    public Group {
      reach = List.copyOf(reach);
      services = List.copyOf(services);
    }
  }

  /**
   * Which identity makes a member.
   *
   * @param kind which of the peer's identities counts
   * @param pattern the identity; {@code *} stands for any characters
   */
  record Match(Kind kind, String pattern) {
    /** The identities that an IKE daemon reports. */
    public enum Kind {
      /** The IKE identity. */
      IKE_ID,
      /** The EAP identity. */
      EAP_ID,
      /** The XAuth user name (IKEv1). */
      XAUTH_ID
    }
  }

  /**
   * A network of ours as the other end knows it: one to one, the same place in another prefix.
   *
   * @param of as it is here
   * @param as of the same family and length
   */
  record Image(Prefix of, Located<Prefix> as) {
    /** A part of the network as the other end knows it. */
    public Prefix moved(Prefix part) {
      return new Prefix(
          new Address(
              of.family(),
              part.first().high() ^ of.first().high() ^ as.value().first().high(),
              part.first().low() ^ of.first().low() ^ as.value().first().low()),
          part.length());
    }
  }

  /**
   * Networks here and networks there.
   *
   * @param local never empty
   * @param appearsAs where the other end knows the local networks by other addresses: each prefix
   *     of a family, or none of it
   * @param remote never empty
   * @param reach what they may begin towards us; each local network wholly where the description
   *     does not say
   * @param outbound what we may begin towards them; empty means everything
   */
  record SiteToSite(
      String name,
      List<Interface> on,
      List<Located<Peer>> peers,
      Optional<Ike> ike,
      Esp esp,
      Mss mss,
      List<Network> local,
      List<Image> appearsAs,
      List<Located<Prefix>> remote,
      List<Reach> reach,
      List<Service> outbound,
      List<Located<Service>> services,
      Origin origin)
      implements Tunnel {
    public SiteToSite {
      on = List.copyOf(on);
      peers = List.copyOf(peers);
      local = List.copyOf(local);
      appearsAs = List.copyOf(appearsAs);
      remote = List.copyOf(remote);
      reach = List.copyOf(reach);
      outbound = List.copyOf(outbound);
      services = List.copyOf(services);
    }

    @Override
    public List<Located<Prefix>> farPrefixes() {
      return remote;
    }

    @Override
    public List<Image> images() {
      return appearsAs;
    }
  }

  /**
   * This host is the VPN client. The tunnel brings it a virtual IP; hosts of its networks use the
   * tunnel too, and appear in it under that address.
   *
   * @param peers the server; never empty
   * @param addresses what the virtual IPs are out of, at most one prefix to a family; a single
   *     address where it is always the same; never empty
   * @param local networks that use the tunnel; empty where this host alone does
   * @param remote networks there; never empty
   * @param full whether that is all that is not ours, so that nothing else leaves this host
   * @param outbound what {@code local} may begin there; empty means everything
   */
  record Client(
      String name,
      List<Interface> on,
      List<Located<Peer>> peers,
      Optional<Ike> ike,
      Esp esp,
      Mss mss,
      List<Located<Prefix>> addresses,
      List<Network> local,
      List<Located<Prefix>> remote,
      boolean full,
      List<Service> outbound,
      List<Located<Service>> services,
      Origin origin)
      implements Tunnel {
    /**
     * All that routers carry, NAT64's addresses among them (RFC 6052): neither what stays on its
     * link, nor groups of hosts, nor hosts without an address.
     */
    public static final List<Prefix> EVERYTHING =
        Stream.of(
                "1.0.0.0/8 2.0.0.0/7 4.0.0.0/6 8.0.0.0/5 16.0.0.0/4 32.0.0.0/3 64.0.0.0/3"
                    + " 96.0.0.0/4 112.0.0.0/5 120.0.0.0/6 124.0.0.0/7 126.0.0.0/8 128.0.0.0/2"
                    + " 192.0.0.0/3",
                "64::/16 100::/8 200::/7 400::/6 800::/5 1000::/4 2000::/3 4000::/2 8000::/2"
                    + " c000::/3 e000::/4 f000::/5 f800::/6 fc00::/7 fe00::/9")
            .flatMap(text -> Stream.of(text.split(" ", -1)))
            .map(Prefix::of)
            .toList();

    public Client {
      on = List.copyOf(on);
      peers = List.copyOf(peers);
      addresses = List.copyOf(addresses);
      local = List.copyOf(local);
      remote = List.copyOf(remote);
      outbound = List.copyOf(outbound);
      services = List.copyOf(services);
    }

    /** What the virtual IP of a family is out of. */
    public Optional<Prefix> address(Family family) {
      return addresses.stream()
          .map(Located::value)
          .filter(address -> address.family() == family)
          .findFirst();
    }

    /** What virtual IPs are out of that are not always the same. */
    public List<Located<Prefix>> followed() {
      return addresses.stream().filter(address -> !address.value().isHost()).toList();
    }

    /** What others may begin through it is for this host alone: nobody knows its networks there. */
    @Override
    public List<Reach> reach() {
      return List.of();
    }

    /**
     * A virtual IP out of a remote network is this host itself. Where nobody knows which it will
     * be, the others of its prefix are still there.
     */
    @Override
    public List<Located<Prefix>> farPrefixes() {
      List<Prefix> own = addresses.stream().map(Located::value).filter(Prefix::isHost).toList();
      return remote.stream()
          .flatMap(there ->
              there.value().without(own).stream().map(rest -> new Located<>(rest, there.origin())))
          .toList();
    }
  }

  /** L2TP in transport mode (RFC 3193): UDP 1701 to this host, never in clear. */
  record L2tp(
      String name,
      List<Interface> on,
      List<Located<Peer>> peers,
      Optional<Ike> ike,
      Esp esp,
      Mss mss,
      List<Located<Service>> services,
      Origin origin)
      implements Tunnel {
    public L2tp {
      on = List.copyOf(on);
      peers = List.copyOf(peers);
      services = List.copyOf(services);
    }

    @Override
    public List<Reach> reach() {
      return List.of();
    }

    @Override
    public List<Located<Prefix>> farPrefixes() {
      return List.of();
    }
  }
}
