package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Grant.Target;
import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** The least class against brute force: every packet of a small world. */
class GrantTest {
  private static final Origin HERE = Origin.builtIn("test");

  private static final List<Target> TARGETS =
      List.of(
          near("office", "eth1", "10.0.1.0/24"),
          near("servers", "eth1", "10.0.1.0/28"),
          near("desks", "eth1", "10.0.1.8/29", "10.0.2.0/24"),
          near("dmz", "eth2", "10.0.1.0/24"),
          new Target.Far("branch", List.of(Prefix.of("10.20.0.0/16"))),
          new Target.Far("shops", List.of(Prefix.of("10.20.1.0/24"), Prefix.of("10.21.0.0/16"))),
          new Target.World());

  private static final List<Service> SERVICES =
      List.of(
          Describe.service("tcp/80"),
          Describe.service("tcp/80-90"),
          Describe.service("tcp/85-443"),
          Describe.service("tcp"),
          Describe.service("udp/53"),
          Describe.service("udp"),
          Describe.service("icmp"));

  private static Target near(String name, String device, String... prefixes) {
    return new Target.Near(name, device, List.of(prefixes).stream().map(Prefix::of).toList());
  }

  /** A packet as far as grants can tell packets apart; no device stands for the world. */
  private record Packet(String device, Address to, Protocol protocol, int port) {}

  private static final List<Packet> PACKETS = packets();

  private static List<Packet> packets() {
    List<Packet> packets = new ArrayList<>();
    for (String device : List.of("eth1", "eth2", "tunnel", "world")) {
      for (String to :
          List.of(
              "10.0.1.1",
              "10.0.1.9",
              "10.0.1.200",
              "10.0.2.7",
              "10.20.1.1",
              "10.20.2.1",
              "10.21.0.1",
              "192.0.2.1")) {
        packets.add(new Packet(device, Address.of(to), Protocol.ICMP, 0));
        for (int port : List.of(53, 80, 81, 88, 443, 444)) {
          packets.add(new Packet(device, Address.of(to), Protocol.TCP, port));
          packets.add(new Packet(device, Address.of(to), Protocol.UDP, port));
        }
      }
    }
    return packets;
  }

  private static boolean allows(List<Grant> grants, Packet packet) {
    return grants.stream().anyMatch(grant -> allows(grant, packet));
  }

  private static boolean allows(Grant grant, Packet packet) {
    boolean there =
        switch (grant.target()) {
          case Target.Near near ->
              near.device().equals(packet.device) && in(near.prefixes(), packet);
          case Target.Far far -> packet.device.equals("tunnel") && in(far.prefixes(), packet);
          case Target.World world -> packet.device.equals("world");
        };
    return there
        && (grant.services().isEmpty()
            || grant.services().stream()
                .anyMatch(service ->
                    service.protocol() == packet.protocol
                        && service
                            .ports()
                            .map(range -> range.contains(PortRange.of(packet.port)))
                            .orElse(true)));
  }

  private static boolean in(List<Prefix> prefixes, Packet packet) {
    return prefixes.stream().anyMatch(prefix -> prefix.contains(packet.to));
  }

  @Property(tries = 2000)
  void commonIsWhatBothAllow(
      @ForAll("grants") List<Grant> some, @ForAll("grants") List<Grant> others) {
    List<Grant> common = Grant.common(some, others);

    for (Packet packet : PACKETS) {
      assertThat(allows(common, packet))
          .as("%s", packet)
          .isEqualTo(allows(some, packet) && allows(others, packet));
    }
  }

  @Property(tries = 500)
  void commonOfThreeDoesNotDependOnTheOrder(
      @ForAll("grants") List<Grant> a,
      @ForAll("grants") List<Grant> b,
      @ForAll("grants") List<Grant> c) {
    List<Grant> one = Grant.common(Grant.common(a, b), c);
    List<Grant> other = Grant.common(Grant.common(c, a), b);

    for (Packet packet : PACKETS) {
      assertThat(allows(one, packet)).as("%s", packet).isEqualTo(allows(other, packet));
    }
  }

  @Property(tries = 2000)
  void whatIsCoveredAllowsNothingMore(
      @ForAll("grant") Grant around, @ForAll("grant") Grant within) {
    if (around.covers(within)) {
      for (Packet packet : PACKETS) {
        assertThat(!allows(within, packet) || allows(around, packet)).as("%s", packet).isTrue();
      }
    }
  }

  @Provide
  Arbitrary<Grant> grant() {
    return Combinators.combine(
            Arbitraries.of(TARGETS), Arbitraries.of(SERVICES).list().uniqueElements().ofMaxSize(3))
        .as((target, services) -> new Grant(target, services, HERE));
  }

  @Provide
  Arbitrary<List<Grant>> grants() {
    return grant().list().ofMaxSize(4);
  }

  @Test
  void commonPartOfTwoNetworksHasTheNameOfTheInnerOne() {
    List<Grant> common =
        Grant.common(
            List.of(new Grant(TARGETS.get(0), List.of(), HERE)),
            List.of(new Grant(TARGETS.get(1), Describe.services("tcp/80"), HERE)));

    assertThat(common)
        .containsExactly(new Grant(TARGETS.get(1), Describe.services("tcp/80"), HERE));
  }

  @Test
  void portsOverlap() {
    assertThat(
            Grant.commonServices(Describe.services("tcp/80-90"), Describe.services("tcp/85-443")))
        .isEqualTo(Optional.of(Describe.services("tcp/85-90")));
    assertThat(Grant.commonServices(Describe.services("tcp/80"), Describe.services("udp/80")))
        .isEmpty();
    assertThat(Grant.commonServices(List.of(), List.of())).contains(List.of());
  }
}
