package io.gatehouse.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * docs/guide.md does what it says: what stands in its frames is typed here, on hosts that have
 * nothing but their addresses.
 */
@Tag("full")
class GuideIT {
  private static final String WIRES =
      """
      wire gw:eth0 203.0.113.2/24 -- isp:gw 203.0.113.1/24
      wire isp:laptop 198.51.100.1/24 -- laptop:eth0 198.51.100.7/24
      wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
      route gw default via 203.0.113.1
      route laptop default via 198.51.100.1
      route files default via 10.0.1.1
      set isp net.ipv4.ip_forward=1
      """;

  /** Without C2, whose work takes longer in emulation than it saves. */
  private static final String SETTINGS =
      "GATEHOUSE_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 GATEHOUSE_BUILD=never";

  private static final String PASSWORD = "swordfish";

  /** The text between two fences of the guide, by a word that stands in it alone. */
  private static String frame(String guide, String word) {
    List<String> found = new ArrayList<>();
    List<String> parts = List.of(guide.split("(?m)^```[a-z]*$", -1));
    for (int i = 1; i < parts.size(); i += 2) {
      if (parts.get(i).contains(word)) {
        found.add(parts.get(i).strip());
      }
    }
    assertThat(found).as(word).hasSize(1);
    return found.getFirst();
  }

  /** Commands without what stands beside them. */
  private static List<String> commands(String frame) {
    return frame
        .replace("\\\n", " ")
        .lines()
        .map(line -> line.split(" {3,}(?=[a-z])", 2)[0])
        .toList();
  }

  /** Types commands in a host, in a directory of its own, and stops where one fails. */
  private static Answer typed(Network net, String host, String directory, List<String> commands) {
    return net.lab()
        .run(
            """
            lab-in %s bash <<'END'
            set -e
            gatehouse() { %s %s "$@" || [ "$1 $?" = 'plan 2' ]; }
            mkdir -p %s
            cd %s
            %s
            END
            """
                .formatted(
                    net.host(host).namespace(),
                    SETTINGS,
                    Lab.HOME.resolve("gatehouse"),
                    directory,
                    directory,
                    String.join("\n", commands)),
            Duration.ofMinutes(15));
  }

  private static Consumer<String> startsWith(String start) {
    return text -> assertThat(text).startsWith(start);
  }

  @Test
  void leadsFromAnEmptyHostToASplitTunnelWithALinuxClient() throws IOException {
    String guide = Files.readString(Lab.HOME.resolve("docs/guide.md"));
    String layers = Files.readString(Lab.HOME.resolve("lab/layers"));
    List<String> install =
        List.of(commands(frame(guide, "apt install")).getFirst().split(" +", -1));
    assertThat(install).startsWith("apt", "install").hasSizeGreaterThan(2);
    assertThat(install.subList(2, install.size()))
        .as("what the guide installs is what the lab has")
        .allSatisfy(name -> assertThat(layers).containsPattern(" " + name + "( |\n)"));

    try (Network net = Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_INET).network(WIRES)) {
      Host gw = net.host("gw");
      Host laptop = net.host("laptop");
      gw.write("/etc/work/office.yaml", frame(guide, "version: 1") + "\n");
      // An operator confirms within the minute; in emulation the next command alone takes that.
      typed(
              net,
              "gw",
              "/etc/work",
              commands(frame(guide, "--confirm 60s").replace("--confirm 60s", "--confirm 1h")))
          .expected();
      assertThat(gw.run("nft", "list", "tables").expected().out()).contains("inet gatehouse");

      // systemd starts it there.
      gw.run("lab-charon", "start").expected();
      typed(net, "gw", "/etc/work", commands(frame(guide, "pki --gen"))).expected();
      gw.write(
          "/etc/swanctl/conf.d/secrets.conf", frame(guide, "eap-alice").replace("…", PASSWORD));
      List<String> tunnel = new ArrayList<>(commands(frame(guide, "--load-all")));
      assertThat(tunnel.getLast()).isEqualTo("gatehouse run office.yaml");
      tunnel.set(
          tunnel.size() - 1,
          "%s setsid %s run office.yaml > /var/log/gatehouse.log 2>&1 < /dev/null &\n"
                  .formatted(SETTINGS, Lab.HOME.resolve("gatehouse"))
              + "daemon=$!; until grep -q follows /var/log/gatehouse.log; do kill -0 $daemon; sleep 0.2; done");
      typed(net, "gw", "/etc/work", tunnel).expected();

      List<String> clients = commands(frame(guide, "--write out").replace("SYSTEM", "linux"));
      String files = "cat out/office-staff.conf; echo ====; cat /etc/swanctl/x509ca/ca.pem";
      String written =
          typed(net, "gw", "/etc/work", List.of(clients.getFirst() + " > /dev/null", files))
              .expected()
              .out();
      List<String> parts = List.of(written.split("====\n", -1));
      laptop.write(
          "/etc/swanctl/conf.d/office-staff.conf",
          parts.getFirst().replace("CHANGE-ME-user", "alice"));
      assertThat(parts.getFirst().replace("CHANGE-ME-user", "")).doesNotContain("CHANGE-ME");
      laptop.write("/etc/swanctl/x509ca/ca.pem", parts.getLast());
      laptop.write(
          "/etc/swanctl/conf.d/password.conf",
          "secrets { eap-alice { id = alice\nsecret = \"%s\" } }\n".formatted(PASSWORD));
      laptop.script("echo 203.0.113.2 vpn.example.org >> /etc/hosts").expected();
      laptop.run("lab-charon", "start").expected();
      Answer up =
          laptop.script(
              """
              for i in $(seq 300); do
                swanctl --list-sas | grep -q INSTALLED && exit 0
                sleep 0.2
              done
              cat /var/log/charon.log
              exit 1
              """);
      assertThat(up.status()).as(up.out()).isZero();

      assertThat(
              laptop
                  .run("ip", "-4", "route", "show", "table", "220")
                  .expected()
                  .out()
                  .lines()
                  .map(line -> line.split(" ", -1)[0])
                  .collect(Collectors.toList()))
          .containsExactly("10.0.1.0/24");
      laptop.script("ping -c 2 -W 5 10.0.1.1 >&2").expected();
      Sightings seen =
          net.probe(
              "watch isp",
              "office tcp from=laptop to=files dst=10.0.1.20:445",
              "beside tcp from=laptop to=isp dst=203.0.113.1:80",
              "out tcp from=files to=isp dst=203.0.113.1:81");
      assertThat(seen.of("office").from()).hasValueSatisfying(startsWith("10.0.3.1:"));
      assertThat(seen.of("office").seenAt("isp")).as("in clear on the way").isFalse();
      assertThat(seen.of("beside").from()).hasValueSatisfying(startsWith("198.51.100.7:"));
      assertThat(seen.of("out").from()).hasValueSatisfying(startsWith("203.0.113.2:"));

      // All but the last: what the doctor says of a connected client is in ExamineTest.
      List<String> right = commands(frame(guide, "gatehouse sessions"));
      assertThat(right.getLast()).isEqualTo("gatehouse doctor");
      assertThat(typed(net, "gw", "/etc/work", right.subList(0, right.size() - 1)).expected().out())
          .contains("10.0.3.1", "arrives");
    }
  }
}
