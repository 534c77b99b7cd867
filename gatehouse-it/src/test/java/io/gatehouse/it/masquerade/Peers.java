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
          .formatted(common(2));

  /** Nothing but what everybody has: the baseline. */
  private static final String STOCK =
      """
      table ip nat {
        chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
      }
      """;

  private final Network net;
  private final int clients;
  private final boolean own;

  private Peers(Network net, int clients, boolean own) {
    this.net = net;
    this.clients = clients;
    this.own = own;
  }

  /**
   * Lays the wires and starts Gatehouse and all peers; nobody has a session yet.
   *
   * @param version of IKE, for a client's number
   */
  static Peers behindGatehouse(int clients, IntFunction<Integer> version) {
    return of(clients, false, version, peers -> peers.gate().run(DESCRIPTION));
  }

  /**
   * The same, and Gatehouse's host runs strongSwan for a tunnel of its own between its LAN, on
   * which {@code pc} is, and the clients' server. Nobody has begun it.
   */
  static Peers behindOneWithItsOwnTunnel(int clients) {
    return of(
        clients,
        true,
        i -> 2,
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
  static Peers behindStock(int clients, IntFunction<Integer> version) {
    return of(clients, false, version, peers -> peers.host("gw").nft(STOCK));
  }

  private static Peers of(
      int clients, boolean own, IntFunction<Integer> version, Consumer<Peers> between) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    StringBuilder wires = new StringBuilder("host srv beside libreswan\n");
    StringBuilder lan = new StringBuilder("wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24");
    for (int i = 1; i <= clients; i++) {
      wires.append("host c%d beside libreswan%nroute c%d default via 10.0.1.1%n".formatted(i, i));
      lan.append(" -- c%d:eth0 10.0.1.%d/24".formatted(i, 10 + i));
    }
    Network net =
        lab.network(
            """
            %s
            wire gw:eth0 203.0.113.2/24 -- srv:eth0 203.0.113.1/24 -- other:eth0 203.0.113.9/24
            %s
            route gw default via 203.0.113.1
            route srv default via 203.0.113.2
            route other 10.0.1.0/24 via 203.0.113.2
            route pc default via 10.0.1.1
            set gw net.ipv4.ip_forward=1
            """
                .formatted(wires, lan));
    Peers peers = new Peers(net, clients, own);
    CompletableFuture<Void> middle = CompletableFuture.runAsync(() -> between.accept(peers));
    try {
      peers.start(version);
    } finally {
      middle.join();
    }
    return peers;
  }

  private static String common(int version) {
    return """
      authby=secret
      ikev2=%s
      encapsulation=no
      ike=aes128-sha2_256-dh31
      esp=aes128-sha1
      pfs=no
      leftupdown=%%disabled
      auto=add
    """
        .formatted(version == 2 ? "yes" : "no");
  }

  private void start(IntFunction<Integer> version) {
    StringBuilder server = new StringBuilder("config setup\n  ikev1-policy=accept\n");
    StringBuilder script = new StringBuilder();
    for (int i = 1; i <= clients; i++) {
      String tunnel = common(version.apply(i));
      server.append(
          """
          conn c%1$d
          %2$s  left=203.0.113.1
            leftid=@srv
            leftsubnet=192.168.100.1/32
            right=203.0.113.2
            rightid=@c%1$d
            rightsubnet=192.168.%3$d.1/32
          """
              .formatted(i, tunnel, 10 + i));
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
              .formatted(i, tunnel, 10 + i);
      script.append(pluto("c" + i, client, "192.168." + (10 + i) + ".1"));
    }
    if (own) {
      server.append(OWN_FAR_END);
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
    return own
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

  private String ownPing(boolean serverFirst, int count) {
    return "lab-in %s ping -n -I %s -c %d -i 0.3 -w 40 %s"
        .formatted(
            host(serverFirst ? "srv" : "pc").namespace(),
            serverFirst ? "192.168.100.1" : "10.0.1.20",
            count,
            serverFirst ? "10.0.1.20" : "192.168.100.1");
  }

  private String ping(int client, boolean serverFirst, int count) {
    String inside = "192.168." + (10 + client) + ".1";
    String server = "192.168.100.1";
    return "lab-in %s ping -n -I %s -c %d -i 0.3 -w 40 %s"
        .formatted(
            host(serverFirst ? "srv" : "c" + client).namespace(),
            serverFirst ? server : inside,
            count,
            serverFirst ? inside : server);
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
    return whack(
        who.mapToObj(i ->
                "%s --name %s --rekey-ipsec"
                    .formatted(byServer ? "srv" : "c" + i, byServer ? "c" + i : "vpn"))
            .toList(),
        60);
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
    for (String name : List.of("c1", "c" + clients, "srv")) {
      logs.append(name).append('\n').append(host(name).script("tail -30 /var/log/pluto.log").out());
    }
    return logs.toString();
  }

  @Override
  public void close() {
    net.close();
  }
}
