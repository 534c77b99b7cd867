package io.gatehouse.compile;

import static io.gatehouse.compile.Office.behind;
import static io.gatehouse.compile.Office.gateway;
import static io.gatehouse.compile.Office.inside;
import static io.gatehouse.compile.Office.network;
import static io.gatehouse.compile.Office.prefixes;
import static io.gatehouse.compile.Office.reach;
import static io.gatehouse.compile.Office.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Companion.DhcpRoutes;
import io.gatehouse.compile.Companion.Route;
import io.gatehouse.compile.Companion.StaticRoutes;
import io.gatehouse.model.Address;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Network;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Return;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WayBackTest {
  private static final Interface LAN = inside("10.0.1.1/24", "2001:db8:1::1/64");
  private static final Network OFFICE =
      network(
          "office", LAN, List.of("10.0.1.254", "2001:db8:1::fe"), "10.0.1.0/24", "2001:db8:1::/64");

  private static Tunnel staffTo(Place place, Return wayBack, String... pools) {
    return staff(prefixes(pools), wayBack, List.of(reach(place)), List.of(), List.of(), List.of());
  }

  /** The table of RFC 3442, "Classless Route Option Format", with 10.0.1.1 as every router. */
  @ParameterizedTest
  @CsvSource({
    "0.0.0.0/0,         00",
    "10.0.0.0/8,        080a",
    "10.0.0.0/24,       180a0000",
    "10.17.0.0/16,      100a11",
    "10.27.129.0/24,    180a1b81",
    "10.229.0.128/25,   190ae50080",
    "10.198.122.47/32,  200ac67a2f"
  })
  void aDestinationIsWrittenAsInTheRfc(String destination, String descriptor) {
    Route route = new Route(Prefix.of(destination), Address.of("10.0.1.1"));
    assertThat(new DhcpRoutes("office", List.of(route), Office.origin(4)).hex())
        .isEqualTo(descriptor + "0a000101");
  }

  @Property
  void whatADhcpClientReadsIsWhatWasMeant(
      @ForAll int destination, @ForAll @IntRange(max = 32) int length, @ForAll int router) {
    Route route = new Route(Prefix.masked(Address.v4(destination), length), Address.v4(router));
    Route last = new Route(Prefix.ALL_V4, Address.v4(router));
    byte[] value = new DhcpRoutes("office", List.of(route, last), Office.origin(4)).value();
    assertThat(Rfc3442.read(value)).containsExactly(route, last);
  }

  @Test
  void theRouterIsToldEachPoolAndTheHostsKeepTheirDefaultRoute() {
    Advice advice =
        WayBack.of(
            gateway(
                LAN,
                List.of(OFFICE),
                staffTo(OFFICE, Return.ROUTED, "10.0.3.0/24", "2001:db8:3::/64")));
    assertThat(advice.notes()).isEmpty();
    assertThat(advice.companions())
        .extracting(Companion::text)
        .containsExactly(
            """
            10.0.3.0/24 is behind 10.0.1.1:
              ip route add 10.0.3.0/24 via 10.0.1.1
            2001:db8:3::/64 is behind 2001:db8:1::1:
              ip route add 2001:db8:3::/64 via 2001:db8:1::1
            """,
            """
            option 121 (classless static routes): 180a00030a000101000a0001fe
            option 249 (the same, Microsoft):     180a00030a000101000a0001fe
            """);
    assertThat(advice.companions().getFirst().destination())
        .isEqualTo("the router of office (10.0.1.254, 2001:db8:1::fe)");
  }

  @Test
  void remoteNetworksNeedAWayBackToo() {
    Tunnel branch =
        Office.site(
            List.of(Office.WAN),
            new Peer.Anybody(),
            Office.esp(Esp.Encapsulation.AUTO),
            "10.20.0.0/16");
    Network office = network("office", LAN, List.of("10.0.1.254"), "10.0.1.0/24");
    Tunnel.SiteToSite site = (Tunnel.SiteToSite) branch;
    Tunnel ofOffice =
        new Tunnel.SiteToSite(
            site.name(),
            site.on(),
            site.peers(),
            site.ike(),
            site.esp(),
            site.mss(),
            List.of(office),
            List.of(),
            site.remote(),
            List.of(),
            List.of(),
            List.of(),
            site.origin());
    assertThat(routes(WayBack.of(gateway(LAN, List.of(office), ofOffice))))
        .containsExactly("ip route add 10.20.0.0/16 via 10.0.1.1");
  }

  @Test
  void nothingIsSaidWhereThisGatewayIsTheDefaultGatewayOrAnswersInTheirStead() {
    assertThat(
            WayBack.of(
                gateway(
                    LAN, List.of(Office.NET), staffTo(Office.NET, Return.ROUTED, "10.0.3.0/24"))))
        .isEqualTo(new Advice(List.of(), List.of()));
    for (Return wayBack : List.of(Return.PROXY, Return.NAT)) {
      assertThat(WayBack.of(gateway(LAN, List.of(OFFICE), staffTo(OFFICE, wayBack, "10.0.3.0/24"))))
          .isEqualTo(new Advice(List.of(), List.of()));
    }
  }

  @Test
  void aTunnelThatDoesNotReachTheNetworkNeedsNoWayBackFromIt() {
    assertThat(
            WayBack.of(
                    gateway(
                        LAN,
                        List.of(OFFICE),
                        staffTo(new Place.Internet(), Return.ROUTED, "10.0.3.0/24")))
                .companions())
        .isEmpty();
  }

  @Test
  void aGroupsReachCounts() {
    Tunnel.Group group =
        new Tunnel.Group(
            "finance",
            new Tunnel.Match(Tunnel.Match.Kind.EAP_ID, "*@fin"),
            List.of(reach(OFFICE)),
            List.of(),
            Office.origin(13));
    Tunnel tunnel =
        staff(
            prefixes("10.0.3.0/24"),
            Return.ROUTED,
            List.of(),
            List.of(),
            List.of(),
            List.of(group));
    assertThat(routes(WayBack.of(gateway(LAN, List.of(OFFICE), tunnel))))
        .containsExactly("ip route add 10.0.3.0/24 via 10.0.1.1");
  }

  @Test
  void whatTheNetworkMayBeginTowardsTheTunnelCounts() {
    Tunnel tunnel = staffTo(new Place.Internet(), Return.ROUTED, "10.0.3.0/24");
    Gateway nobody = gateway(LAN, List.of(OFFICE), tunnel);
    Gateway help = withFlow(nobody, new Host.Flow(OFFICE, reach(new Place.OfTunnel("staff"))));
    Gateway other = withFlow(nobody, new Host.Flow(OFFICE, reach(new Place.OfTunnel("branch"))));
    assertThat(routes(WayBack.of(help))).containsExactly("ip route add 10.0.3.0/24 via 10.0.1.1");
    assertThat(routes(WayBack.of(other))).isEmpty();
  }

  private static Gateway withFlow(Gateway gateway, Host.Flow flow) {
    Host host = gateway.host();
    return new Gateway(
        gateway.name(),
        gateway.interfaces(),
        gateway.networks(),
        new Host(
            host.inputClosed(),
            host.outputClosed(),
            host.forward(),
            host.services(),
            host.outgoing(),
            host.internet(),
            List.of(flow),
            host.portForwards(),
            host.ping(),
            host.dropLog(),
            host.origin()),
        gateway.tunnels(),
        gateway.identities(),
        gateway.masquerade(),
        gateway.numbers(),
        gateway.origin());
  }

  @Test
  void aFamilyWithoutAnInsideAddressIsNotedAndTheOtherIsServed() {
    Interface four = inside("10.0.1.1/24");
    Network office =
        network("office", four, List.of("10.0.1.254"), "10.0.1.0/24", "2001:db8:1::/64");
    Advice advice =
        WayBack.of(
            gateway(
                four,
                List.of(office),
                staffTo(office, Return.ROUTED, "10.0.3.0/24", "2001:db8:3::/64")));
    assertThat(routes(advice)).containsExactly("ip route add 10.0.3.0/24 via 10.0.1.1");
    assertThat(advice.notes())
        .extracting(Note::text)
        .singleElement()
        .asString()
        .contains("no fixed IPv6 address");
  }

  @Test
  void withoutAFixedInsideAddressItSaysWhatToAdd() {
    Interface dynamic = inside();
    Network office = network("office", dynamic, List.of("10.0.1.254"), "10.0.1.0/24");
    Advice advice =
        WayBack.of(
            gateway(dynamic, List.of(office), staffTo(office, Return.ROUTED, "10.0.3.0/24")));
    assertThat(advice.companions()).isEmpty();
    assertThat(advice.notes())
        .containsExactly(
            new Note(
                "Hosts of office find no way back to the tunnels: lan has no fixed IPv4 address that their"
                    + " router could send to. Write it under `interfaces:`, as `addresses:` of lan.",
                office.origin()));
  }

  @Test
  void hostsBehindAnotherRouterAreNotToldByDhcpBecauseTheNextHopIsNotOnTheirLink() {
    Network storage = behind("storage", LAN, List.of("10.0.1.2"), "192.168.88.0/24");
    assertThat(
            WayBack.of(
                    gateway(LAN, List.of(storage), staffTo(storage, Return.ROUTED, "10.0.3.0/24")))
                .companions())
        .singleElement()
        .isInstanceOf(StaticRoutes.class);
  }

  @Test
  void withoutAnIpv4RouterTheOptionWouldTakeTheDefaultRouteAway() {
    Network office =
        network("office", LAN, List.of("2001:db8:1::fe"), "10.0.1.0/24", "2001:db8:1::/64");
    Advice advice =
        WayBack.of(gateway(LAN, List.of(office), staffTo(office, Return.ROUTED, "10.0.3.0/24")));
    assertThat(advice.companions()).singleElement().isInstanceOf(StaticRoutes.class);
    assertThat(advice.notes())
        .extracting(Note::text)
        .singleElement()
        .asString()
        .contains("RFC 3442", "`routers:`");
  }

  @Test
  void whatDoesNotFitIntoAnOptionIsLeftToTheRouter() {
    String[] pools =
        IntStream.range(0, 32).mapToObj(i -> "10.9." + i + ".0/24").toArray(String[]::new);
    Advice advice =
        WayBack.of(gateway(LAN, List.of(OFFICE), staffTo(OFFICE, Return.ROUTED, pools)));
    assertThat(advice.companions()).singleElement().isInstanceOf(StaticRoutes.class);
    assertThat(advice.notes())
        .extracting(Note::text)
        .singleElement()
        .asString()
        .contains("take 261 bytes");
  }

  private static List<String> routes(Advice advice) {
    return advice.companions().stream()
        .filter(StaticRoutes.class::isInstance)
        .flatMap(companion -> ((StaticRoutes) companion).routes().stream())
        .map(Route::toString)
        .toList();
  }

  /** A DHCP client's side of RFC 3442. */
  private static final class Rfc3442 {
    static List<Route> read(byte[] value) {
      List<Route> routes = new ArrayList<>();
      for (int at = 0; at < value.length; ) {
        int length = value[at++];
        byte[] destination = new byte[4];
        int significant = (length + 7) / 8;
        System.arraycopy(value, at, destination, 0, significant);
        at += significant;
        byte[] router = Arrays.copyOfRange(value, at, at + 4);
        at += 4;
        routes.add(
            new Route(
                new Prefix(Address.fromBytes(destination), length), Address.fromBytes(router)));
      }
      return routes;
    }
  }
}
