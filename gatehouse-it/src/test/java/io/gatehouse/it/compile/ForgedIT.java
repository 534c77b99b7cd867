package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Packets that borrow somebody's connection, and packets that conntrack makes nothing of. */
class ForgedIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 -- net:gw 203.0.113.1/24 198.51.100.10/32
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire gw:eth2 192.0.2.65/27 -- dmz:eth0 192.0.2.70/27
      route gw default via 203.0.113.1
      route pc default via 10.0.1.1
      route dmz default via 192.0.2.65
      route net 10.0.1.0/24 via 203.0.113.2
      route net 192.0.2.64/27 via 203.0.113.2
      """;

  private Network net;
  private Host gw;

  @BeforeEach
  void build() {
    net =
        Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC).network(WORLD);
    gw = net.host("gw");
    // What the wire beyond the gateway sees of addresses that mean nothing there.
    net.host("net")
        .nft(
            """
            table ip witness {
              counter seen { }
              chain in {
                type filter hook prerouting priority -400
                ip saddr 10.0.1.0/24 counter name seen
              }
            }
            """);
    gw.write("/etc/gatehouse/forged.yaml", DESCRIPTION);
    gw.gatehouse("apply", "/etc/gatehouse/forged.yaml").expected();
  }

  private static final String DESCRIPTION =
      """
      version: 1
      gateway: forged
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, gateway: 203.0.113.1 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
        dmz: { device: eth2, role: inside, addresses: 192.0.2.65/27 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
        servers: { on: dmz, prefixes: 192.0.2.64/27 }
      host:
        internet: office
        flows: { from: office, to: servers/udp/7000 }
      """;

  @AfterEach
  void tearDown() {
    if (net != null) {
      net.close();
    }
  }

  /** The tuple of an established connection opens no way in for the world. */
  @Test
  void nobodyOutsideRidesOnAConnectionOfTheLan() {
    String flow = "dst=192.0.2.70:7000 src=10.0.1.20:5000";
    assertThat(net.probe("own udp from=pc to=dmz " + flow).of("own").replied()).isTrue();

    assertThat(net.probe("forged udp from=net to=dmz spoof " + flow).of("forged").arrived())
        .isFalse();
    assertThat(net.probe("again udp from=pc to=dmz " + flow).of("again").replied()).isTrue();
  }

  /** NAT looks only at what conntrack understands: a lone RST would keep its private source. */
  @Test
  void whatConntrackMakesNothingOfDoesNotLeaveWithItsPrivateSource() {
    lonelyReset();
    assertThat(seen()).isZero();

    // The control: without either of the rules it does.
    without("invalid counter .*");
    lonelyReset();
    assertThat(seen()).as("the guard alone").isZero();
    without("@translated4 .*");
    lonelyReset();
    assertThat(seen()).as("neither").isPositive();
  }

  /** Sends a TCP segment with RST alone, of no connection. */
  private void lonelyReset() {
    net.host("pc")
        .script(
            """
            python3 - <<'END'
            import socket, struct
            s, d = socket.inet_aton("10.0.1.20"), socket.inet_aton("198.51.100.10")
            def segment(check):
                return struct.pack("!HHIIBBHHH", 40000, 80, 1, 0, 5 << 4, 4, 0, check, 0)
            words = struct.unpack("!16H", s + d + struct.pack("!BBH", 0, 6, 20) + segment(0))
            total = sum(words)
            total = (total & 0xffff) + (total >> 16)
            total = ~((total & 0xffff) + (total >> 16)) & 0xffff
            out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
            for _ in range(3):
                out.sendto(segment(total), ("198.51.100.10", 0))
            END
            sleep 0.2
            """)
        .expected();
  }

  private int seen() {
    String counter =
        net.host("net").run("nft", "list", "counter", "ip", "witness", "seen").expected().out();
    return Integer.parseInt(counter.replaceAll("(?s).*packets (\\d+).*", "$1"));
  }

  /** Takes the rules of our table away whose text matches. */
  private void without(String rule) {
    gw.script(
            """
            nft -s list table inet gatehouse > /tmp/table
            grep -qE '%1$s' /tmp/table
            { echo delete table inet gatehouse; grep -vE '%1$s' /tmp/table; } | nft -f -
            """
                .formatted(rule))
        .expected();
  }
}
