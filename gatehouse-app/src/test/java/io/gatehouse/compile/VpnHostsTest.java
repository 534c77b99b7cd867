package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import io.gatehouse.ruleset.NftText;
import java.util.List;
import org.junit.jupiter.api.Test;

class VpnHostsTest {
  private static final String EXAMPLE = "vpn-masquerade.yaml";

  private static List<String> lines(Gateway gateway) {
    return NftText.of(Compiler.compile(gateway).ruleset().tables().getFirst())
        .lines()
        .map(String::strip)
        .toList();
  }

  private static List<String> changed(String words, String others) {
    return lines(Descriptions.changedExample(EXAMPLE, words, others));
  }

  @Test
  void anAddressThatComesAndGoesIsAskedFor() {
    assertThat(changed(", addresses: 203.0.113.2/24, router-advertisements: false", ""))
        .anyMatch(line ->
            line.startsWith(
                "iifname \"eth0\" meta nfproto ipv4 fib daddr . iif type local meta l4proto esp"
                    + " counter ct zone set ip saddr . esp spi map @masq.spis accept"));
  }

  @Test
  void newSessionsGoOutWithoutADaemonOnlyWhereThatIsWanted() {
    String closed = "counter queue to 7172 comment \"ESP of a new SPI";
    String open = "counter queue flags bypass to 7172 comment \"ESP of a new SPI";
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .anyMatch(line -> line.contains(closed))
        .noneMatch(line -> line.contains(open));
    assertThat(changed("without-daemon: closed", "without-daemon: open"))
        .anyMatch(line -> line.contains(open))
        .noneMatch(line -> line.contains(closed));
  }

  @Test
  void thePortForRegistrationsIsOpenInsideAndOnlyWhereItIsDescribed() {
    String port = "tcp dport 4510";
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .filteredOn(line -> line.contains(port))
        .hasSize(1)
        .first()
        .asString()
        .startsWith("iifname \"eth1\"")
        .contains("ip saddr @net_office4", "accept");
    assertThat(changed("    at: 10.0.1.1", "    port: 8510\n    at: 10.0.1.1"))
        .anyMatch(line -> line.contains("tcp dport 8510"))
        .noneMatch(line -> line.contains(port));
    assertThat(lines(Descriptions.example("pptp.yaml"))).noneMatch(line -> line.contains(port));
  }

  @Test
  void theQueuesAreThoseOfTheDescription() {
    assertThat(changed("masquerade:", "numbers: { queue: 40 }\nmasquerade:"))
        .anyMatch(line -> line.contains("queue flags bypass to 40 "))
        .anyMatch(line -> line.contains("queue to 41 "))
        .noneMatch(line -> line.contains("7171"));
  }

  @Test
  void otherTrafficOfTheNetworkIsThroughWithOneComparison() {
    List<String> lines = lines(Descriptions.example(EXAMPLE));
    int chain = lines.indexOf("chain masq_ask {");
    List<String> behind = lines.subList(chain, lines.size());
    assertThat(behind.subList(0, behind.indexOf("}")))
        .filteredOn(line -> line.contains("iifname \"eth1\""))
        .hasSize(4)
        .allMatch(line ->
            line.startsWith("meta l4proto esp ")
                || line.startsWith("meta l4proto ah ")
                || line.startsWith("udp sport 500 "));
  }

  /** Not past a queue that nobody reads: such a packet would go on to the other chains. */
  @Test
  void ahIsToldToTheDaemonSometimesAndDroppedAlways() {
    List<String> lines = lines(Descriptions.example(EXAMPLE));
    String outside = "iifname \"eth0\" ip daddr 203.0.113.2 meta l4proto ah ";
    List<String> heard = lines.stream().filter(line -> line.startsWith(outside)).toList();
    assertThat(heard).hasSize(2);
    assertThat(heard.get(0)).contains("limit rate 10/second counter queue to 7171 ");
    assertThat(heard.get(1)).startsWith(outside + "counter drop ");
    int chain = lines.indexOf("chain masq_ah {");
    assertThat(lines.get(chain + 1)).startsWith("limit rate 10/second counter queue to 7172 ");
    assertThat(lines.get(chain + 2)).startsWith("counter drop ");
    assertThat(lines)
        .anyMatch(line ->
            line.startsWith("meta l4proto ah iifname \"eth1\"") && line.contains("goto masq_ah "));
  }

