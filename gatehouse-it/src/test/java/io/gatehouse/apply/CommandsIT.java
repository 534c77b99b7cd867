package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The commands as a user gives them on a gateway, and what packets see of it. */
class CommandsIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 -- net:eth0 203.0.113.1/24
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      route gw default via 203.0.113.1
      route pc default via 10.0.1.1
      route net 10.0.1.0/24 via 203.0.113.2
      """;

  private static final String OFFICE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, gateway: 203.0.113.1 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      services: { both: tcp/1001, old: tcp/1002, new: tcp/1003 }
      host:
        admin: { from: office, services: [ssh, both, %s] }
        internet: [office]
      tunnels:
        staff:
          type: remote-access
          ike: { connection: staff }
          pools: 10.0.3.0/24
          reach: [office]
      """;

  private static Network net;
  private static Host gw;

  @BeforeAll
  static void build() {
    net =
        Lab.with(
                Feature.VETH,
                Feature.BRIDGE,
                Feature.NFT_INET,
                Feature.NFT_NAT,
                Feature.NFT_IPSEC,
                Feature.XFRM_POLICY)
            .network(WORLD);
    gw = net.host("gw");
    gw.write("/etc/old.yaml", OFFICE.formatted("old"));
    gw.write("/etc/new.yaml", OFFICE.formatted("new"));
  }

  @AfterAll
  static void tearDown() {
    if (net != null) {
      net.close();
    }
  }

  @BeforeEach
  void bare() {
    // Forwards already, as a router does before it has a firewall.
    gw.script("echo 1 > /proc/sys/net/ipv4/ip_forward").expected();
  }

  @AfterEach
  void remove() {
    gw.script(
        "sh /run/gatehouse/hand.sh undo $(sed -n 's/^waits \\([0-9]*\\).*/\\1/p'"
            + " /var/lib/gatehouse/journal) 2> /dev/null; true");
    gw.gatehouse("remove").expected();
    gw.script("nft flush ruleset; iptables -P FORWARD ACCEPT; nft flush ruleset; conntrack -F")
        .expected();
  }

  /** Probes whose names begin with {@code no} must not arrive, all others must. */
  private static Sightings probe(String... lines) {
    Sightings sightings = net.probe(lines);
    List<String> wrong =
        sightings.fates().values().stream()
            .filter(fate -> fate.arrived() == fate.probe().startsWith("no"))
            .map(Fate::toString)
            .toList();
    assertThat(wrong).isEmpty();
    return sightings;
  }

  @Test
  void betweenFenceAndFinalOnlyWhatBothAcceptPasses() {
    gw.gatehouse("apply", "/etc/old.yaml").expected();
    gw.gatehouse("apply", "/etc/new.yaml").expected();
    // Back, and there again as far as the fence: dead before the next step.
    Answer killed =
        gw.script(
            """
            cd /var/lib/gatehouse/generations; new=$(ls | sort -n | tail -n 1)
            sh /run/gatehouse/hand.sh undo $new && GATEHOUSE_KILL_AT=3 sh /run/gatehouse/hand.sh redo $new
            """);
    assertThat(killed.status()).isEqualTo(137);
    assertThat(gw.script("nft list tables").out()).contains("gatehouse\n", "gatehouse_fence\n");

    probe(
        "both tcp from=pc to=gw dst=10.0.1.1:1001",
        "no-old tcp from=pc to=gw dst=10.0.1.1:1002",
        "no-new tcp from=pc to=gw dst=10.0.1.1:1003",
        "no-neither tcp from=pc to=gw dst=10.0.1.1:1004",
        "internet udp from=pc to=net dst=203.0.113.1:53");
    Answer status = gw.gatehouse("status");
    assertThat(status.status()).isEqualTo(1);
    assertThat(status.out()).contains("interrupted");

    assertThat(gw.gatehouse("confirm").status()).isEqualTo(1);
    probe(
        "both tcp from=pc to=gw dst=10.0.1.1:1001",
        "old tcp from=pc to=gw dst=10.0.1.1:1002",
        "no-new tcp from=pc to=gw dst=10.0.1.1:1003");
  }

  @Test
  void whatAForeignChainDropsPassesAfterTheRuleThatIsPrinted() {
    gw.nft(
        """
        table inet filter {
          chain forward { type filter hook forward priority 0; policy drop; }
        }
        """);
    gw.script("iptables -P FORWARD DROP").expected();
    String said = gw.gatehouse("apply", "/etc/old.yaml").expected().out();

    probe("no-internet udp from=pc to=net dst=203.0.113.1:53");
    assertThat(said).contains("! `inet filter forward` drops", "! `ip filter FORWARD` drops");
    List<String> mends =
        said.lines().filter(line -> line.startsWith("    ")).map(String::strip).toList();
    assertThat(mends)
        .anyMatch(line -> line.startsWith("nft insert rule inet filter forward "))
        .anyMatch(line -> line.startsWith("iptables -I FORWARD "));
    gw.script("set -e\n" + String.join("\n", mends)).expected();
    probe(
        "internet udp from=pc to=net dst=203.0.113.1:53",
        "no-into-lan udp from=net to=pc dst=10.0.1.20:53");
  }

  @Test
  void connectionsWithAnOldTranslationAreListedAndEndedAndNoOthers() {
    // Nobody tracks connections in a namespace where no rule asks for it.
    gw.nft(
        """
        table inet t {
          chain f { type filter hook forward priority 0; ct state new counter
          }
          chain i { type filter hook input priority 0; ct state new counter
          }
        }
        """);
    String[] probes = {
      "out udp from=pc to=net dst=203.0.113.1:53 src=10.0.1.20:4000",
      "here udp from=pc to=gw dst=10.0.1.1:1005 src=10.0.1.20:4001"
    };
    assertThat(probe(probes).of("out").from()).hasValue("10.0.1.20:4000");

    Answer plan = gw.gatehouse("plan", "/etc/old.yaml");
    assertThat(plan.status()).isEqualTo(2);
    assertThat(plan.out().replaceAll("\\s+", " "))
        .contains("10.0.1.20 port 4000 -> 203.0.113.1 port 53")
        .doesNotContain("port 4001");
    assertThat(entries()).contains("sport=4000", "sport=4001");
    gw.gatehouse("apply", "/etc/old.yaml").expected();

    assertThat(entries()).doesNotContain("sport=4000").contains("sport=4001");
    assertThat(probe(probes[0]).of("out").from())
        .hasValueSatisfying(from -> assertThat(from).startsWith("203.0.113.2:"));
  }

  private static String entries() {
    return gw.script("conntrack -L -p udp 2> /dev/null").out();
  }

  @Test
  void aKilledGatehouseLeavesNothingThatNobodyConfirms() {
    gw.gatehouse("apply", "/etc/old.yaml").expected();
    String journal = "/var/lib/gatehouse/journal";
    Answer answer =
        gw.script(
            """
            GATEHOUSE_BUILD=never %s/gatehouse apply --confirm 2s /etc/new.yaml & gatehouse=$!
            until grep -q ^waits %s; do sleep 0.02; done
            kill -KILL $gatehouse
            wait $gatehouse
            echo "ended with $?"
            until ! grep -q ^waits %s; do sleep 0.2; done
            cat %s
            """
                .formatted(Lab.HOME, journal, journal, journal));

    assertThat(answer.expected().out()).contains("ended with 137").doesNotContain("doing", "waits");
    probe("old tcp from=pc to=gw dst=10.0.1.1:1002", "no-new tcp from=pc to=gw dst=10.0.1.1:1003");
    gw.gatehouse("status").expected();
  }

  @Test
  void whatIsNotProvedIsAppliedOnlyByName() {
    // So little memory is too little for the proofs of so many tunnels.
    String tunnels =
        IntStream.range(0, 40)
            .mapToObj(
                """
                  t%1$d: { type: remote-access, pools: 10.9.%1$d.0/24, reach: [office/tcp/1%1$d] }
                """
                    ::formatted)
            .collect(Collectors.joining("", "tunnels:\n", ""));
    gw.write("/etc/crowded.yaml", OFFICE.formatted("old").replaceFirst("tunnels:\n", tunnels));
    String apply =
        "GATEHOUSE_BUILD=never GATEHOUSE_AOT=never GATEHOUSE_JAVA_OPTIONS=-Xmx16m %s/gatehouse apply /etc/crowded.yaml"
            .formatted(Lab.HOME);
    Answer refused = gw.script(apply);
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.out()).contains("not known", "nothing was touched");
    assertThat(gw.script("nft list tables").out()).doesNotContain("gatehouse");

    String all = refused.out().replaceAll("(?s).*nevertheless: ([a-z -]+)\\n.*", "$1");
    String one = " --despite too-much";
    assertThat(all).startsWith("--despite ").contains(one);
    Answer allButOne = gw.script(apply + " " + all.replace(one, ""));
    assertThat(allButOne.status()).isEqualTo(1);
    assertThat(allButOne.out()).contains("not proved: too-much;");
    assertThat(gw.script("nft list tables").out()).doesNotContain("gatehouse");

    assertThat(gw.script(apply + " " + all).expected().out())
        .contains("applied though not known: too-much");
    probe("old tcp from=pc to=gw dst=10.0.1.1:1002", "no-new tcp from=pc to=gw dst=10.0.1.1:1003");
  }

  @Test
  void goesBackToAnEarlierGeneration() {
    Answer refused =
        gw.run(
            "env",
            "SSH_CONNECTION=203.0.113.1 40000 203.0.113.2 22",
            "GATEHOUSE_BUILD=never",
            Lab.HOME + "/gatehouse",
            "apply",
            "/etc/old.yaml");
    assertThat(refused.status()).isEqualTo(1);
    assertThat(refused.err()).contains("the new rules refuse", "--confirm 60s");
    assertThat(gw.script("nft list tables").out()).doesNotContain("gatehouse");

    String first = gw.gatehouse("apply", "--json", "/etc/old.yaml").expected().out();
    String generation = first.replaceAll("(?s).*\"generation\" : (\\d+).*", "$1");
    gw.gatehouse("apply", "--confirm", "1h", "/etc/new.yaml").expected();
    gw.gatehouse("confirm").expected();
    probe("no-old tcp from=pc to=gw dst=10.0.1.1:1002", "new tcp from=pc to=gw dst=10.0.1.1:1003");

    // The file of that time is long another.
    gw.write("/etc/old.yaml", "no description");
    gw.gatehouse("rollback", generation).expected();
    gw.write("/etc/old.yaml", OFFICE.formatted("old"));
    probe("old tcp from=pc to=gw dst=10.0.1.1:1002", "no-new tcp from=pc to=gw dst=10.0.1.1:1003");
    assertThat(gw.gatehouse("rollback", "99").status()).isEqualTo(1);
  }
}
