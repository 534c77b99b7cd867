package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * libreswan clients behind Gatehouse, one libreswan server in the world, raw ESP between them: none
 * of them encapsulates. Client {@code i} has 192.168.(10 + i).1 inside its tunnel, the server
 * 192.168.100.1.
 */
final class Peers implements AutoCloseable {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static final String SEQUENCE = "icmp_seq=";

  /** The last second's pings. */
  private static final int IN_FLIGHT = 4;

  private static final String DESCRIPTION =
      """
      version: 1
      gateway: masq
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      host: { output: closed }
      masquerade: { clients: office }
      """;

  /** A server inside too, for these remotes. */
  private static final String WITH_SERVER_INSIDE =
      DESCRIPTION.replace(
          "clients: office",
          "clients: office, servers: [{ host: 10.0.1.80, from: [203.0.113.8, 203.0.113.1] }]");

  /** The host between them has a tunnel of its own with the very same server. */
  private static final String WITH_OWN_TUNNEL =
      DESCRIPTION
          + """
          tunnels:
            branch:
              type: site-to-site
              peer: 203.0.113.1
              local: office
              remote: 192.168.100.0/24
              reach: office
              esp: { proposals: [aes128-sha1], encapsulation: never }
          """;

  /** Its end: without MOBIKE its IKE stays on port 500, where the clients' is. */
  private static final String OWN_END =
      """
      connections {
        branch {
          mobike = no
          local { auth = psk
            id = gw }
          remote { auth = psk
            id = srv }
        }
      }
      secrets { ike { secret = "%s" } }
      """
          .formatted(SECRET);

  /** And the server's. */
  private static final String OWN_FAR_END =
      """
      conn own
      %s  left=203.0.113.1
        leftid=@srv
        leftsubnet=192.168.100.0/24
        right=203.0.113.2
        rightid=@gw
        rightsubnet=10.0.1.0/24
      """
          .formatted(common(Keying.V2, "no"));

  /** Nothing but what everybody has: the baseline. */
  private static final String STOCK =
      """
      table ip nat {
        chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
      }
      """;

  /**
   * How a client agrees on keys.
   *
   * @param seconds that a client's SA lives; a third of it before, the client asks for the next
   */
  record Keying(int version, int seconds) {
    static final Keying V1 = new Keying(1, 28_800);
    static final Keying V2 = new Keying(2, 28_800);

    /** Nobody can tell libreswan to ask for new SAs of version 1: it has to be their time. */
    static final Keying V1_SOON = new Keying(1, 45);
  }

  /** Who stands beside the clients and their server. */
  private enum Beside {
    NOBODY,
    /** Nobody, and the host between them translates nothing. */
    NOBODY_ROUTED,
    /** The host between them has its own tunnel with the clients' server. */
    OWN_TUNNEL,
    /** A server inside, with raw ESP: for a remote of its own, and for the clients' server. */
    RAW_SERVER,
    /** A server inside for a remote of its own; both find the NAT and go on with port 4500. */
    NAT_T_SERVER;

    boolean isServer() {
      return this == RAW_SERVER || this == NAT_T_SERVER;
    }

    /** Who has a tunnel with the server inside. */
    List<String> remotes() {
      return switch (this) {
        case NOBODY, NOBODY_ROUTED, OWN_TUNNEL -> List.of();
        case RAW_SERVER -> List.of("road", "srv");
        case NAT_T_SERVER -> List.of("road");
      };
    }
  }

  /** An end of tunnels: its name, address, and what is behind it. */
  private record End(String name, String address, String inner) {
    static final End SITE = new End("site", "10.0.1.80", "192.168.80.1");
    static final End ROAD = new End("road", "203.0.113.8", "192.168.108.1");
    static final End SERVER = new End("srv", "203.0.113.1", "192.168.100.1");

    static End remote(String name) {
      return name.equals("road") ? ROAD : SERVER;
    }

    /** Translated where the other end sees it. */
    End seen() {
      return equals(SITE) ? new End(name, "203.0.113.2", inner) : this;
    }

    String tunnel(End far, String common) {
      return """
      conn %s
      %s  left=%s
        leftid=@%s
        leftsubnet=%s/32
        right=%s
        rightid=@%s
        rightsubnet=%s/32
      """
          .formatted(
              far.name, common, address, name, inner, far.seen().address, far.name, far.inner);
    }
  }

  private final Network net;
  private final int clients;
  private final Beside beside;

