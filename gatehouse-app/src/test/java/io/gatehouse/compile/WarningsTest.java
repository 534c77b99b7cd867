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
    assertThat(warnings("host: { internet: { from: office, services: esp, snat: none } }\n"))
        .isEmpty();
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
}
