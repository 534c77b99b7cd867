package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.Optional;

/** Addresses as the kernel's structures have them. */
final class Addresses {
  private Addresses() {}

  /** From an attribute whose length is the family's. */
  static Optional<Address> of(Bytes value) {
    return value.length() == 4 || value.length() == 16
        ? Optional.of(Address.fromBytes(value.array()))
        : Optional.empty();
  }

  /** From a union of 16 bytes (xfrm_address_t) of which IPv4 takes the first four. */
  static Optional<Address> of(Bytes union, int family) {
    return switch (family) {
      case Wire.INET -> Optional.of(Address.fromBytes(union.part(0, 4).array()));
      case Wire.INET6 -> Optional.of(Address.fromBytes(union.part(0, 16).array()));
      default -> Optional.empty();
    };
  }

  /** What a packet's address is compared with; bits behind the length do not count. */
  static Optional<Prefix> prefix(Optional<Address> address, int length) {
    return address.filter(a -> length <= a.family().bits()).map(a -> Prefix.masked(a, length));
  }

  /** Every address, where the kernel leaves out the attribute because the length is 0. */
  static Optional<Prefix> prefix(Optional<Bytes> value, int family, int length) {
    if (value.isEmpty() && length == 0) {
      return switch (family) {
        case Wire.INET -> Optional.of(Prefix.ALL_V4);
        case Wire.INET6 -> Optional.of(Prefix.ALL_V6);
        default -> Optional.empty();
      };
    }
    return prefix(value.flatMap(Addresses::of), length);
  }
}