  /** 512 to each of a /24's addresses; a bound of memory where there are more. */
  @Test
  void theMapsHaveRoomForAllThatTheEngineGivesToAllAddresses() {
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .filteredOn(line -> line.startsWith("size "))
        .hasSize(6)
        .containsOnly("size 131072");
    assertThat(changed("10.0.1.0/24", "10.0.0.0/16"))
        .filteredOn(line -> line.startsWith("size "))
        .containsOnly("size 1048576");
  }

  @Test
  void aCookieThatNobodyHasAnsweredIsNotLearned() {
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .filteredOn(line -> line.contains("update @masq.known"))
        .hasSize(1)
        .allMatch(line -> line.contains("udp dport 500 @th,128,64 != 0x0 counter update"));
  }

  @Test
  void whatIsKnownGoesPastConntrackWhereTheOutsideAddressIsKnown() {
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .anyMatch(line ->
            line.contains("ip daddr set ip saddr . esp spi map @masq.direct notrack update"))
        .anyMatch(line -> line.contains("@masq.sent ip saddr . ip daddr != @masq.watched"))
        .anyMatch(line -> line.contains("ct state untracked") && line.contains("ip saddr set"));
  }

  @Test
  void aServersAnswersGoThroughConntrackWhereItRemembersTheUplink() {
    List<String> lines =
        changed(
            "masquerade:",
            "identities: { line: { address: 203.0.113.2, via: wan, gateway: 203.0.113.1 } }\n"
                + "masquerade:");
    assertThat(lines)
        .anyMatch(line -> line.contains("began by the way of line"))
        .noneMatch(line -> line.contains("notrack"));
  }

  /** An address that comes and goes; one of two; a tunnel's policy; an address of its own. */
  @Test
  void elseAllOfItGoesThroughConntrack() {
    String wan = ", addresses: 203.0.113.2/24, router-advertisements: false";
    String second = ", addresses: [203.0.113.2/24, 203.0.113.3/24], router-advertisements: false";
    String tunnel =
        "tunnels:\n  staff: { type: remote-access, pools: 10.0.3.0/24, reach: office }\n\n";
    for (List<String> lines :
        List.of(
            changed(wan, ""),
            changed(wan, second),
            changed("masquerade:", tunnel + "masquerade:"),
            changed("services: [dns, https] }", "snat: 203.0.113.2, services: [dns, https] }"))) {
      assertThat(lines)
          .anyMatch(line -> line.contains("@masq.spis accept"))
          .noneMatch(line -> line.contains("untracked") || line.contains("notrack"))
          .noneMatch(line -> line.contains("masq.direct"));
    }
  }

  @Test
  void thisHostsOwnComesFirstWhereItHasTunnelsThere() {
    List<String> both =
        changed(
            "masquerade:",
            "tunnels:\n  staff: { type: remote-access, pools: 10.0.3.0/24, reach: office }\n\nmasquerade:");
    int chain = both.indexOf("chain masq_ask {");
    List<String> asking = both.subList(chain + 2, chain + 4);
    assertThat(asking.get(0)).contains("@masq.own_cookies counter accept");
    assertThat(asking.get(1)).contains("@masq.own_spis counter accept");
    assertThat(lines(Descriptions.example(EXAMPLE))).noneMatch(line -> line.contains("masq.own"));
  }

  @Test
  void onlyNamedPeersAreAskedAboutAndLetThrough() {
    List<String> lines = changed("clients: office", "peers: 198.51.100.0/24\n  clients: office");
    assertThat(lines)
        .filteredOn(line -> line.contains("queue") && !line.contains("masq."))
        .filteredOn(line -> line.contains("iifname"))
        .isNotEmpty()
        .allMatch(line -> line.contains("ip saddr @masq_peers4"));
    assertThat(lines)
        .filteredOn(line -> line.contains("IPsec of hosts of") || line.contains("goto masq_"))
        .isNotEmpty()
        .allMatch(line -> line.contains("ip daddr @masq_peers4") || line.contains("jump"));
    assertThat(lines)
        .filteredOn(line -> line.contains("IPsec towards hosts of"))
        .isNotEmpty()
        .allMatch(line -> line.contains("ip saddr @masq_peers4"));
    assertThat(lines(Descriptions.example(EXAMPLE))).noneMatch(line -> line.contains("masq_peers"));
  }