  private Peers(Network net, int clients, Beside beside) {
    this.net = net;
    this.clients = clients;
    this.beside = beside;
  }

  /**
   * Lays the wires and starts Gatehouse and all peers; nobody has a session yet.
   *
   * @param keying for a client's number
   */
  static Peers behindGatehouse(int clients, IntFunction<Keying> keying) {
    return of(clients, Beside.NOBODY, keying, peers -> peers.gate().run(DESCRIPTION));
  }

  /**
   * The same, and {@code site} inside is a server too: for {@code road}, and with raw ESP for the
   * clients' own server. Nobody has begun with it.
   *
   * @param natT whether its ends may encapsulate, which they do as they find the NAT
   */
  static Peers behindGatehouseWithAServer(int clients, boolean natT) {
    return of(
        clients,
        natT ? Beside.NAT_T_SERVER : Beside.RAW_SERVER,
        i -> Keying.V2,
        peers -> peers.gate().run(WITH_SERVER_INSIDE));
  }

  /**
   * The same, and Gatehouse's host runs strongSwan for a tunnel of its own between its LAN, on
   * which {@code pc} is, and the clients' server. Nobody has begun it.
   */
  static Peers behindOneWithItsOwnTunnel(int clients) {
    return of(
        clients,
        Beside.OWN_TUNNEL,
        i -> Keying.V2,
        peers -> {
          peers.net.charon(
              new Network.Peer("gw", Described.of(WITH_OWN_TUNNEL).swanctl() + OWN_END));
          peers.again();
        });
  }

  /** Starts Gatehouse once more where it has its own tunnel. */
  void again() {
    gate().run(WITH_OWN_TUNNEL);
  }

  /** And where it does not find the strongSwan of that tunnel. */
  void againWithoutItsDaemon() {
    new Gate(net.lab(), host("gw")).run(WITH_OWN_TUNNEL);
  }

  /** The same with what everybody has in Gatehouse's place. */
  static Peers behindStock(int clients, IntFunction<Keying> keying) {
    return of(clients, Beside.NOBODY, keying, peers -> peers.host("gw").nft(STOCK));
  }

  /**
   * The same where the host between them only routes: the server sees each under its own address.
   */
  static Peers routed(int clients, IntFunction<Keying> keying) {
    return of(clients, Beside.NOBODY_ROUTED, keying, peers -> {});
  }

