package io.gatehouse.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** strongSwan takes the fragments that belong to descriptions, and clients come in by them. */
class SwanctlIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.9/24 }
        lan: { device: eth1, role: inside, addresses: [10.0.1.1/24, "2001:db8:1::1/64"] }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      services: { dns: [udp/53] }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.3.0/24, "2001:db8:3::/64"]
          reach: office
          services: dns
          dns: 10.0.1.1
          esp: { proposals: [aes128gcm16], encapsulation: always }
        legacy:
          type: l2tp
          esp: { proposals: [aes128-sha1] }
      """;

  private static final String GATEWAY_AUTHENTICATION =
      """
      connections {
        staff {
          local { auth = psk }
          remote { auth = psk }
        }
        legacy {
          local { auth = psk }
          remote { auth = psk }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String LAPTOP =
      """
      connections {
        office {
          version = 2
          remote_addrs = 203.0.113.9
          vips = 0.0.0.0, ::
          local { auth = psk }
          remote { auth = psk }
          children {
            everything {
              remote_ts = 0.0.0.0/0, ::/0
              esp_proposals = aes128gcm16
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String DESKTOP =
      """
      connections {
        office {
          version = 1
          remote_addrs = 203.0.113.9
          local { auth = psk }
          remote { auth = psk }
          children {
            l2tp {
              mode = transport
              local_ts = dynamic[udp/1701]
              remote_ts = dynamic[udp/1701]
              esp_proposals = aes128-sha1
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  @Test
  void roadWarriorsAndL2tpClientsComeInByTheFragments() {
    Described described = Described.of(DESCRIPTION);
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.9/24 -- laptop:eth0 203.0.113.20/24 -- desktop:eth0 203.0.113.30/24
            wire gw:eth1 10.0.1.1/24 2001:db8:1::1/64 -- files:eth0 10.0.1.20/24
            """)) {
      net.charon(
          new Network.Peer("gw", described.swanctl() + GATEWAY_AUTHENTICATION),
          new Network.Peer("laptop", LAPTOP),
          new Network.Peer("desktop", DESKTOP));

      net.host("laptop").initiate("everything").expected();
      String laptop = net.host("laptop").run("swanctl", "--list-sas").expected().out();
      assertThat(laptop)
          .contains(
              "TUNNEL-in-UDP",
              "10.0.3.1/32",
              "2001:db8:3::1/128",
              "10.0.1.0/24",
              "2001:db8:1::1/128")
          .doesNotContain("0.0.0.0/0");

      net.host("desktop").initiate("l2tp").expected();
      String policies = net.host("gw").run("ip", "xfrm", "policy").expected().out();
      assertThat(policies)
          .containsPattern(
              "src 203.0.113.9/32 dst 203.0.113.30/32 proto udp sport 1701.*\\n.*dir out.*\\n\\s*mark 0x[0-9a-f]+/0xffffff");
      // What was decrypted is marked, and the other bits of the mark stay as they were.
      assertThat(net.host("gw").run("ip", "-d", "xfrm", "state").expected().out())
          .containsPattern(
              "src 203.0.113.30 dst 203.0.113.9\\n(.*\\n)+?\\s*output-mark 0x[0-9a-f]+/0xffffff");
    }
  }

  @Test
  void theFragmentsOfEveryExampleLoad() throws IOException {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP);
    List<Path> examples;
    try (Stream<Path> files = Files.list(Lab.HOME.resolve("examples"))) {
      examples = files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
    StringBuilder script = new StringBuilder();
    List<String> expected = new ArrayList<>();
    for (Path example : examples) {
      Described described = Described.of(example);
      if (described.swanctl().isEmpty()) {
        continue;
      }
      script
          .append("cat > /tmp/fragments <<'END'\n%sEND\n".formatted(described.swanctl()))
          .append("echo '%s'\n".formatted(example.getFileName()))
          .append("swanctl --load-pools --file /tmp/fragments | grep ^loaded.pool\n")
          .append("swanctl --load-conns --file /tmp/fragments | grep ^loaded.conn\n");
      expected.add(example.getFileName().toString());
      pools(described.swanctl()).stream()
          // No pool of its own: the plugin of that name leases.
          .filter(pool -> !pool.equals("dhcp"))
          .forEach(pool -> expected.add("loaded pool '" + pool + "'"));
      connections(described.swanctl())
          .forEach(name -> expected.add("loaded connection '" + name + "'"));
    }
    assertThat(expected).hasSizeGreaterThan(20);
    try (Network net = lab.network("host gw")) {
      net.charon(new Network.Peer("gw", ""));
      Host gateway = net.host("gw");
      Answer answer = gateway.script(script.toString());
      assertThat(answer.out().lines()).containsExactlyInAnyOrderElementsOf(expected);
      assertThat(answer.err()).isEmpty();
    }
  }

  private static List<String> connections(String fragments) {
    return sections("connections {\n  ", fragments);
  }

  private static List<String> pools(String fragments) {
    return fragments
        .lines()
        .filter(line -> line.startsWith("    pools = "))
        .flatMap(line -> Stream.of(line.substring(12).split(", ")))
        .toList();
  }

  /** The first section inside each one that begins so. */
  private static List<String> sections(String beginning, String fragments) {
    List<String> names = new ArrayList<>();
    for (int at = fragments.indexOf(beginning);
        at >= 0;
        at = fragments.indexOf(beginning, at + 1)) {
      int name = at + beginning.length();
      names.add(fragments.substring(name, fragments.indexOf(" {", name)));
    }
    return names;
  }
}
