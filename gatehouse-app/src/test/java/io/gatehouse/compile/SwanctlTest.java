package io.gatehouse.compile;

import static io.gatehouse.compile.Office.DNS;
import static io.gatehouse.compile.Office.LAN;
import static io.gatehouse.compile.Office.NET;
import static io.gatehouse.compile.Office.esp;
import static io.gatehouse.compile.Office.gateway;
import static io.gatehouse.compile.Office.inside;
import static io.gatehouse.compile.Office.network;
import static io.gatehouse.compile.Office.outside;
import static io.gatehouse.compile.Office.prefixes;
import static io.gatehouse.compile.Office.reach;
import static io.gatehouse.compile.Office.site;
import static io.gatehouse.compile.Office.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Esp.Encapsulation;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Network;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Return;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SwanctlTest {
  private static final Network STORAGE = network("storage", LAN, List.of(), "192.168.88.0/24");
  private static final Place INTERNET = new Place.Internet();

  private static String text(Advice advice) {
    assertThat(advice.companions()).hasSize(1);
    return advice.companions().getFirst().text();
  }

  private static String value(Advice advice, String key) {
    List<String> values =
        text(advice)
            .lines()
            .map(String::strip)
            .filter(line -> line.startsWith(key + " = "))
            .toList();
    assertThat(values).hasSize(1);
    return values.getFirst().substring(key.length() + 3);
  }

  @Test
  void aRoadWarriorsTunnelAsAWhole() {
    Tunnel.Group finance =
        new Tunnel.Group(
            "finance",
            new Tunnel.Match(Tunnel.Match.Kind.EAP_ID, "*@fin"),
            List.of(reach(STORAGE)),
            List.of(),
            Office.origin(13));
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24", "2001:db8:3::/64"),
            Return.ROUTED,
            List.of(reach(NET)),
            List.of(DNS),
            List.of("10.0.1.1", "2001:db8:1::1"),
            List.of(finance));
    Advice advice = fragment(gateway(LAN, List.of(NET, STORAGE), tunnel), tunnel);
    assertThat(advice.notes()).isEmpty();
    assertThat(advice.companions().getFirst().destination())
        .isEqualTo("/etc/swanctl/conf.d/staff.conf");
    assertThat(text(advice))
        .isEqualTo(
            """
            # Tunnel staff, office.yaml:12:3. Written by gatehouse.
            # How both ends prove who they are is yours: put it beside this file,
            # where sections of the same name are merged, with secrets only there:
            #   connections { rw { local { auth = … } remote { auth = … } } }
            #   secrets { … }
            # No updown script is needed, the rules stand before the tunnel does.
            connections {
              rw {
                version = 2
                local_addrs = 203.0.113.9
                pools = staff-1, staff-2
                dpd_delay = 30s
                children {
                  net {
                    mode = tunnel
                    # One child serves every group: the selectors cover what any of them reaches,
                    # and the rules narrow each virtual IP to its own group's share.
                    local_ts = 10.0.1.0/24, 2001:db8:1::/64, 192.168.88.0/24
                    remote_ts = dynamic
                    dpd_action = clear
                    esp_proposals = aes256gcm16-x25519
                  }
                }
              }
            }
            pools {
              staff-1 {
                addrs = 10.0.3.0/24
                dns = 10.0.1.1
              }
              staff-2 {
                addrs = 2001:db8:3::/64
                dns = 2001:db8:1::1
              }
            }
            """);
  }

  @Test
  void aBranchThatCanBeCalledIsBroughtUpByTraffic() {
    Tunnel tunnel =
        site(
            List.of(Office.WAN),
            new Peer.At(Prefix.of("198.51.100.7")),
            esp(Encapsulation.ALWAYS),
            "10.20.0.0/16",
            "10.20.7.0/24",
            "2001:db8:20::/48");
    assertThat(text(fragment(gateway(LAN, List.of(NET), tunnel), tunnel)))
        .endsWith(
            """
            connections {
              branch {
                version = 2
                local_addrs = 203.0.113.9
                remote_addrs = 198.51.100.7
                encap = yes
                dpd_delay = 30s
                children {
                  branch {
                    mode = tunnel
                    local_ts = 10.0.1.0/24, 2001:db8:1::/64
                    remote_ts = 10.20.0.0/16, 2001:db8:20::/48
                    start_action = trap
                    close_action = trap
                    dpd_action = trap
                  }
                }
              }
            }
            """);
  }

  @Test
  void aBranchWithoutAnAddressHasToCall() {
    for (Peer peer : List.of(new Peer.Anybody(), new Peer.At(Prefix.of("198.51.100.0/24")))) {
      Tunnel tunnel = site(List.of(Office.WAN), peer, esp(Encapsulation.AUTO), "10.20.0.0/16");
      Advice advice = fragment(gateway(LAN, List.of(NET), tunnel), tunnel);
      assertThat(value(advice, "start_action")).isEqualTo("none");
      assertThat(text(advice)).doesNotContain("close_action", "trap");
    }
  }

  @Test
  void peersAreNamedAsTheDescriptionNamesThem() {
    assertThat(value(withPeer(new Peer.At(Prefix.of("2001:db8:7::7"))), "remote_addrs"))
        .isEqualTo("2001:db8:7::7");
    assertThat(value(withPeer(new Peer.At(Prefix.of("198.51.100.0/24"))), "remote_addrs"))
        .isEqualTo("198.51.100.0/24");
    assertThat(value(withPeer(new Peer.Named("branch.example")), "remote_addrs"))
        .isEqualTo("branch.example");
    assertThat(text(withPeer(new Peer.Anybody()))).doesNotContain("remote_addrs");
  }

  private static Advice withPeer(Peer peer) {
    Tunnel tunnel = site(List.of(Office.WAN), peer, esp(Encapsulation.AUTO), "10.20.0.0/16");
    return fragment(gateway(LAN, List.of(NET), tunnel), tunnel);
  }

  @Test
  void anAddressThatIsFollowedIsNotWrittenDown() {
    Interface dynamic = outside("wan2", 1500);
    Peer anybody = new Peer.Anybody();
    Peer four = new Peer.At(Prefix.of("198.51.100.7"));
    assertThat(text(on(List.of(Office.WAN, dynamic), anybody))).doesNotContain("local_addrs");
    assertThat(text(on(List.of(dynamic), four))).doesNotContain("local_addrs");
    assertThat(value(on(List.of(advertised()), anybody), "local_addrs"))
        .isEqualTo("203.0.113.9, ::/0");
    assertThat(value(on(List.of(advertised()), four), "local_addrs")).isEqualTo("203.0.113.9");
    assertThat(
            value(
                on(
                    List.of(Office.WAN, outside("wan2", 1500, "192.0.2.1/24", "2001:db8::1/64")),
                    anybody),
                "local_addrs"))
        .isEqualTo("203.0.113.9, 192.0.2.1, 2001:db8::1");
  }

  private static Advice on(List<Interface> on, Peer peer) {
    Tunnel tunnel = site(on, peer, esp(Encapsulation.AUTO), "10.20.0.0/16");
    return fragment(gateway(LAN, List.of(NET), tunnel), tunnel);
  }

  /** IPv4 is written down, IPv6 comes from routers. */
  private static Interface advertised() {
    Interface wan = Office.WAN;
    return new Interface(
        wan.name(),
        wan.device(),
        wan.roles(),
        wan.addresses(),
        List.of(),
        1500,
        false,
        true,
        List.of(),
        wan.origin());
  }

  @Test
  void theInternetCoversEverything() {
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.NAT,
            List.of(reach(NET), reach(INTERNET)),
            List.of(DNS),
            List.of("9.9.9.9"),
            List.of());
    Advice advice = fragment(gateway(inside(), List.of(NET), tunnel), tunnel);
    assertThat(value(advice, "local_ts")).isEqualTo("0.0.0.0/0, ::/0");
    assertThat(value(advice, "pools")).isEqualTo("staff");
    assertThat(advice.notes()).isEmpty();
  }

  @Test
  void servicesOnThisHostAreInsideTheSelectors() {
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(reach(STORAGE)),
            List.of(DNS),
            List.of("10.0.1.1"),
            List.of());
    Advice advice = fragment(gateway(LAN, List.of(STORAGE), tunnel), tunnel);
    // The pool has no IPv6, so neither has the selector of this host.
    assertThat(value(advice, "local_ts")).isEqualTo("192.168.88.0/24, 10.0.1.1/32");
    assertThat(advice.notes()).isEmpty();
  }

  @Test
  void servicesOfAGroupAreInsideTheSelectorsToo() {
    Tunnel.Group helpdesk =
        new Tunnel.Group(
            "helpdesk",
            new Tunnel.Match(Tunnel.Match.Kind.EAP_ID, "*@help"),
            List.of(),
            List.of(DNS),
            Office.origin(13));
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(reach(STORAGE)),
            List.of(),
            List.of(),
            List.of(helpdesk));
    assertThat(value(fragment(gateway(LAN, List.of(STORAGE), tunnel), tunnel), "local_ts"))
        .isEqualTo("192.168.88.0/24, 10.0.1.1/32");
  }

  @Test
  void servicesWithoutAnInsideAddressAreNoted() {
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(reach(STORAGE)),
            List.of(DNS),
            List.of(),
            List.of());
    Advice advice = fragment(gateway(inside(), List.of(STORAGE), tunnel), tunnel);
    assertThat(advice.notes())
        .extracting(Note::text)
        .singleElement()
        .asString()
        .contains("`addresses: [10.0.1.1/24]`");
    assertThat(advice.notes().getFirst().origin()).isEqualTo(tunnel.origin());
  }

  @Test
  void aNameServerOutsideTheTunnelIsNotedAtItsOwnLine() {
    Tunnel.RemoteAccess tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(reach(NET)),
            List.of(),
            List.of("9.9.9.9"),
            List.of());
    Advice advice = fragment(gateway(LAN, List.of(NET), tunnel), tunnel);
    assertThat(advice.notes())
        .containsExactly(
            new Note(
                "Clients of staff are told the name server 9.9.9.9, but their questions will not come"
                    + " through the tunnel: nothing that it reaches holds that address.",
                tunnel.dns().getFirst().origin()));
  }

  @Test
  void tunnelsMayReachEachOther() {
    Tunnel branch =
        site(List.of(Office.WAN), new Peer.Anybody(), esp(Encapsulation.AUTO), "10.20.0.0/16");
    Tunnel staff =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(reach(new Place.OfTunnel("branch"))),
            List.of(),
            List.of(),
            List.of());
    assertThat(value(fragment(gateway(LAN, List.of(NET), branch, staff), staff), "local_ts"))
        .isEqualTo("10.20.0.0/16");
  }

  @Test
  void l2tpIsKeptApartByMarks() {
    Tunnel tunnel = Office.l2tp(esp(Encapsulation.AUTO, "aes256-sha1"));
    assertThat(text(fragment(gateway(LAN, List.of(NET), tunnel), tunnel)))
        .endsWith(
            """
            connections {
              legacy {
                version = 1
                local_addrs = 203.0.113.9
                dpd_delay = 30s
                children {
                  legacy {
                    mode = transport
                    local_ts = dynamic[udp/1701]
                    remote_ts = dynamic[udp]
                    mark_in = %unique/0x00ffffff
                    mark_out = %unique/0x00ffffff
                    set_mark_in = %same/0x00ffffff
                    dpd_action = clear
                    esp_proposals = aes256-sha1
                  }
                }
              }
            }
            """);
  }

  @Test
  void aNameThatStrongSwanCannotReadIsBentAndNoted() {
    Tunnel tunnel =
        new Tunnel.L2tp(
            "legacy",
            List.of(Office.WAN),
            List.of(Office.at(new Peer.Anybody())),
            Optional.of(new Tunnel.Ike("old.one {", Optional.of("net"))),
            esp(Encapsulation.AUTO),
            new Mss.Unclamped(),
            List.of(),
            Office.origin(40));
    Advice advice = fragment(gateway(LAN, List.of(NET), tunnel), tunnel);
    assertThat(text(advice)).contains("\n  old-one-- {\n");
    assertThat(advice.notes())
        .contains(
            new Note(
                "strongSwan cannot read the section name `old.one {`: the fragment says `old-one--`.",
                tunnel.origin()));
  }

  private static Advice fragment(Gateway gateway, Tunnel tunnel) {
    return Swanctl.of(gateway, new Selectors(gateway), tunnel);
  }
}
