package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * libreswan clients behind Gatehouse, one libreswan server in the world, raw ESP between them: none
 * of them encapsulates. Client {@code i} has 192.168.(10 + i).1 inside its tunnel, the server
 * 192.168.100.1.
 */
final class Peers implements AutoCloseable {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static final Pattern RECEIVED = Pattern.compile("(\\d+) received");

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

  private final Network net;
  private final int clients;

  private Peers(Network net, int clients) {
    this.net = net;
    this.clients = clients;
  }

  /**
   * Lays the wires and starts all peers; nobody has a session yet.
   *
   * @param version of IKE, for a client's number
   */
  static Peers of(int clients, IntFunction<Integer> version) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    StringBuilder wires = new StringBuilder("host srv beside libreswan\n");
    StringBuilder lan = new StringBuilder("wire gw:eth1 10.0.1.1/24 -- switched:eth0");
    for (int i = 1; i <= clients; i++) {
      wires.append("host c%d beside libreswan%nroute c%d default via 10.0.1.1%n".formatted(i, i));
      lan.append(" -- c%d:eth0 10.0.1.%d/24".formatted(i, 10 + i));
    }
    Network net =
        lab.network(
            """
            %s
            wire gw:eth0 203.0.113.2/24 -- srv:eth0 203.0.113.1/24
            %s
            route gw default via 203.0.113.1
            route srv default via 203.0.113.2
            set gw net.ipv4.ip_forward=1
            """
                .formatted(wires, lan));
    Peers peers = new Peers(net, clients);
    peers.start(version);
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
      auto=add
    """
        .formatted(version == 2 ? "yes" : "no");
  }

  private void start(IntFunction<Integer> version) {
    StringBuilder server = new StringBuilder("config setup\n");
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
    return new Gate(net.lab(), host("gw"));
  }

  /** Starts the daemon, and waits until it follows. */
  void gatehouse() {
    gate().run(DESCRIPTION);
  }

  /** All clients at once begin a session; how many had one within the time. */
  int initiate(IntStream who, int seconds) {
    String script =
        who.mapToObj(i ->
                """
                lab-in %s timeout %d /usr/libexec/ipsec/whack --rundir /run/pluto --name vpn --initiate \
                  > /tmp/i%d 2>&1 && echo up &
                """
                    .formatted(net.host("c" + i).namespace(), seconds, i))
            .collect(Collectors.joining());
    Answer answer = net.lab().run(script + "wait\n", Duration.ofMinutes(5));
    return (int) answer.out().lines().filter("up"::equals).count();
  }

  int initiate(int seconds) {
    return initiate(IntStream.rangeClosed(1, clients), seconds);
  }

  /** Everybody at once; how many of the packets were answered, for each client. */
  List<Integer> pings(boolean serverFirst, int count) {
    StringBuilder script = new StringBuilder();
    for (int i = 1; i <= clients; i++) {
      String client = "192.168." + (10 + i) + ".1";
      String server = "192.168.100.1";
      script.append(
          "lab-in %s ping -n -I %s -c %d -i 0.3 -W 3 %s > /tmp/p%d &%n"
              .formatted(
                  net.host(serverFirst ? "srv" : "c" + i).namespace(),
                  serverFirst ? server : client,
                  count,
                  serverFirst ? client : server,
                  i));
    }
    script.append("wait\n");
    for (int i = 1; i <= clients; i++) {
      script.append("grep received /tmp/p").append(i).append(" || echo 0 received\n");
    }
    List<Integer> received = new ArrayList<>();
    Answer answer = net.lab().run(script.toString(), Duration.ofMinutes(5));
    Matcher matcher = RECEIVED.matcher(answer.out());
    while (matcher.find()) {
      received.add(Integer.parseInt(matcher.group(1)));
    }
    assertThat(received).as(answer.err()).hasSize(clients);
    return received;
  }

  /** What all have written, for a failure. */
  String logs() {
    return gate().state() + host("c1").script("tail -30 /var/log/pluto.log").out();
  }

  @Override
  public void close() {
    net.close();
  }
}
