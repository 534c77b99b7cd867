package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import java.util.List;

/** The address of this host that masquerade and redirect choose. */
final class OwnAddress implements ChainWalk.MasqueradeAddress {
  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;

  OwnAddress(HeaderSpace space, HostState host) {
    this.host = host;
    this.space = space;
    bdd = space.bdd();
  }

  /**
   * The address that masquerade gives, of the device that the packet leaves by; that of redirect,
   * of the device it came by.
   */
  @Override
  public Field of(State state, boolean leaving, String place) {
    Field address =
        Field.of(
            space.open(
                space.addresses().width(),
                new Unknown(Unknown.Kind.ENVIRONMENT, "the address of the device", place)));
    if (!leaving && state.locallyMade) {
      // nf_nat_redirect: packets of this host go to the loopback address.
      Address loopback = Address.of(space.family() == Family.V4 ? "127.0.0.1" : "::1");
      return Field.of(space.addresses().bits(loopback));
    }
    for (HostState.Device device : host.devices()) {
      List<Address> own =
          device.addresses().stream()
              .map(InterfaceAddress::address)
              .filter(a -> a.family() == space.family() && !isLinkLocal(a))
              .toList();
      if (own.isEmpty() || !device.addressesKnown()) {
        continue;
      }
      int by =
          leaving ? state.oif.in(bdd, space.device(device.name())) : space.arrivesOn(device.name());
      Address chosen = own.getFirst();
      address = address.assign(bdd, by, space.addresses().bits(chosen));
      for (Address other : own.subList(1, own.size())) {
        int open =
            space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "which address of " + device.name(), place));
        address = address.assign(bdd, bdd.and(by, open), space.addresses().bits(other));
      }
    }
    return address;
  }

  private static boolean isLinkLocal(Address address) {
    return address.family() == Family.V6 && (address.high() >>> 54) == (0xfe80L >>> 6);
  }
}