  private static Peers of(
      int clients, Beside beside, IntFunction<Keying> keying, Consumer<Peers> between) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    StringBuilder wires = new StringBuilder("host srv beside libreswan\n");
    StringBuilder lan = new StringBuilder("wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24");
    for (int i = 1; i <= clients; i++) {
      wires.append("host c%d beside libreswan%nroute c%d default via 10.0.1.1%n".formatted(i, i));
      lan.append(" -- c%d:eth0 10.0.1.%d/24".formatted(i, 10 + i));
    }
    String road = "";
    if (beside.isServer()) {
      wires.append("host site beside libreswan\nhost road beside libreswan\n");
      wires.append("route site default via 10.0.1.1\nroute road default via 203.0.113.2\n");
      lan.append(" -- site:eth0 10.0.1.80/24");
      road = " -- road:eth0 203.0.113.8/24";
    }
    Network net =
        lab.network(
            """
            %s
            wire gw:eth0 203.0.113.2/24 -- srv:eth0 203.0.113.1/24 -- other:eth0 203.0.113.9/24%s
            %s
            route gw default via 203.0.113.1
            route srv default via 203.0.113.2
            route other 10.0.1.0/24 via 203.0.113.2
            route pc default via 10.0.1.1
            set gw net.ipv4.ip_forward=1
            """
                .formatted(wires, road, lan));
    Peers peers = new Peers(net, clients, beside);
    CompletableFuture<Void> middle = CompletableFuture.runAsync(() -> between.accept(peers));
    try {
      peers.start(keying);
    } finally {
      middle.join();
    }
    return peers;
  }

  private static String common(Keying keying, String encapsulation) {
    return """
      authby=secret
      ikev2=%s
      encapsulation=%s
      salifetime=%ds
      rekeymargin=%ds
      rekeyfuzz=0%%
      ike=aes128-sha2_256-dh31
      esp=aes128-sha1
      pfs=no
      leftupdown=%%disabled
      auto=add
    """
        .formatted(
            keying.version == 2 ? "yes" : "no", encapsulation, keying.seconds, keying.seconds / 3);
  }

  private void start(IntFunction<Keying> keying) {
    StringBuilder server = new StringBuilder("config setup\n  ikev1-policy=accept\n");
    StringBuilder script = new StringBuilder();
    for (int i = 1; i <= clients; i++) {
      Keying its = keying.apply(i);
      server.append(
          """
          conn c%1$d
          %2$s  left=203.0.113.1
            leftid=@srv
            leftsubnet=192.168.100.1/32
            right=%4$s
            rightid=@c%1$d
            rightsubnet=192.168.%3$d.1/32
          """
              .formatted(
                  i,
                  common(new Keying(its.version, Keying.V2.seconds), "no"),
                  10 + i,
                  beside == Beside.NOBODY_ROUTED ? "10.0.1." + (10 + i) : "203.0.113.2"));
      String client =
          """
          config setup
            ikev1-policy=accept
          conn vpn
          %2$s  left=10.0.1.%3$d
            leftid=@c%1$d
            leftsubnet=192.168.%3$d.1/32
            right=203.0.113.1
            rightid=@srv
            rightsubnet=192.168.100.1/32
          """
              .formatted(i, common(its, "no"), 10 + i);
      script.append(pluto("c" + i, client, "192.168." + (10 + i) + ".1"));
    }
    if (beside == Beside.OWN_TUNNEL) {
      server.append(OWN_FAR_END);
    }
    if (beside.isServer()) {
      String common = common(Keying.V2, beside == Beside.RAW_SERVER ? "no" : "auto");
      StringBuilder site = new StringBuilder("config setup\n");
      for (String remote : beside.remotes()) {
        site.append(End.SITE.tunnel(End.remote(remote), common));
      }
      script.append(pluto("site", site.toString(), End.SITE.inner));
      String road = "config setup\n" + End.ROAD.tunnel(End.SITE, common);
      script.append(pluto("road", road, End.ROAD.inner));
      if (beside.remotes().contains("srv")) {
        server.append(End.SERVER.tunnel(End.SITE, common));
      }
    }
    script.append(pluto("srv", server.toString(), "192.168.100.1"));
    script.append("for one in ${starting[@]}; do wait $one || exit 1; done\n");
    net.lab().run(script.toString(), Duration.ofMinutes(5)).expected();
  }

  private String pluto(String name, String configuration, String inner) {
    String host = net.host(name).namespace();
    return """
    cat > /tmp/%1$s.conf <<'END'
    %2$s
    END
    { lab-in %1$s ip addr add %3$s/32 dev lo && lab-in %1$s lab-pluto start /tmp/%1$s.conf %4$s; } &
    starting+=($!)
    """
        .formatted(host, configuration, inner, SECRET);
  }

  Host host(String name) {
    return net.host(name);
  }

  /** Gatehouse in the host between them. */
  Gate gate() {
    return beside == Beside.OWN_TUNNEL
        ? new Gate(net.lab(), host("gw"), "/run/charon.vici")
        : new Gate(net.lab(), host("gw"));
  }

  /** All clients at once begin a session; how many had one within the time. */
  int initiate(IntStream who, int seconds) {
    return whack(who.mapToObj(i -> "c" + i + " --name vpn --initiate").toList(), seconds);
  }

  /** Whack's words behind a host's name, all at once; how many succeeded. */
  int whack(List<String> all, int seconds) {
    StringBuilder script = new StringBuilder();
    for (String one : all) {
      String[] parts = one.split(" ", 2);
      script.append(
          "lab-in %s timeout %d /usr/libexec/ipsec/whack --rundir /run/pluto %s > /dev/null && echo up &%n"
              .formatted(host(parts[0]).namespace(), seconds, parts[1]));
    }
    Answer answer = net.lab().run(script + "wait\n", Duration.ofMinutes(10));
    return (int) answer.out().lines().filter("up"::equals).count();
  }

  int initiate(int seconds) {
    return initiate(IntStream.rangeClosed(1, clients), seconds);
  }

  /**
   * Clients, or the server towards each, ask at the same time and in the same rhythm.
   *
   * @param count packets of each; whoever lacks an answer goes on asking for a while
   * @return how many of these were answered, for each client
   */
  List<Integer> pings(IntStream who, boolean serverFirst, int count) {
    return ask(who.mapToObj(i -> ping(i, serverFirst, count)).toList(), count);
  }

  List<Integer> pings(boolean serverFirst, int count) {
    return pings(IntStream.rangeClosed(1, clients), serverFirst, count);
  }

  /** Both ends of the tunnel of the host between them ask; how many were answered, for each. */
  List<Integer> ownPings(int count) {
    return ask(List.of(ownPing(false, count), ownPing(true, count)), count);
  }

  /** The remote begins with the server inside; whether it came to a session. */
  boolean begunWithSite(String remote) {
    return whack(List.of(remote + " --name site --initiate"), 120) == 1;
  }

  /** The server inside and each of its remotes ask; how many were answered, for each. */
  List<Integer> sitePings(boolean remoteFirst, int count) {
    return ask(
        beside.remotes().stream()
            .map(End::remote)
            .map(remote ->
                remoteFirst
                    ? ping(remote.name, remote.inner, End.SITE.inner, count)
                    : ping("site", End.SITE.inner, remote.inner, count))
            .toList(),
        count);
  }

  /** How many SAs a host's kernel has that are encapsulated, and how many that are not. */
  List<Integer> encapsulated(String name) {
    String out = host(name).run("ip", "xfrm", "state").expected().out();
    int all = (int) out.lines().filter(line -> line.startsWith("src ")).count();
    int inUdp = (int) out.lines().filter(line -> line.contains("espinudp")).count();
    return List.of(inUdp, all - inUdp);
  }

  private String ownPing(boolean serverFirst, int count) {
    return serverFirst
        ? ping("srv", End.SERVER.inner, "10.0.1.20", count)
        : ping("pc", "10.0.1.20", End.SERVER.inner, count);
  }

  private static String inner(int client) {
    return "192.168." + (10 + client) + ".1";
  }

  private String ping(int client, boolean serverFirst, int count) {
    return serverFirst
        ? ping("srv", End.SERVER.inner, inner(client), count)
        : ping("c" + client, inner(client), End.SERVER.inner, count);
  }

  private String ping(String name, String from, String to, int count) {
    return "lab-in %s ping -n -I %s -c %d -i 0.3 -w 40 %s"
        .formatted(host(name).namespace(), from, count, to);
  }

  /** With a deadline, ping sends more than its count where answers are late; the first count. */
  private List<Integer> ask(List<String> pings, int count) {
    StringBuilder script = new StringBuilder("asked=$(mktemp -d)\n");
    for (int i = 0; i < pings.size(); i++) {
      script.append(pings.get(i)).append(" > $asked/").append(i).append(" &\n");
    }
    script.append("wait\nfor ((i = 0; i < ").append(pings.size()).append("; i++)); do\n");
    script.append("  echo of; grep -o 'icmp_seq=[0-9]*' $asked/$i | sort -u\ndone\n");
    List<Integer> answered = new ArrayList<>();
    for (String line :
        net.lab().run(script.toString(), Duration.ofMinutes(5)).out().split("\n", -1)) {
      if (line.equals("of")) {
        answered.add(0);
      } else if (line.startsWith(SEQUENCE)
          && Integer.parseInt(line.substring(SEQUENCE.length())) <= count) {
        answered.set(answered.size() - 1, answered.getLast() + 1);
      }
    }
    assertThat(answered).hasSize(pings.size());
    return answered;
  }

  /** Sends probes, as {@code lab-probe} takes them, and tells which arrived. */
  List<String> arrived(String... lines) {
    return net.probe(lines).fates().values().stream()
        .filter(Fate::arrived)
        .map(Fate::probe)
        .sorted()
        .toList();
  }

  /**
   * New SAs in the place of old ones, all at once; how many asked without a complaint.
   *
   * @param byServer whether the server asks
   */
  int rekeyed(IntStream who, boolean byServer) {
    return whack(who.mapToObj(i -> rekey(i, byServer)).toList(), 60);
  }

  /** Whack's words. */
  private static String rekey(int client, boolean byServer) {
    return "%s --name %s --rekey-ipsec"
        .formatted(byServer ? "srv" : "c" + client, byServer ? "c" + client : "vpn");
  }

  /** What became of a client's pings while SAs were replaced. */
  record Lost(int sent, int lost) {}

  /**
   * Clients ask four times a second, all the while that SAs are replaced: those of some by
   * themselves, those of others by the server, all at once; or whose time is over.
   *
   * @param who asks
   * @param until whose SAs have to be others before it ends
   * @return for each who asks; the last second is not reckoned, whose answers may be on their way
   */
  List<Lost> lostMeanwhile(
      IntStream who, List<Integer> byClient, List<Integer> byServer, List<Integer> until) {
    List<Integer> asking = who.boxed().toList();
    StringBuilder script = new StringBuilder("asked=$(mktemp -d)\nexec 9<> <(:)\n");
    script.append("spis() { lab-in $1 ip xfrm state | ");
    script.append("grep -A1 'src 203.0.113.1 dst 10' | grep -o 'spi 0x[0-9a-f]*'; }\n");
    for (int i : until) {
      script.append(
          "before%1$d=$(spis %2$s)\n[[ $before%1$d ]] || echo none\n"
              .formatted(i, host("c" + i).namespace()));
    }
    for (int i : asking) {
      script.append(
          "lab-in %s ping -n -I %s -i 0.25 -w 280 %s > $asked/%d &\npings+=($!)\n"
              .formatted(host("c" + i).namespace(), inner(i), End.SERVER.inner, i));
    }
    for (int i : asking) {
      script.append(
          "until grep -q icmp_seq= $asked/%d; do read -r -t 0.2 -u 9; done\n".formatted(i));
    }
    byClient.forEach(i -> script.append(inBackground(rekey(i, false))));
    byServer.forEach(i -> script.append(inBackground(rekey(i, true))));
    script.append("for one in ${asks[@]}; do wait $one || echo refused; done\n");
    // The old ones stay a second longer: new ones beside them are enough.
    for (int i : until) {
      script.append(
          "until spis %s | grep -qvxF \"$before%d\"; do kill -0 ${pings[0]} || { echo same; break; }; read -r -t 0.5 -u 9; done\n"
              .formatted(host("c" + i).namespace(), i));
    }
    // Until the old ones are deleted, and a while under the new ones.
    script.append("read -r -t 5 -u 9\n");
    script.append("for one in ${pings[@]}; do kill -0 $one || echo ended; done\n");
    script.append("kill -INT ${pings[@]}\nwait ${pings[@]}\n");
    for (int i : asking) {
      script.append(
          "echo of; grep -o 'icmp_seq=[0-9]*' $asked/%1$d | sort -u; grep -o '^[0-9]* packets' $asked/%1$d\n"
              .formatted(i));
    }
    Answer answer = net.lab().run(script.toString(), Duration.ofMinutes(9));
    List<String> lines = answer.out().lines().toList();
    assertThat(lines).as(answer::toString).doesNotContain("none", "refused", "same", "ended");
    List<Lost> all = new ArrayList<>();
    List<Integer> answered = new ArrayList<>();
    for (String line : lines) {
      if (line.equals("of")) {
        answered.clear();
      } else if (line.startsWith(SEQUENCE)) {
        answered.add(Integer.parseInt(line.substring(SEQUENCE.length())));
      } else if (line.endsWith(" packets")) {
        int sent = Integer.parseInt(line.substring(0, line.indexOf(' '))) - IN_FLIGHT;
        all.add(new Lost(sent, sent - (int) answered.stream().filter(i -> i <= sent).count()));
      }
    }
    assertThat(all).as(answer::toString).hasSize(asking.size());
    return all;
  }

  private String inBackground(String whack) {
    String[] parts = whack.split(" ", 2);
    return "lab-in %s timeout 60 /usr/libexec/ipsec/whack --rundir /run/pluto %s > /dev/null & asks+=($!)\n"
        .formatted(host(parts[0]).namespace(), parts[1]);
  }

  /** Kills a client, which says nothing, and puts a new one without memory in its place. */
  void replace(String client) {
    host(client)
        .script(
            """
            kill -9 $(cut -d' ' -f1 /run/pluto/pluto.pid)
            ip xfrm state flush
            ip xfrm policy flush
            rm -f /run/pluto/*
            lab-pluto start /tmp/%s.conf %s
            """
                .formatted(net.host(client).namespace(), SECRET))
        .expected();
  }

  /** The inbound SPIs of a client, as its kernel has them. */
  List<String> spis(String client) {
    String out =
        host(client)
            .script("ip xfrm state | grep -A1 'src 203.0.113.1 dst 10' | grep -o 'spi 0x[0-9a-f]*'")
            .out();
    return out.lines().map(line -> line.substring(4)).toList();
  }

  /** What all have written, for a failure. */
  String logs() {
    StringBuilder logs = new StringBuilder(gate().state());
    List<String> names = new ArrayList<>(List.of("c1", "c" + clients, "srv"));
    if (beside.isServer()) {
      names.addAll(List.of("site", "road"));
    }
    for (String name : names) {
      logs.append(name).append('\n').append(host(name).script("tail -30 /var/log/pluto.log").out());
    }
    return logs.toString();
  }

  @Override
  public void close() {
    net.close();
  }
}
