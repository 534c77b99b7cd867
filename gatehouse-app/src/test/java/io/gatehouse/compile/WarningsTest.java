package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.ruleset.Sysctl;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each warning where it is due, at its line, and nowhere else. */
class WarningsTest {
  private static final String BASE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks: { office: { on: lan, prefixes: 10.0.1.0/24 } }
      """;

  private static Compiled compiled(String text) {
    return Compiler.compile(Descriptions.gateway("office.yaml", text));
  }

  private static List<Note> warnings(String more) {
    return Warnings.of(Descriptions.gateway("office.yaml", BASE + more));
  }

  private static void only(List<Note> notes, int line, String... words) {
    assertThat(notes).hasSize(1);
    assertThat(notes.getFirst().text()).contains(words);
    assertThat(notes.getFirst().origin().line()).isEqualTo(line);
  }

  @Test
  void anOrdinaryOfficeIsWarnedOfNothing() {
    String more =
        """
        host: { internet: office, port-forwards: { service: https, to: 10.0.1.9 } }
        tunnels:
          legacy: { type: l2tp }
          staff: { type: remote-access, pools: 10.0.3.0/24, reach: office }
        """;
    assertThat(warnings(more)).isEmpty();
  }

  @Test
  void answersThatDoNotFindTheirUplink() {
    String second = BASE.replace("  lan:", "  dsl: { device: ppp0, role: outside }\n  lan:");
    String forward = "host: { port-forwards: [{ service: https, to: 10.0.1.9 }] }\n";
    only(
        Warnings.of(Descriptions.gateway("office.yaml", second + forward)),
        8,
        "those who come by dsl",
        "via: dsl");
    assertThat(
            Warnings.of(
                Descriptions.gateway(
                    "office.yaml",
                    second.replace("ppp0", "ppp0, addresses: 198.51.103.2/24")
                        + forward
                        + "identities: { second: { via: dsl } }\n")))
        .isEmpty();
  }

  @Test
  void pptpIsBrokenAsCryptography() {
    List<Note> notes = warnings("masquerade:\n  clients: office\n  pptp: true\n");
    assertThat(notes).hasSize(2);
    assertThat(notes.getLast().text()).contains("PPTP protects nothing", "MS-CHAPv2", "IPsec");
    assertThat(warnings("masquerade: { clients: office }\n"))
        .noneMatch(note -> note.text().contains("PPTP"));
  }

  @Test
  void pptpIsWarnedOfOnceWhereverItIsLetThrough() {
    String forwards =
        "port-forwards: [{ service: pptp, to: 10.0.1.8, from: 192.0.2.1 }, { service: pptp, to: 10.0.1.9, from: 192.0.2.2 }]";
    for (String host :
        List.of(
            forwards,
            "flows: [{ from: internet, to: office/pptp }, { from: office, to: internet/pptp }]",
            "internet: { from: office, services: [https, pptp] }",
            "internet: { from: office, services: tcp/1723 }",
            "services: { from: office, services: pptp }",
            "output: closed, outgoing: [dns, pptp]",
            forwards + ", internet: { from: office, services: pptp }")) {
      only(warnings("host: { " + host + " }\n"), 7, "PPTP protects nothing", "IPsec");
    }
    only(
        warnings(
            "tunnels: { staff: { type: remote-access, pools: 10.0.3.0/24, reach: internet/pptp } }\n"),
        7,
        "PPTP");
    assertThat(
            warnings(
                """
                host: { internet: { from: office, services: [tcp/1000-2000, gre] } }
                tunnels: { branch: { type: site-to-site, peer: 198.51.100.7, local: office, remote: 10.20.0.0/16, reach: office/pptp, outbound: pptp } }
                """))
        .isEmpty();
  }

  @Test
  void ahAndTransportModeOfHostsBehind() {
    only(
        warnings("masquerade: { clients: office }\n"),
        7,
        "AH protects the address",
        "transport mode",
        "take each other's packets");
  }

  @Test
  void aLifetimeBelowTheRekeyInterval() {
    List<Note> notes = warnings("masquerade: { clients: office, ipsec: { lifetime: 59m } }\n");
    assertThat(notes).hasSize(2);
    assertThat(notes.getLast().text()).contains("after 59 minutes", "rekey after 60");
    assertThat(warnings("masquerade: { clients: office, ipsec: { lifetime: 60m } }\n")).hasSize(1);
  }

  @Test
  void ahUnderAnotherAddress() {
    only(
        warnings("host: { internet: { from: office, services: [ah, udp/500] } }\n"),
        7,
        "AH of office",
        "RFC 4302",
        "`snat: none`");
    assertThat(warnings("host: { internet: { from: office, services: ah, snat: none } }\n"))
        .isEmpty();
    only(
        warnings("host: { port-forwards: { service: ah, to: 10.0.1.9 } }\n"), 7, "10.0.1.9", "ESP");
  }

  @Test
  void conntrackForgetsEspBeforeItsRekey() {
    String internet = "host: { internet: { from: office, services: [esp, udp/500] } }\n";
    only(warnings(internet), 7, "600 s", "nf_conntrack_generic_timeout", "`masquerade: clients:`");
    assertThat(warnings(internet + "masquerade: { clients: office }\n"))
        .noneMatch(note -> note.text().contains("generic_timeout"));
  }

  private static final String OUT =
      "{ from: office, source: 10.0.1.9, to: internet/ipsec, destination: [198.51.100.7, 198.51.100.8] }";

  @Test
  void conntrackForgetsEspThatOneSideAloneMayBegin() {
    only(
        warnings("host:\n  flows:\n    - " + OUT + "\n"),
        9,
        "office alone may begin",
        "600 s",
        "`flows`: from internet to office/esp, between the same addresses");
    only(
        warnings("host: { internet: { from: office, services: esp, snat: none } }\n"),
        7,
        "office alone may begin",
        "`flows`: from internet to office/esp.");
    only(
        warnings("host: { port-forwards: { service: ipsec, to: 10.0.1.9 } }\n"),
        7,
        "forwarded to 10.0.1.9",
        "600 s",
        "`masquerade: servers:`");
  }

  @Test
  void whereBothSidesMayBeginEspNothingIsForgotten() {
    String in = "    - { from: internet, source: %s, to: office/%s, destination: 10.0.1.9 }\n";
    String both = "host:\n  flows:\n    - " + OUT + "\n" + in;
    assertThat(warnings(both.formatted("[198.51.100.7, 198.51.100.8]", "ipsec"))).isEmpty();
    assertThat(
            warnings(both.formatted("198.51.100.7", "esp") + in.formatted("198.51.100.8", "esp")))
        .isEmpty();
    // One of the two remotes may not begin.
    only(warnings(both.formatted("198.51.100.7", "esp")), 9, "office alone may begin");
    // The way back has everything but ESP.
    only(warnings(both.formatted("198.51.100.0/24", "udp/500")), 9, "office alone may begin");
    assertThat(
            warnings(
                "host: { internet: { from: office, snat: none },"
                    + " flows: { from: internet, to: office/esp } }\n"))
        .isEmpty();
    assertThat(
            warnings(
                "host: { internet: office, port-forwards: { service: ipsec, to: 10.0.1.9 } }\n"))
        .isEmpty();
    assertThat(
            warnings(
                """
                host: { flows: { from: office, to: branch/esp } }
                tunnels: { branch: { type: site-to-site, peer: 198.51.100.7, local: office, remote: 10.20.0.0/16 } }
                """))
        .isEmpty();
  }

  @Test
  void servicesOfL2tpThatItsConnectionCannotCarry() {
    only(
        warnings("tunnels: { legacy: { type: l2tp, services: dns } }\n"),
        7,
        "UDP 1701 alone",
        "remote-access");
  }

  @Test
  void transportModeToAServerBehindNat() {
    String tunnel = "tunnels: { legacy: { type: l2tp } }\n";
    String text = BASE.replace("role: outside", "role: outside, public: 203.0.113.9") + tunnel;
    Compiled compiled = compiled(text);
    assertThat(compiled.notes())
        .anyMatch(note ->
            note.text().contains("AssumeUDPEncapsulationContextOnSendRule")
                && note.origin().line() == 7);
    assertThat(compiled(BASE + tunnel).notes())
        .noneMatch(note -> note.text().contains("AssumeUDPEncapsulation"));
  }

  @Test
  void transportModeOfClientsBehindNatWithoutUdp() {
    only(
        warnings("tunnels: { legacy: { type: l2tp, esp: { encapsulation: never } } }\n"),
        7,
        "behind NAT",
        "`encapsulation: never`");
  }

  /**
   * strongSwan's wiki has ip_no_pmtu_disc and kernel-netlink's mtu and mss beside the clamp. They
   * are left alone: the first is for all that the host sends, the others for routes that its own
   * traffic takes, and what goes through is clamped already.
   */
  @Test
  void pathMtuDiscoveryAndTheRoutesOfCharonAreLeftAlone() {
    String text =
        BASE
            + """
            tunnels:
              legacy: { type: l2tp }
              staff: { type: remote-access, pools: 10.0.3.0/24, reach: [office, internet] }
              branch: { type: site-to-site, peer: 198.51.100.7, local: office, remote: 10.20.0.0/16 }
            """;
    Compiled compiled = compiled(text);
    assertThat(compiled.ruleset().sysctls())
        .extracting(Sysctl::key)
        .noneMatch(key -> key.contains("pmtu"));
    assertThat(compiled.companions())
        .hasSize(3)
        .noneMatch(companion -> companion.toString().contains("kernel-netlink"))
        .noneMatch(companion -> companion.toString().matches("(?s).*\\b(mtu|mss) *=.*"));
    assertThat(compiled.mss()).allMatch(reckoning -> reckoning.innerMtu() < 1500);
  }

  @Test
  void aServerBesideTunnelsHasNoSecondPortOfIke() {
    String servers = "masquerade: { clients: office, servers: { host: 10.0.1.9 } }\n";
    String tunnels =
        "tunnels: { staff: { type: remote-access, pools: 10.0.3.0/24, reach: office } }\n";
    assertThat(warnings(servers)).noneMatch(note -> note.text().contains("4500"));
    assertThat(warnings(servers + tunnels))
        .anyMatch(note -> note.text().startsWith("UDP 4500 on `wan` is this host's own"));
  }
}
