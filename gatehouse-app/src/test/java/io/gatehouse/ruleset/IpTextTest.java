package io.gatehouse.ruleset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class IpTextTest {
  private static final Origin LINE = new Origin("office.yaml", 12, 5, "");
  private static final Prefix POOL = Prefix.of("10.0.3.0/24");

  @Test
  void printsEveryKindOfEntry() {
    Ruleset ruleset =
        new Ruleset(
            "office",
            List.of(),
            List.of(
                new XfrmPolicy(Direction.OUT, Prefix.ALL_V4, POOL, 4294967280L, true, LINE),
                new XfrmPolicy(Direction.FWD, POOL, Prefix.ALL_V4, 4294967279L, false, LINE),
                new XfrmPolicy(
                    Direction.OUT,
                    POOL,
                    Prefix.ALL_V4,
                    4294967278L,
                    false,
                    Optional.of(new Routing.Mark(0x01000000, 0x01000000)),
                    LINE),
                new XfrmPolicy(
                    Direction.IN, Prefix.of("2001:db8:3::/64"), Prefix.ALL_V6, 9, true, LINE)),
            List.of(
                new Routing.Policy(
                    Family.V4,
                    5000,
                    Optional.of(Prefix.of("10.8.0.2")),
                    Optional.empty(),
                    Optional.empty(),
                    7100,
                    LINE),
                new Routing.Policy(
                    Family.V6,
                    5001,
                    Optional.empty(),
                    Optional.of(Prefix.of("2001:db8::/32")),
                    Optional.of(new Routing.Mark(0x01000000, 0xff000000L)),
                    7101,
                    LINE)),
            List.of(
                route(
                    "0.0.0.0/0",
                    new Routing.Kind.Via(
                        Optional.of(Address.of("10.8.0.1")), "tun0", Optional.empty())),
                new Routing.Route(
                    Prefix.ALL_V4,
                    7100,
                    new Routing.Kind.Unreachable(),
                    Optional.of(4294967295L),
                    LINE),
                route(
                    "10.0.9.0/24",
                    new Routing.Kind.Via(
                        Optional.of(Address.of("fe80::1")),
                        "eth0.5",
                        Optional.of(Address.of("10.0.9.1")))),
                route(
                    "2001:db8:7::/64",
                    new Routing.Kind.Via(Optional.empty(), "eth1", Optional.empty()))),
            List.of(new Routing.ProxyNeighbour(Address.of("10.0.1.200"), "eth1", LINE)),
            List.of(),
            Numbers.DEFAULT);

    assertThat(IpText.add(ruleset, Family.V4))
        .isEqualTo(
            """
            route add 0.0.0.0/0 via 10.8.0.1 dev tun0 table 7100 proto 171
            route add unreachable 0.0.0.0/0 metric 4294967295 table 7100 proto 171
            route add 10.0.9.0/24 via inet6 fe80::1 dev eth0.5 src 10.0.9.1 table 7100 proto 171
            rule add priority 5000 from 10.8.0.2/32 lookup 7100 protocol 171
            neigh add proxy 10.0.1.200 dev eth1 protocol 171
            xfrm policy add src 10.0.3.0/24 dst 0.0.0.0/0 dir fwd action allow priority 4294967279
            xfrm policy add src 10.0.3.0/24 dst 0.0.0.0/0 dir out mark 16777216 mask 16777216 action allow priority 4294967278
            xfrm policy add src 0.0.0.0/0 dst 10.0.3.0/24 dir out action block priority 4294967280
            """);
    assertThat(IpText.add(ruleset, Family.V6))
        .isEqualTo(
            """
            route add 2001:db8:7::/64 dev eth1 table 7100 proto 171
            rule add priority 5001 to 2001:db8::/32 fwmark 0x1000000/0xff000000 lookup 7101 protocol 171
            xfrm policy add src 2001:db8:3::/64 dst ::/0 dir in action block priority 9
            """);
    assertThat(IpText.delete(ruleset, Family.V6))
        .isEqualTo(
            """
            xfrm policy delete src 2001:db8:3::/64 dst ::/0 dir in
            rule del priority 5001 to 2001:db8::/32 fwmark 0x1000000/0xff000000 lookup 7101 protocol 171
            route del 2001:db8:7::/64 dev eth1 table 7100 proto 171
            """);
  }

  @Test
  void refusesDevicesThatWouldEndTheWord() {
    Routing entry = new Routing.ProxyNeighbour(Address.of("10.0.1.200"), "a b", LINE);

    assertThatThrownBy(() -> IpText.add(entry, 171)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void keepsSysctlsInTheirOrder() {
    assertThat(
            SysctlText.of(
                List.of(
                    new Sysctl("net/ipv6/conf/eth0.5/accept_ra", "2", LINE),
                    new Sysctl("net/ipv4/ip_forward", "1", LINE))))
        .isEqualTo("net/ipv6/conf/eth0.5/accept_ra = 2\nnet/ipv4/ip_forward = 1\n");
  }

  private static Routing.Route route(String destination, Routing.Kind kind) {
    return new Routing.Route(Prefix.of(destination), 7100, kind, Optional.empty(), LINE);
  }
}
