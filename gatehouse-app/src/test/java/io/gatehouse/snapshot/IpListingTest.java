package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Listings for people say the same as those for programs. */
class IpListingTest {
  private static SeenHost host(Map<String, String> texts) {
    Map<String, String> all = new TreeMap<>(texts);
    IpListing.addTo(all);
    return SeenHost.of(new Collected(all, List.of()));
  }

  @Test
  void rulesRoutesAndAddressesAreReadAsIfTheyWereJson() {
    SeenHost text =
        host(
            Map.of(
                "ip-rule.txt",
                    """
                    0:\tfrom all lookup local
                    100:\tnot from 10.0.1.0/24 fwmark 0x1/0xff iif eth1 lookup 7 suppress_prefixlength 0
                    102:\tfrom all unreachable
                    103:\tfrom all goto 32766
                    32766:\tfrom all lookup main
                    """,
                "ip-route.txt",
                    """
                    default proto static metric 5
                    \tnexthop via 203.0.113.254 dev eth0 weight 1
                    \tnexthop via 192.0.2.254 dev eth2 weight 1
                    10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.1
                    """,
                "ip-route-table-office.txt", "unreachable 10.0.0.0/8 metric 5\n",
                "ip-addr.txt",
                    """
                    1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN
                        inet 127.0.0.1/8 scope host lo
                    2: eth1@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc mq state UP
                        link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
                        inet 10.0.1.1/24 brd 10.0.1.255 scope global eth1
                           valid_lft forever preferred_lft forever
                    3: ppp0: <POINTOPOINT,UP> mtu 1492
                        inet 192.0.2.9 peer 192.0.2.10/32 scope global ppp0
                    """));
    SeenHost json =
        SeenHost.of(
            new Collected(
                Map.of(
                    "ip-rule.json",
                        """
                        [{"priority": 0, "src": "all", "table": "local"},
                         {"priority": 100, "not": null, "src": "10.0.1.0", "srclen": 24,
                          "fwmark": "0x1", "fwmask": "0xff", "iif": "eth1", "table": "7",
                          "suppress_prefixlen": 0},
                         {"priority": 102, "src": "all", "action": "unreachable"},
                         {"priority": 103, "src": "all", "goto": 32766},
                         {"priority": 32766, "src": "all", "table": "main"}]
                        """,
                    "ip-route.json",
                        """
                        [{"type": "unreachable", "dst": "10.0.0.0/8", "table": "office", "metric": 5},
                         {"dst": "default", "metric": 5,
                          "nexthops": [{"dev": "eth0"}, {"dev": "eth2"}]},
                         {"dst": "10.0.1.0/24", "dev": "eth1"}]
                        """,
                    "ip-addr.json",
                        """
                        [{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
                         {"ifname": "eth1", "addr_info": [{"local": "10.0.1.1", "prefixlen": 24}]},
                         {"ifname": "ppp0", "addr_info": [{"local": "192.0.2.9", "prefixlen": 32}]}]
                        """),
                List.of()));

    assertThat(text.host().rules()).isEqualTo(json.host().rules());
    assertThat(text.host().routes()).containsExactlyInAnyOrderElementsOf(json.host().routes());
    assertThat(text.host().devices()).isEqualTo(json.host().devices());
  }

  @Test
  void whatIsNotKnownIsNamedAndOpen() {
    SeenHost seen =
        host(
            Map.of(
                "ip-rule.txt", "5:\tfrom all uidrange 0-9 lookup 7\nsomething else\n",
                "ip-route.txt", "10.0.0.0/8 via 10.1.1.1 dev eth0 encap seg6 mode inline\n"));

    assertThat(seen.host().rules().stream().filter(r -> r.opaque().isPresent())).hasSize(2);
    assertThat(seen.host().routes().stream().map(Route::kind))
        .noneMatch(kind -> kind.equals(new RouteKind.Via(List.of("eth0"))));
    assertThat(
            seen.remarks().stream()
                .filter(r -> r.kind() == Remark.Kind.NOT_UNDERSTOOD)
                .map(Remark::text))
        .anyMatch(text -> text.contains("uidrange"))
        .anyMatch(text -> text.contains("encap"));
  }

  @Test
  void aListingForProgramsGoesBeforeOneForPeople(@TempDir Path directory) throws Exception {
    Files.writeString(directory.resolve("ip-rule.txt"), "5:\tfrom all lookup 7\n");
    assertThat(Collected.in(directory).texts()).containsKey("ip-rule.json");
    Files.writeString(directory.resolve("ip-rule.json"), "[]");
    assertThat(Collected.in(directory).texts()).containsEntry("ip-rule.json", "[]");
  }

  @Test
  void anyTextIsRead() {
    String text =
        """
        100:\tnot from 10.0.1.0/24 fwmark 0x1/0xff iif eth1 lookup 7
        default via 1.2.3.4
        2: eth1@if3: <UP> mtu 1400
            inet 10.0.1.1/24 scope global eth1
        """;
    Random random = new Random(7);
    for (int i = 0; i < 500; i++) {
      StringBuilder changed = new StringBuilder(text);
      for (int change = 0; change < 6; change++) {
        int at = random.nextInt(changed.length());
        changed.replace(
            at,
            Math.min(changed.length(), at + random.nextInt(8)),
            "/ :\n@9".substring(random.nextInt(6)));
      }
      String any = changed.toString();
      SeenHost seen = host(Map.of("ip-rule.txt", any, "ip-route.txt", any, "ip-addr.txt", any));
      assertThat(seen.host().rules()).isNotEmpty();
    }
  }
}
