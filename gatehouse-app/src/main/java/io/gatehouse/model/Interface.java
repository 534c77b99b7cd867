package io.gatehouse.model;

import java.util.List;
import java.util.Set;

/**
 * A network interface in the role that it plays here, known by its device's name, never by an
 * index: it may appear late.
 *
 * @param name its name in the description
 * @param device its name in the kernel
 * @param roles never empty; one device may be both inside and outside
 * @param addresses its fixed addresses with their prefix lengths; empty where they are dynamic and
 *     followed
 * @param publicAddresses where the world sees it, when this host is itself behind NAT
 * @param mtu bytes; the path's where the description knows it better than the device
 * @param dhcp whether this host gets its address there by DHCP
 * @param routerAdvertisements whether its IPv6 default route lives on router advertisements
 * @param nextHops the routers behind it, at most one to a family
 */
public record Interface(
    String name,
    String device,
    Set<Role> roles,
    List<Located<InterfaceAddress>> addresses,
    List<Located<Address>> publicAddresses,
    int mtu,
    boolean dhcp,
    boolean routerAdvertisements,
    List<Located<Address>> nextHops,
    Origin origin) {

  /** What is on the other side of an interface. */
  public enum Role {
    /** Networks that are ours. */
    INSIDE,
    /** The world. */
    OUTSIDE
  }

  /** An address and the length of the prefix that its link shares. */
  public record InterfaceAddress(Address address, int length) {
    public Prefix link() {
      return Prefix.masked(address, length);
    }
  }

  public Interface {
    roles = Set.copyOf(roles);
    addresses = List.copyOf(addresses);
    publicAddresses = List.copyOf(publicAddresses);
    nextHops = List.copyOf(nextHops);
    if (roles.isEmpty()) {
      throw new IllegalArgumentException("an interface has a role");
    }
  }

  public boolean isOutside() {
    return roles.contains(Role.OUTSIDE);
  }

  public boolean isInside() {
    return roles.contains(Role.INSIDE);
  }

  /** Whether it has an address of that family that is written down. */
  public boolean isFixed(Family family) {
    return addresses.stream().anyMatch(a -> a.value().address().family() == family);
  }

  /**
   * Whether addresses of that family may come and go that no description knows: where nothing at
   * all says what it has, those of either.
   */
  public boolean isFollowed(Family family) {
    boolean silent = addresses.isEmpty() && !dhcp && !routerAdvertisements;
    return !isFixed(family) && (silent || (family == Family.V4 ? dhcp : routerAdvertisements));
  }

  /** Whether it may have addresses of that family at all. */
  public boolean speaks(Family family) {
    return isFixed(family) || isFollowed(family);
  }
}
