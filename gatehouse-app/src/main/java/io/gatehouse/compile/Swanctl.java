package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A tunnel's part of swanctl.conf: what the rules take for granted about its SAs. How peers are
 * authenticated is not ours to know; it stands in a file of its own beside this one, and strongSwan
 * merges sections of the same name.
 */
final class Swanctl {
  private static final Pattern NO_NAME = Pattern.compile("[^A-Za-z0-9_@+%-]");

  private final Gateway gateway;
  private final Selectors selectors;
  private final Tunnel tunnel;
  private final List<Note> notes = new ArrayList<>();
  private final Sections text = new Sections();

  private Swanctl(Gateway gateway, Selectors selectors, Tunnel tunnel) {
    this.gateway = gateway;
    this.selectors = selectors;
    this.tunnel = tunnel;
  }

  static Advice of(Gateway gateway, Selectors selectors, Tunnel tunnel) {
    Swanctl swanctl = new Swanctl(gateway, selectors, tunnel);
    swanctl.write();
    Companion fragment =
        new Companion.SwanctlFragment(tunnel.name(), swanctl.text.toString(), tunnel.origin());
    return new Advice(List.of(fragment), swanctl.notes);
  }

  /** The section of the connection, as the fragment names it. */
  static String connection(Tunnel tunnel) {
    return plain(asked(tunnel.ike().map(Tunnel.Ike::connection), tunnel));
  }

  /** The section of its child. */
  static String child(Tunnel tunnel) {
    return plain(asked(tunnel.ike().flatMap(Tunnel.Ike::child), tunnel));
  }

  private static String asked(Optional<String> name, Tunnel tunnel) {
    return name.orElse(tunnel.name());
  }

  private void write() {
    String connection = section(asked(tunnel.ike().map(Tunnel.Ike::connection), tunnel));
    String child = section(asked(tunnel.ike().flatMap(Tunnel.Ike::child), tunnel));
    text.comment(
        "Tunnel " + tunnel.name() + ", " + tunnel.origin().place() + ". Written by gatehouse.");
    text.comment("How both ends prove who they are is yours: put it beside this file,");
    text.comment("where sections of the same name are merged, with secrets only there:");
    text.comment("  connections { " + connection + " { local { auth = … } remote { auth = … } } }");
    text.comment("  secrets { … }");
    text.comment("No updown script is needed, the rules stand before the tunnel does.");
    text.open("connections").open(connection);
    text.set("version", tunnel instanceof Tunnel.L2tp ? "1" : "2");
    text.set("local_addrs", localAddresses());
    text.set("remote_addrs", remoteAddresses());
    if (tunnel.esp().encapsulation() == Esp.Encapsulation.ALWAYS) {
      text.set("encap", "yes");
    }
    if (tunnel instanceof Tunnel.RemoteAccess access) {
      text.set("pools", access.leased() ? List.of("dhcp") : names(access.pools()));
    }
    if (tunnel instanceof Tunnel.Client client) {
      text.set("vips", client.addresses().stream().map(a -> asked(a.value())).toList());
      text.set("keyingtries", "0"); // until it stands: nothing else leaves meanwhile
    }
    text.set("dpd_delay", "30s"); // a peer that vanished takes its policies with it
    text.open("children").open(child);
    switch (tunnel) {
      case Tunnel.RemoteAccess access -> remoteAccess(access);
      case Tunnel.SiteToSite site -> siteToSite(site);
      case Tunnel.Client client -> client(client);
      case Tunnel.L2tp l2tp -> transport();
    }
    text.set("esp_proposals", tunnel.esp().proposals().stream().map(Located::value).toList());
    if (tunnel instanceof Tunnel.Client client && client.full()) {
      beside();
    }
    text.close().close().close().close();
    if (tunnel instanceof Tunnel.RemoteAccess access) {
      if (access.leased()) {
        leased(access);
      } else {
        pools(access);
      }
    }
  }

