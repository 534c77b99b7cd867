package io.gatehouse.it.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.clients.Clients;
import io.gatehouse.clients.Known;
import io.gatehouse.clients.Platform;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.model.Gateway;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A DHCP client of somebody else's reads the routes that we have a DHCP server hand out. */
class DhcpClientIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.9/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24, router: 10.0.1.254 }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.3.0/24, 10.6.128.0/17]
          reach: office
      """;

  /** What udhcpc runs: the routes as it has read them, and the kernel's from option 121. */
  private static final String BOUND =
      """
      #!/bin/sh
      [ "$1" = bound ] || exit 0
      echo "121 $staticroutes"
      echo "249 $msstaticroutes"
      ip addr add "$ip/$mask" dev "$interface"
      set -- $staticroutes
      while [ $# -ge 2 ]; do ip route add "$1" via "$2" || exit; shift 2; done
      """;

  @Test
  void aDhcpClientHasTheWaysBackThroughTheGateway() {
    Gateway gateway = Descriptions.gateway("test.yaml", DESCRIPTION);
    String options =
        Clients.of(
                gateway,
                Compiler.compile(gateway),
                gateway.tunnel("staff").orElseThrow(),
                Platform.DHCP,
                Known.nothing())
            .files()
            .stream()
            .filter(file -> file.name().endsWith("-dhcp.txt"))
            .findFirst()
            .orElseThrow()
            .text()
            .lines()
            .filter(line -> line.startsWith("dhcp-option="))
            .collect(Collectors.joining("\n"));
    assertThat(options.lines()).hasSize(2);
    Optional<Path> busybox = busybox();
    assumeTrue(busybox.isPresent(), "the host lacks busybox");
    Lab lab = Lab.with(Feature.VETH);
    try (Network net = lab.network("wire router:lan 10.0.1.254/24 -- pc:eth0 192.0.2.1/32")) {
      net.host("router")
          .script(
              """
              cat > /etc/lab-dnsmasq.conf <<'END'
              port=0
              no-resolv
              interface=lan
              bind-interfaces
              dhcp-authoritative
              dhcp-leasefile=/run/lab-leases
              dhcp-range=10.0.1.100,10.0.1.110,1h
              pid-file=/run/lab-dnsmasq.pid
              user=root
              %s
              END
              dnsmasq --conf-file=/etc/lab-dnsmasq.conf >&2
              """
                  .formatted(options))
          .expected();
      net.host("pc").write("/etc/lab-bound", BOUND);
      Answer bound =
          net.host("pc")
              .script(
                  "chmod +x /etc/lab-bound\n%s udhcpc -f -q -n -t 20 -T 1 -i eth0 -s /etc/lab-bound -O staticroutes -O msstaticroutes"
                      .formatted(busybox.get()))
              .expected();
      String routes = "10.0.3.0/24 10.0.1.1 10.6.128.0/17 10.0.1.1 0.0.0.0/0 10.0.1.254";
      assertThat(bound.out().lines()).contains("121 " + routes, "249 " + routes);
      assertThat(
              net.host("pc")
                  .run("ip", "-4", "route", "show", "scope", "global")
                  .expected()
                  .out()
                  .lines()
                  .map(String::strip))
          .containsExactlyInAnyOrder(
              "default via 10.0.1.254 dev eth0",
              "10.0.3.0/24 via 10.0.1.1 dev eth0",
              "10.6.128.0/17 via 10.0.1.1 dev eth0");
    }
  }

  /** The lab's own, which an emulated machine starts with, or the host's. */
  private static Optional<Path> busybox() {
    Optional<String> cache = Optional.ofNullable(System.getenv("GATEHOUSE_LAB_CACHE"));
    Optional<String> user = Optional.ofNullable(System.getenv("XDG_CACHE_HOME"));
    Path layers =
        cache
            .map(Path::of)
            .or(() -> user.map(dir -> Path.of(dir, "gatehouse/lab")))
            .orElse(Path.of(System.getProperty("user.home"), ".cache/gatehouse/lab"));
    return Stream.of(
            layers.resolve("root-qemu/usr/bin/busybox"),
            Path.of("/bin/busybox"),
            Path.of("/usr/bin/busybox"))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
