package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.RouteMessage;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** In the example, eth0 is outside, eth1 inside, and eth7 nobody's. */
class DevicesTest {
  private static final Address OUR = Address.of("203.0.113.2");
  private static final Address LAN = Address.of("10.0.1.1");

  private final Devices devices = new Devices(Told.GROUPS.gateway());

  static RouteMessage link(int index, String name, boolean up) {
    return new RouteMessage.Link(index, name, up, OptionalInt.of(1500), false);
  }

  static RouteMessage gone(int index, String name) {
    return new RouteMessage.Link(index, name, false, OptionalInt.of(1500), true);
  }

  static RouteMessage has(int index, Address address) {
    return new RouteMessage.OfLink(index, address, 24, false);
  }

  private static RouteMessage lost(int index, Address address) {
    return new RouteMessage.OfLink(index, address, 24, true);
  }

  private void standing() {
    devices.listed(List.of(link(2, "eth0", true), link(3, "eth1", true), has(2, OUR), has(3, LAN)));
    devices.came();
  }

  @Test
  void anOutsideAddressThatGoesIsTold() {
    standing();
    devices.hear(lost(2, OUR));

    assertThat(devices.left()).containsExactly(OUR);
    assertThat(devices.left()).as("once").isEmpty();
  }

  @Test
  void anOutsideDeviceThatGoesDownKeepsItsAddressAndIsTold() {
    standing();
    devices.hear(link(2, "eth0", false));
    devices.hear(link(3, "eth1", false));

    assertThat(devices.left()).isEmpty();
    assertThat(devices.down()).containsExactly(OUR);
    devices.hear(link(2, "eth0", false));
    assertThat(devices.down()).as("once").isEmpty();
  }

  @Test
  void anOutsideDeviceThatIsUpAgainAtOnceIsNot() {
    standing();
    devices.hear(link(2, "eth0", false));
    devices.hear(link(2, "eth0", true));

    assertThat(devices.down()).isEmpty();
  }

  @Test
  void anInsideAddressIsNot() {
    standing();
    devices.hear(lost(3, LAN));

    assertThat(devices.left()).isEmpty();
  }

  @Test
  void anAddressThatOnlyMovesToAnotherDeviceHasNotGone() {
    standing();
    devices.hear(link(9, "eth7", true));
    devices.hear(has(9, OUR));
    devices.hear(lost(2, OUR));

    assertThat(devices.left()).isEmpty();
  }

  @Test
  void anAddressThatIsBackAtOnceHasNotGone() {
    standing();
    devices.hear(lost(2, OUR));
    devices.hear(has(2, OUR));

    assertThat(devices.left()).isEmpty();
  }

  @Test
  void withItsDeviceAnAddressGoes() {
    standing();
    devices.hear(gone(2, "eth0"));

    assertThat(devices.left()).containsExactly(OUR);
    assertThat(devices.index("eth0")).isEmpty();
  }

  @Test
  void whatNobodyToldIsSeenInTheList() {
    standing();
    devices.listed(
        List.of(
            link(2, "eth0", true),
            link(4, "eth1", true),
            has(2, Address.of("203.0.113.7")),
            has(4, LAN)));

    assertThat(devices.left()).containsExactly(OUR);
    assertThat(devices.index("eth1")).hasValue(4);
    assertThat(devices.came()).isTrue();
  }

  @Test
  void devicesOfTheDescriptionComeUpOrGetAnAddress() {
    devices.listed(List.of(link(2, "eth0", false)));
    assertThat(devices.came()).as("it is down").isFalse();
    devices.hear(link(2, "eth0", true));
    assertThat(devices.came()).isTrue();
    assertThat(devices.came()).as("once").isFalse();
    devices.hear(link(2, "eth0", true));
    assertThat(devices.came()).as("nothing new").isFalse();
    devices.hear(has(2, OUR));
    assertThat(devices.came()).isTrue();
    devices.hear(link(9, "eth7", true));
    devices.hear(has(9, LAN));
    assertThat(devices.came()).as("of no description").isFalse();
  }

  @Test
  void aVirtualIpThatATunnelBroughtIsFollowedOnWhateverDevice() {
    Address brought = Address.of("10.20.255.9");
    Devices roaming = new Devices(Told.ROAMING.gateway());
    roaming.listed(
        List.of(
            link(1, "lo", true),
            link(2, "eth0", true),
            has(2, OUR),
            has(1, brought),
            has(1, Address.of("10.20.254.9"))));
    assertThat(roaming.outside()).containsExactlyInAnyOrder(OUR, brought);

    roaming.hear(lost(1, brought));
    roaming.hear(lost(1, Address.of("10.20.254.9")));
    assertThat(roaming.outside()).containsExactly(OUR);
    assertThat(roaming.left()).containsExactly(brought);
  }
}