  private void remoteAccess(Tunnel.RemoteAccess access) {
    text.set("mode", "tunnel");
    if (!access.groups().isEmpty()) {
      text.comment("One child serves every group: the selectors cover what any of them reaches,");
      text.comment("and the rules narrow each virtual IP to its own group's share.");
    }
    List<Prefix> local = selectors();
    text.set("local_ts", local);
    groupsElsewhere(access);
    text.set("remote_ts", "dynamic"); // the virtual IP
    text.set("dpd_action", "clear");
    for (Located<Address> dns : access.dns()) {
      if (local.stream().noneMatch(selector -> selector.contains(dns.value()))) {
        notes.add(
            new Note(
                "Clients of "
                    + tunnel.name()
                    + " are told the name server "
                    + dns.value()
                    + ", but their questions will not come through the tunnel: nothing that it reaches holds that address.",
                dns.origin()));
      }
    }
  }

  /** A client cannot know that the internet is for some groups only. */
  private void groupsElsewhere(Tunnel.RemoteAccess access) {
    List<String> allowed =
        access.groups().stream()
            .filter(group -> toInternet(group.reach()))
            .map(Tunnel.Group::name)
            .toList();
    boolean everybody = toInternet(access.reach()) && allowed.size() == access.groups().size();
    if (!everybody && (toInternet(access.reach()) || !allowed.isEmpty())) {
      notes.add(
          new Note(
              "All clients of "
                  + tunnel.name()
                  + " are told to send everything into the tunnel, because some of them reach the internet through"
                  + " it; the others lose theirs. Give these a tunnel and a pool of their own.",
              tunnel.origin()));
    }
  }

  private static boolean toInternet(List<Reach> reach) {
    return reach.stream().anyMatch(r -> r.place() instanceof Place.Internet);
  }

  private void siteToSite(Tunnel.SiteToSite site) {
    text.set("mode", "tunnel");
    text.set("local_ts", selectors());
    text.set("remote_ts", Selectors.outermost(site.remote().stream().map(Located::value).toList()));
    if (canBegin()) {
      // Traffic brings it up, and again after it was lost.
      text.set("start_action", "trap");
      text.set("close_action", "trap");
      text.set("dpd_action", "trap");
    } else {
      text.comment("The peer has no address of its own here: it has to begin.");
      text.set("start_action", "none");
    }
  }

  /** The virtual IP is our end; the tunnel stands before anybody uses it, and comes back. */
  private void client(Tunnel.Client client) {
    text.set("mode", "tunnel");
    text.set("local_ts", "dynamic"); // the virtual IP
    text.set("remote_ts", remote(client));
    text.set("start_action", "start");
    text.set("close_action", "start");
    text.set("dpd_action", "restart");
    List<Located<Prefix>> fixed =
        client.addresses().stream().filter(address -> address.value().isHost()).toList();
    if (!fixed.isEmpty()) {
      notes.add(
          new Note(
              "The server of "
                  + tunnel.name()
                  + " has to give this host "
                  + fixed.stream()
                      .map(address -> address.value().first().toString())
                      .collect(Collectors.joining(", "))
                  + ", always the same: another virtual IP carries nothing of our networks.",
              fixed.getFirst().origin()));
    }
    if (!client.followed().isEmpty() && !client.local().isEmpty()) {
      notes.add(
          new Note(
              "Which address of "
                  + client.followed().stream()
                      .map(address -> address.value().toString())
                      .collect(Collectors.joining(", "))
                  + " the server of "
                  + tunnel.name()
                  + " gives this host, `gatehouse run` is told: before it is, and after another came while it does"
                  + " not run, nothing of our networks goes there.",
              client.followed().getFirst().origin()));
    }
  }

  /** What a virtual IP is asked for by: itself, or any. */
  private static Address asked(Prefix virtual) {
    return virtual.isHost()
        ? virtual.first()
        : (virtual.family() == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6).first();
  }

