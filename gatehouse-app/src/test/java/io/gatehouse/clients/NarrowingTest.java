package io.gatehouse.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.PortRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 7296, 2.9. */
class NarrowingTest {
  private static List<TrafficSelector> selectors(String words) {
    return Arrays.stream(words.split(" ", -1))
        .map(word -> TrafficSelector.parse(word).orElseThrow())
        .toList();
  }

  @ParameterizedTest
  @CsvSource({
    "everything, 0.0.0.0/0, 10.0.1.0/24 192.168.88.0/24, 10.0.1.0/24 192.168.88.0/24, false",
    "a part, 10.0.1.128/25, 10.0.1.0/24, 10.0.1.128/25, true",
    "exactly, 10.0.1.0/24, 10.0.1.0/24, 10.0.1.0/24, true",
    "two proposals, 10.0.0.0/8 192.168.0.0/16, 10.0.1.0/24 192.168.88.0/24, 10.0.1.0/24 192.168.88.0/24, false",
    "one of two fits, 10.0.1.0/24 172.16.0.0/12, 10.0.0.0/8, 10.0.1.0/24, false",
    "the packet first, 10.0.1.7/32[tcp/443] 0.0.0.0/0, 10.0.1.0/24, 10.0.1.0/24, false",
    "ports, 0.0.0.0/0[tcp/80-500], 10.0.1.0/24[tcp/443-1000], 10.0.1.0/24[tcp/443-500], false",
    "any protocol, 0.0.0.0/0, 10.0.1.0/24[udp/1701], 10.0.1.0/24[udp/1701], false",
    "a range, 10.0.1.5-10.0.1.9, 10.0.1.8/29, 10.0.1.8/31, false",
    "both families, 0.0.0.0/0 ::/0, 10.0.1.0/24 2001:db8:1::/64, 10.0.1.0/24 2001:db8:1::/64, false",
  })
  void grants(String name, String proposed, String own, String granted, boolean whole) {
    Narrowing narrowing = Narrowing.of(selectors(proposed), selectors(own));

    assertThat(narrowing.granted()).isEqualTo(selectors(granted));
    assertThat(narrowing.whole()).isEqualTo(whole);
  }

  @ParameterizedTest
  @CsvSource({
    "another network, 172.16.0.0/12, 10.0.0.0/8",
    "another family, ::/0, 10.0.0.0/8",
    "another protocol, 0.0.0.0/0[tcp], 10.0.0.0/8[udp]",
    "another port, 0.0.0.0/0[tcp/80], 10.0.0.0/8[tcp/443]",
  })
  void refuses(String name, String proposed, String own) {
    assertThat(Narrowing.of(selectors(proposed), selectors(own)).granted()).isEmpty();
  }

  @Test
  void ofADescribedTunnel() {
    Gateway gateway = Descriptions.example("office.yaml");

    assertThat(
            Narrowing.of(gateway, gateway.tunnel("staff").orElseThrow(), selectors("0.0.0.0/0"))
                .granted())
        .extracting(Object::toString)
        .containsExactlyInAnyOrder("10.0.1.0/24", "192.168.88.0/24");
  }

  /** Packet by packet, what is granted is what both want. */
  @Test
  void grantsExactlyWhatBothEndsWant() {
    SplittableRandom lot = new SplittableRandom(5);
    int some = 0;
    for (int i = 0; i < 2_000; i++) {
      List<TrafficSelector> proposed = drawn(lot);
      List<TrafficSelector> own = drawn(lot);
      List<TrafficSelector> granted = Narrowing.of(proposed, own).granted();
      for (int address = 0; address < 8; address++) {
        for (int protocol : new int[] {6, 17}) {
          for (int port = 0; port < 4; port++) {
            TrafficSelector packet =
                new TrafficSelector(
                    Address.v4(address), Address.v4(address), protocol, PortRange.of(port));
            boolean both = holds(proposed, packet) && holds(own, packet);
            assertThat(holds(granted, packet)).isEqualTo(both);
            some += both ? 1 : 0;
          }
        }
      }
    }
    assertThat(some).isGreaterThan(1_000);
  }

  private static boolean holds(List<TrafficSelector> selectors, TrafficSelector packet) {
    return selectors.stream()
        .anyMatch(s ->
            s.first().low() <= packet.first().low()
                && packet.first().low() <= s.last().low()
                && (s.protocol() == 0 || s.protocol() == packet.protocol())
                && s.ports().first() <= packet.ports().first()
                && packet.ports().first() <= s.ports().last());
  }

  private static List<TrafficSelector> drawn(SplittableRandom lot) {
    List<TrafficSelector> all = new ArrayList<>();
    for (int n = lot.nextInt(1, 4); n > 0; n--) {
      int first = lot.nextInt(8);
      int port = lot.nextInt(4);
      all.add(
          new TrafficSelector(
              Address.v4(first),
              Address.v4(lot.nextInt(first, 8)),
              new int[] {0, 6, 17}[lot.nextInt(3)],
              new PortRange(port, lot.nextInt(port, 4))));
    }
    return all;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.1.0/24",
        "10.0.1.0/24[tcp/443]",
        "10.0.1.0/24[udp/1000-2000]",
        "10.0.1.0/24[icmp]",
        "10.0.1.3-10.0.1.9",
        "0.0.0.0/0",
        "2001:db8::/32[47]",
        "10.0.1.7/32[any/53]"
      })
  void writesWhatItReads(String text) {
    String said = text.replace("[47]", "[gre]");
    if (text.contains("any")) {
      assertThat(TrafficSelector.parse(text)).isEmpty();
    } else {
      assertThat(TrafficSelector.parse(text)).hasToString("Optional[" + said + "]");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "office",
        "10.0.1.7/24",
        "10.0.1.9-10.0.1.3",
        "10.0.1.0/24[tcp",
        "10.0.1.0/24[tcp/70000]",
        "10.0.1.0/24[tcp/9-3]",
        "10.0.1.1-::1",
        "10.0.1.0/24[999]",
        "10.0.1.0/24[tcp/99999999999]"
      })
  void refusesWhatIsNone(String text) {
    assertThat(TrafficSelector.parse(text)).isEmpty();
  }
}
