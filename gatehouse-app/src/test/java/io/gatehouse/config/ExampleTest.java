package io.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.Role;
import io.gatehouse.model.Located;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A description that uses every key, and what it means. */
class ExampleTest {
  private static final Service HTTPS = Service.of(Protocol.TCP, 443);
  private static final Service SSH = Service.of(Protocol.TCP, 22);

  private final Gateway office = understood("office.yaml");

  private static Gateway understood(String file) {
    Reading reading = Description.read(file, new Directory(Directory.fixtures("valid")));
    assertThat(ProblemText.of(reading.problems(), 80)).isEmpty();
    return ((Reading.Understood) reading).gateway();
  }

  private Interface on(String name) {
    return office.interfaces().stream()
        .filter(i -> i.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private Network network(String name) {
    return office.networks().stream().filter(n -> n.name().equals(name)).findFirst().orElseThrow();
  }

  private Tunnel.RemoteAccess remoteAccess(String name) {
    return (Tunnel.RemoteAccess) office.tunnel(name).orElseThrow();
  }

  private static <T> List<T> values(List<Located<T>> located) {
    return located.stream().map(Located::value).toList();
  }

  @Test
  void interfaces() {
    assertThat(office.name()).isEqualTo("office");
    assertThat(office.interfaces())
        .extracting(Interface::name)
        .containsExactly("wan", "wan2", "lan", "one-arm");
    Interface wan = on("wan");
    assertThat(wan.device()).isEqualTo("eth0");
    assertThat(wan.roles()).isEqualTo(Set.of(Role.OUTSIDE));
    assertThat(values(wan.addresses()))
        .containsExactly(
            new Interface.InterfaceAddress(Address.of("203.0.113.2"), 24),
            new Interface.InterfaceAddress(Address.of("2001:db8::2"), 64));
    assertThat(values(wan.nextHops()))
        .containsExactly(Address.of("203.0.113.1"), Address.of("fe80::1"));
    assertThat(wan.mtu()).isEqualTo(1500);
    assertThat(wan.dhcp()).isFalse();
    assertThat(wan.routerAdvertisements()).isFalse();
    assertThat(values(on("wan2").publicAddresses())).containsExactly(Address.of("192.0.2.77"));
    assertThat(on("wan2").mtu()).isEqualTo(1492);
    assertThat(on("wan2").dhcp()).isTrue();
    assertThat(on("wan2").routerAdvertisements()).isTrue();
    assertThat(on("lan").dhcp()).isFalse();
    assertThat(on("lan").routerAdvertisements()).isFalse();
    assertThat(on("one-arm").roles()).isEqualTo(Set.of(Role.INSIDE, Role.OUTSIDE));
    assertThat(on("one-arm").dhcp()).isFalse();
    assertThat(on("one-arm").routerAdvertisements()).isTrue();
  }

  @Test
  void networks() {
    assertThat(network("office").connected()).isTrue();
    assertThat(network("office").on()).isEqualTo(on("lan"));
    assertThat(values(network("office").prefixes()))
        .containsExactly(Prefix.of("10.0.1.0/24"), Prefix.of("2001:db8:1::/64"));
    assertThat(network("storage").connected()).isFalse();
    assertThat(values(network("storage").nextHops())).containsExactly(Address.of("10.0.1.254"));
    assertThat(values(network("lab").routers())).containsExactly(Address.of("172.16.0.1"));
  }

  @Test
  void host() {
    Host host = office.host();
    assertThat(host.inputClosed()).isTrue();
    assertThat(host.outputClosed()).isTrue();
    assertThat(host.forward()).isEqualTo(Host.Forward.ALL);
    assertThat(host.ping()).isEqualTo(Host.Ping.ANYBODY);
    assertThat(host.services())
        .extracting(o -> o.from().name() + " " + o.admin())
        .containsExactly(
            "office true", "internet true", "office false", "lab false", "internet false");
    assertThat(host.services().getFirst().services()).containsExactly(SSH);
    assertThat(host.services().get(2).services().toString())
        .isEqualTo("[udp/53, tcp/53, tcp/853, udp/67, udp/547]");
    assertThat(values(host.outgoing()).toString())
        .isEqualTo("[udp/53, tcp/53, tcp/853, udp/123, tcp/443]");
    assertThat(host.internet())
        .extracting(Host.InternetAccess::from)
        .containsExactly(network("office"), network("lab"), network("storage"));
    assertThat(host.internet().get(0).nat()).isEqualTo(new Host.SourceNat.Masquerade());
    assertThat(host.internet().get(1).nat())
        .isInstanceOfSatisfying(
            Host.SourceNat.Fixed.class,
            fixed -> assertThat(fixed.address().value()).isEqualTo(Address.of("203.0.113.2")));
    assertThat(host.internet().get(1).services())
        .containsExactly(Service.of(Protocol.TCP, 80), HTTPS);
    assertThat(host.internet().get(2).nat()).isEqualTo(new Host.SourceNat.None());
    assertThat(host.flows())
        .extracting(f -> f.from().name() + " " + f.to().place().name() + " " + f.to().services())
        .containsExactly(
            "office storage [tcp/445, tcp/2049]", "office lab []", "office depot [tcp/443]");
    assertThat(host.portForwards()).hasSize(4);
    Host.PortForward https = host.portForwards().getFirst();
    assertThat(https.on()).isEqualTo(on("wan"));
    assertThat(https.service()).isEqualTo(HTTPS);
    assertThat(https.to().value()).isEqualTo(Address.of("10.0.1.80"));
    assertThat(https.toPort()).contains(8443);
    assertThat(https.from()).isEmpty();
    assertThat(host.portForwards().subList(1, 4))
        .extracting(f -> f.on().name() + " " + f.service())
        .containsExactly("wan udp/1000-2000", "wan2 udp/1000-2000", "one-arm udp/1000-2000");
    assertThat(host.portForwards().getLast().from())
        .containsExactly(Prefix.of("198.51.100.9/32"), Prefix.of("192.0.2.0/28"));
    Host.DropLog log = host.dropLog().orElseThrow();
    assertThat(log.perMinute()).isEqualTo(120);
    assertThat(log.burst()).isEqualTo(20);
    assertThat(log.until()).contains(Instant.parse("2026-12-01T17:00:00Z"));
  }

  @Test
  void remoteAccess() {
    Tunnel.RemoteAccess staff = remoteAccess("staff");
    assertThat(staff.on()).extracting(Interface::name).containsExactly("wan", "wan2");
    assertThat(staff.ike()).contains(new Tunnel.Ike("rw", Optional.of("net")));
    assertThat(values(staff.esp().proposals()))
        .containsExactly("aes256gcm16-x25519", "aes128-sha256-modp2048!");
    assertThat(staff.esp().encapsulation()).isEqualTo(Esp.Encapsulation.ALWAYS);
    assertThat(staff.mss()).isEqualTo(new Mss.Reckoned());
    assertThat(values(staff.peers())).containsExactly(new Peer.Anybody());
    assertThat(values(staff.pools()))
        .containsExactly(Prefix.of("10.0.3.0/24"), Prefix.of("2001:db8:3::/64"));
    assertThat(staff.wayBack()).isEqualTo(Tunnel.Return.ROUTED);
    assertThat(staff.reach())
        .extracting(r -> r.place().name() + " " + r.services())
        .containsExactly("office []", "storage [tcp/445]", "storage [tcp/2049]", "depot []");
    assertThat(staff.reach().getLast().place()).isEqualTo(new Place.OfTunnel("depot"));
    assertThat(values(staff.services()).toString()).isEqualTo("[udp/53, tcp/53, tcp/853]");
    assertThat(values(staff.dns()))
        .containsExactly(Address.of("10.0.1.53"), Address.of("2001:db8:1::53"));
    assertThat(remoteAccess("phones").wayBack()).isEqualTo(Tunnel.Return.PROXY);
    assertThat(remoteAccess("phones").mss()).isEqualTo(new Mss.Unclamped());
    assertThat(remoteAccess("phones").reach().getFirst().place()).isEqualTo(new Place.Internet());
    assertThat(remoteAccess("helpdesk").wayBack()).isEqualTo(Tunnel.Return.NAT);
    assertThat(remoteAccess("helpdesk").mss()).isEqualTo(new Mss.Fixed(1300));
    assertThat(values(remoteAccess("helpdesk").peers()))
        .containsExactly(
            new Peer.At(Prefix.of("198.51.100.0/24")), new Peer.At(Prefix.of("2001:db8:77::/48")));
    assertThat(remoteAccess("helpdesk").reach()).isEmpty();
    assertThat(office.tunnel("legacy").orElseThrow()).isInstanceOf(Tunnel.L2tp.class);
    assertThat(office.tunnel("legacy").orElseThrow().on()).containsExactly(on("wan"));
  }

  @Test
  void whatAGroupDoesNotSayIsTheTunnels() {
    Tunnel.RemoteAccess staff = remoteAccess("staff");
    Tunnel.Group finance = staff.groups().getFirst();
    assertThat(finance.match()).isEqualTo(new Tunnel.Match(Tunnel.Match.Kind.EAP_ID, "*@fin"));
    assertThat(finance.reach())
        .extracting(r -> r.place().name() + " " + r.services())
        .containsExactly("office [tcp/445]", "internet [tcp/443]");
    assertThat(finance.services()).isEqualTo(staff.services());
    Tunnel.Group guests = staff.groups().getLast();
    assertThat(guests.reach()).isEmpty();
    assertThat(guests.services()).isEmpty();
  }

  @Test
  void siteToSite() {
    Tunnel.SiteToSite depot = (Tunnel.SiteToSite) office.tunnel("depot").orElseThrow();
    assertThat(values(depot.peers())).containsExactly(new Peer.At(Prefix.of("198.51.100.7/32")));
    assertThat(depot.local()).containsExactly(network("office"), network("lab"));
    assertThat(values(depot.remote()))
        .containsExactly(Prefix.of("10.20.0.0/16"), Prefix.of("2001:db8:20::/48"));
    assertThat(depot.reach())
        .extracting(Reach::services)
        .containsExactly(List.of(HTTPS), List.of());
    assertThat(depot.outbound().toString()).isEqualTo("[tcp/443, tcp/445]");
    assertThat(depot.origin()).isEqualTo(new Origin("branches/depot.yaml", 3, 3, "tunnels.depot"));
    Tunnel.SiteToSite kiosk = (Tunnel.SiteToSite) office.tunnel("kiosk").orElseThrow();
    assertThat(kiosk.on()).extracting(Interface::name).containsExactly("wan", "wan2", "one-arm");
    assertThat(kiosk.reach()).extracting(Reach::place).containsExactly(network("office"));
    assertThat(kiosk.outbound()).isEmpty();
  }

  @Test
  void identities() {
    assertThat(office.identities()).extracting(Identity::name).containsExactly("inside", "outside");
    Identity inside = office.identities().getFirst();
    assertThat(inside.device()).isEqualTo("tun0");
    assertThat(values(inside.addresses())).containsExactly(Address.of("10.8.0.2"));
    assertThat(inside.nextHops()).isEmpty();
    Identity outside = office.identities().getLast();
    assertThat(outside.device()).isEqualTo("eth0");
    assertThat(values(outside.addresses()))
        .containsExactly(Address.of("203.0.113.2"), Address.of("2001:db8::2"));
    assertThat(values(outside.nextHops()))
        .containsExactly(Address.of("203.0.113.1"), Address.of("fe80::1"));
  }

  @Test
  void numbers() {
    Numbers d = Numbers.DEFAULT;
    assertThat(office.numbers())
        .isEqualTo(
            new Numbers(
                new Numbers.Span(6000, 6099),
                d.routeTables(),
                172,
                0xffffff00L,
                d.saMarkMask(),
                d.identityMarkMask(),
                d.transportZones(),
                d.masqueradeZones(),
                d.queue()));
  }

  @Test
  void everyValueKeepsItsPlace() {
    Tunnel.RemoteAccess staff = remoteAccess("staff");
    assertThat(staff.origin()).isEqualTo(new Origin("office.yaml", 50, 3, "tunnels.staff"));
    assertThat(staff.pools().get(1).origin())
        .isEqualTo(new Origin("office.yaml", 55, 26, "tunnels.staff.pools[1]"));
    assertThat(staff.reach().getFirst().origin().path()).isEqualTo("tunnels.staff.reach[0]");
    assertThat(staff.groups().getFirst().origin().path()).isEqualTo("tunnels.staff.groups.finance");
    assertThat(on("wan").addresses().getFirst().origin())
        .isEqualTo(new Origin("office.yaml", 10, 17, "interfaces.wan.addresses[0]"));
    assertThat(office.host().internet().getFirst().origin().path()).isEqualTo("host.internet[0]");
    assertThat(office.origin()).isEqualTo(new Origin("office.yaml", 1, 1, ""));
  }

  @Test
  void aHostThatIsNotMentionedIsClosed() {
    Host host = understood("small.yaml").host();
    assertThat(host.inputClosed()).isTrue();
    assertThat(host.outputClosed()).isFalse();
    assertThat(host.forward()).isEqualTo(Host.Forward.OURS);
    assertThat(host.ping()).isEqualTo(Host.Ping.INSIDE);
    assertThat(host.dropLog()).isEmpty();
    assertThat(host.services()).isEmpty();
    assertThat(host.origin().isBuiltIn()).isTrue();
  }

  @Test
  void everythingThatAServiceCanBe() {
    String text =
        """
        version: 1
        gateway: g
        interfaces: { wan: { device: eth0, role: outside } }
        services: { a: [b, esp, tcp], b: [tcp/22, udp/7-9, tcp/22], ntp: udp/1123 }
        host: { services: [{ from: internet, services: [a, ntp, sctp/5, icmpv6] }] }
        """;
    Gateway gateway = ((Reading.Understood) Description.read("x", new Fixed(text))).gateway();
    assertThat(gateway.host().services().getFirst().services())
        .containsExactly(
            SSH,
            new Service(Protocol.UDP, Optional.of(new PortRange(7, 9))),
            new Service(Protocol.ESP, Optional.empty()),
            new Service(Protocol.TCP, Optional.empty()),
            Service.of(Protocol.UDP, 1123),
            Service.of(Protocol.SCTP, 5),
            new Service(Protocol.ICMPV6, Optional.empty()));
  }
}