  /**
   * RFC 3193: only L2TP's own packets, and a mark for each SA, which the kernel puts on what it
   * decrypted.
   */
  private void transport() {
    notes.add(
        new Note(
            "The devices that pppd makes for clients of "
                + tunnel.name()
                + " are none of this description yet: nothing is forwarded between them and our networks.",
            tunnel.origin()));
    notes.add(
        new Note(
            "Clients of "
                + tunnel.name()
                + " are told apart by the marks of their SAs, and `gatehouse run` is what does it: while it does not"
                + " run, whoever comes new is refused.",
            tunnel.origin()));
    String mask = String.format("0x%08x", gateway.numbers().saMarkMask());
    text.set("mode", "transport");
    text.set("local_ts", "dynamic[udp/1701]");
    text.set("remote_ts", "dynamic[udp]"); // any port: NAT changes it
    text.set("mark_in", "%unique/" + mask);
    text.set("mark_out", "%unique/" + mask);
    text.set("set_mark_in", "%same/" + mask);
    text.set("dpd_action", "clear");
  }

  private static List<Prefix> remote(Tunnel.Client client) {
    return client.full()
        ? Stream.of(Prefix.ALL_V4, Prefix.ALL_V6)
            .filter(all -> client.address(all.family()).isPresent())
            .toList()
        : Selectors.outermost(client.remote().stream().map(Located::value).toList());
  }

  /**
   * strongSwan's route for everything stands before those of our networks: a child without IPsec
   * takes them out of it.
   */
  private void beside() {
    List<Prefix> networks =
        Selectors.outermost(gateway.networks().stream().flatMap(gateway::prefixes).toList());
    if (!networks.isEmpty()) {
      text.close().open(child(tunnel) + "-beside");
      text.set("mode", "pass");
      text.set("local_ts", networks);
      text.set("remote_ts", networks);
      text.set("start_action", "trap");
    }
  }

  /**
   * What strongSwan's dhcp plugin and the server have to be told. With identity_lease, hardware
   * addresses are made of who the clients are, and begin with 7a:a7.
   */
  private void leased(Tunnel.RemoteAccess access) {
    String lans =
        Dhcp.leasing(gateway, access).stream()
            .map(lan -> lan.on().device())
            .distinct()
            .collect(Collectors.joining(", "));
    String pools =
        access.pools().stream().map(p -> p.value().toString()).collect(Collectors.joining(", "));
    notes.add(
        new Note(
            "Clients of "
                + tunnel.name()
                + " get their addresses from the LAN's DHCP server: load strongSwan's dhcp plugin, with"
                + " `interface = "
                + lans
                + "` and `identity_lease = yes` in charon.plugins.dhcp. farp is not needed: `gatehouse"
                + " run` answers for them.",
            access.origin()));
    notes.add(
        new Note(
            "That server has to lease "
                + pools
                + " to hardware addresses that begin with 7a:a7, and to nobody else: whoever has another"
                + " address reaches nothing through "
                + tunnel.name()
                + ", and nobody on the LAN may have one of these. strongSwan does not renew: leases"
                + " have to last longer than sessions.",
            access.pools().getFirst().origin()));
  }

  private void pools(Tunnel.RemoteAccess access) {
    text.open("pools");
    for (Located<Prefix> pool : access.pools()) {
      text.open(name(access.pools(), pool));
      text.set("addrs", pool.value().toString());
      // Each name server with the first pool of its family, so that nobody is told it twice.
      text.set(
          "dns",
          access.dns().stream()
              .map(Located::value)
              .filter(dns -> pool.equals(poolOf(access, dns.family())))
              .map(Address::toString)
              .toList());
      text.close();
    }
    text.close();
  }

  private static Located<Prefix> poolOf(Tunnel.RemoteAccess access, Family family) {
    return access.pools().stream()
        .filter(pool -> pool.value().family() == family)
        .findFirst()
        .orElse(access.pools().getFirst());
  }

  /** The section of the first pool of a family. */
  static Optional<String> pool(Tunnel.RemoteAccess access, Family family) {
    return access.pools().stream()
        .filter(pool -> pool.value().family() == family)
        .findFirst()
        .map(pool -> plain(access.name()) + numbered(access.pools(), pool));
  }

  private List<String> names(List<Located<Prefix>> pools) {
    return pools.stream().map(pool -> name(pools, pool)).toList();
  }