  private static List<String> leadToServers(String words, String others) {
    return changed(words, others).stream()
        .filter(line -> line.contains("4500") && line.contains("dnat ip to"))
        .map(line -> line.replaceAll(" ip daddr 203.*(to [0-9.]+) .*", " $1"))
        .toList();
  }

  @Test
  void serversGetTheSecondPortOfIkeTooTheLongestPrefixFirst() {
    String servers = "servers: [{ host: 10.0.1.9, from: 198.51.100.0/24 }]";
    assertThat(leadToServers("masquerade:", "masquerade:"))
        .containsExactly("iifname \"eth0\" ip saddr 198.51.100.0/24 to 10.0.1.9");
    assertThat(leadToServers(servers, "servers: { host: 10.0.1.9 }"))
        .containsExactly("iifname \"eth0\" to 10.0.1.9");
    assertThat(
            leadToServers(
                servers,
                "servers: [{ host: 10.0.1.9, from: 198.51.100.0/24 },"
                    + " { host: 10.0.1.8, from: 198.51.100.0/25 }]"))
        .containsExactly(
            "iifname \"eth0\" ip saddr 198.51.100.128/25 to 10.0.1.9",
            "iifname \"eth0\" ip saddr 198.51.100.0/25 to 10.0.1.8");
    // What the description says itself comes first, and this host's own tunnels need the port.
    String forward =
        "  port-forwards: { service: udp/4500, to: 10.0.1.7, from: 198.51.100.0/25 }\n";
    assertThat(leadToServers("masquerade:", forward + "masquerade:"))
        .containsExactly(
            "iifname \"eth0\" ip saddr 198.51.100.0/25 to 10.0.1.7",
            "iifname \"eth0\" ip saddr 198.51.100.128/25 to 10.0.1.9");
    String tunnels =
        "tunnels: { staff: { type: remote-access, pools: 10.0.3.0/24, reach: office } }\n";
    assertThat(leadToServers("masquerade:", tunnels + "masquerade:")).isEmpty();
  }

  @Test
  void theHelperOfPptpIsAssignedByNameWhereItIsWanted() {
    List<String> wanted = lines(Descriptions.example("pptp.yaml"));
    assertThat(wanted)
        .contains("ct helper pptp {", "type \"pptp\" protocol tcp", "l3proto ip")
        .anyMatch(line ->
            line.startsWith("tcp dport 1723 ") && line.contains("counter ct helper set \"pptp\""))
        .anyMatch(line ->
            line.contains("ct state related meta l4proto gre ct status dnat counter accept"));
    assertThat(lines(Descriptions.example(EXAMPLE)))
        .noneMatch(line -> line.contains("helper") || line.contains("gre"));
  }

  /** nft 1.0.6 stops, listing a rule that names GRE and bytes of its header (seen). */
  @Test
  void whatTheDaemonTranslatesOfPptpLooksAtGresBytesInChainsOfTheirOwn() {
    List<String> wanted = lines(Descriptions.example("pptp-calls.yaml"));
    assertThat(wanted)
        .noneMatch(line -> line.contains("helper") || line.contains("related meta l4proto gre"))
        .noneMatch(line -> line.contains("l4proto gre") && line.contains("@th"))
        .anyMatch(line -> line.contains("dnat ip to ip saddr . @th,48,16 map @masq.calls"))
        .anyMatch(line ->
            line.contains("@th,48,16 set ip saddr . ip daddr . @th,48,16 map @masq.call_ids"))
        .anyMatch(line -> line.contains("ip saddr . ip daddr . @th,48,16 @masq.called"));
    assertThat(
            wanted.stream().filter(line -> line.contains("port 1723 ") && line.contains("queue")))
        .as("both directions of a host's control connections, and of the server's")
        .hasSize(4)
        .allMatch(line -> line.contains("iifname"))
        .noneMatch(line -> line.contains("bypass"));
  }

  @Test
  void withoutMasqueradeNothingIsAsked() throws Exception {
    for (String example : Descriptions.examples()) {
      if (Descriptions.example(example).masquerade().isEmpty()) {
        assertThat(lines(Descriptions.example(example))).noneMatch(l -> l.contains("queue"));
      }
    }
  }
}