  private String name(List<Located<Prefix>> pools, Located<Prefix> pool) {
    return section(tunnel.name()) + numbered(pools, pool);
  }

  private static String numbered(List<Located<Prefix>> pools, Located<Prefix> pool) {
    return pools.size() == 1 ? "" : "-" + (pools.indexOf(pool) + 1);
  }

  /**
   * The fixed addresses, and all of a family whose addresses are followed; nothing where that is
   * everything.
   */
  private List<String> localAddresses() {
    List<String> addresses = new ArrayList<>();
    boolean fixed = false;
    for (Family family : OuterFamilies.ofPeers(tunnel)) {
      if (tunnel.on().stream().anyMatch(on -> on.isFollowed(family))) {
        addresses.add((family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6).toString());
      } else {
        List<String> written =
            tunnel.on().stream()
                .flatMap(on -> on.addresses().stream())
                .map(address -> address.value().address())
                .filter(address -> address.family() == family)
                .map(Address::toString)
                .distinct()
                .toList();
        addresses.addAll(written);
        fixed |= !written.isEmpty();
      }
    }
    return fixed ? addresses : List.of();
  }

  private List<String> remoteAddresses() {
    List<Peer> peers = tunnel.peers().stream().map(Located::value).toList();
    if (peers.stream().anyMatch(Peer.Anybody.class::isInstance)) {
      return List.of();
    }
    return peers.stream()
        .map(peer ->
            switch (peer) {
              case Peer.At at ->
                  isHost(at.prefix()) ? at.prefix().first().toString() : at.prefix().toString();
              case Peer.Named named -> named.host();
              case Peer.Anybody anybody -> "%any";
            })
        .toList();
  }

  /** Whether the IKE daemon knows whom to call: it calls the first. */
  private boolean canBegin() {
    return switch (tunnel.peers().getFirst().value()) {
      case Peer.At at -> isHost(at.prefix());
      case Peer.Named named -> true;
      case Peer.Anybody anybody -> false;
    };
  }

  private static boolean isHost(Prefix prefix) {
    return prefix.length() == prefix.family().bits();
  }

  /** What may come in by the tunnel. strongSwan installs no route for a selector with ports. */
  private List<Prefix> selectors() {
    List<Prefix> local = selectors.local(tunnel);
    if (Selectors.offers(tunnel)
        && selectors.inside(tunnel).isEmpty()
        && local.stream().noneMatch(Prefix::isAll)) {
      notes.add(
          new Note(
              "The services of "
                  + tunnel.name()
                  + " on this host are outside the tunnel's selectors, because no inside interface has a fixed"
                  + " address there: write it under `interfaces:`, such as `addresses: [10.0.1.1/24]`.",
              tunnel.origin()));
    }
    return local;
  }

  /**
   * A name that strongSwan's parser takes for a section (strongswan.conf(5)); whatever it does not
   * take becomes a dash.
   */
  private String section(String name) {
    String plain = plain(name);
    if (!plain.equals(name)) {
      Note note =
          new Note(
              "strongSwan cannot read the section name `"
                  + name
                  + "`: the fragment says `"
                  + plain
                  + "`.",
              tunnel.origin());
      if (!notes.contains(note)) {
        notes.add(note);
      }
    }
    return plain;
  }

  private static String plain(String name) {
    return NO_NAME.matcher(name).replaceAll("-");
  }

  /** Nested sections in strongSwan's syntax. */
  private static final class Sections {
    private final StringBuilder text = new StringBuilder();
    private int depth;

    private Sections line(String line) {
      text.append("  ".repeat(depth)).append(line).append('\n');
      return this;
    }

    Sections comment(String comment) {
      return line("# " + comment);
    }

    Sections open(String name) {
      line(name + " {");
      depth++;
      return this;
    }

    Sections close() {
      depth--;
      return line("}");
    }

    Sections set(String key, String value) {
      return line(key + " = " + value);
    }

    /** Nothing where the list is empty: strongSwan's default. */
    Sections set(String key, List<?> values) {
      return values.isEmpty()
          ? this
          : set(key, values.stream().map(Object::toString).collect(Collectors.joining(", ")));
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }
}
