package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Interface.Role;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Reads `interfaces:`. */
final class Interfaces {
  private static final int MTU = 1500;

  /** Each costs rules and is looped over; a host has a few. */
  private static final int LIMIT = 128;

  /** Of one interface. */
  private static final int ADDRESSES = 64;

  /**
   * Directories beside those of devices under /proc/sys/net/ipv4/conf, and the device that is
   * nobody's outside.
   */
  private static final Set<String> NO_DEVICES = Set.of("all", "default", "lo");

  private final Problems problems;
  private final Values values;
  private final Overlaps overlaps;

  /** The interface that has a device. */
  private final Map<String, String> devices = new HashMap<>();

  private Interfaces(Problems problems, Values values, Overlaps overlaps) {
    this.problems = problems;
    this.values = values;
    this.overlaps = overlaps;
  }

  static List<Interface> read(
      Fields top, Problems problems, Values values, Overlaps overlaps, Names<Interface> names) {
    List<Fields> all = top.namedFields("interfaces");
    if (all.size() > LIMIT) {
      problems.error(top.spot("interfaces"), "more than " + LIMIT + " interfaces");
      all = all.subList(0, LIMIT);
    }
    List<Interface> understood = new ArrayList<>();
    Interfaces reader = new Interfaces(problems, values, overlaps);
    boolean outside = false;
    for (Fields fields : all) {
      String name = fields.label().path().last();
      names.declare(name, fields.label());
      reader
          .one(name, fields)
          .ifPresent(i -> {
            names.define(name, i);
            understood.add(i);
          });
      // A role that could not be read may have been the one that is missed.
      outside |= fields.texts("role").isEmpty() || reader.roles(fields).contains(Role.OUTSIDE);
    }
    if (top.has("interfaces") && all.isEmpty()) {
      problems.error(
          top.spot("interfaces"),
          "no interface at all",
          "such as `wan: { device: eth0, role: outside }`");
    } else if (!all.isEmpty() && !outside) {
      problems.error(
          top.spot("interfaces"),
          "no interface has the role `outside`: nobody could reach this gateway",
          "one interface may be both: `role: [inside, outside]`");
    }
    return understood;
  }

  private Set<Role> roles(Fields fields) {
    Set<Role> roles = EnumSet.noneOf(Role.class);
    fields.texts("role").forEach(r -> roles.add(Role.valueOf(r.text().toUpperCase(Locale.ROOT))));
    return roles;
  }

  private Optional<Interface> one(String name, Fields fields) {
    Set<Role> roles = roles(fields);
    List<Located<InterfaceAddress>> addresses = new ArrayList<>();
    if (fields.items("addresses").size() > ADDRESSES) {
      problems.error(fields.spot("addresses"), "more than " + ADDRESSES + " addresses");
      return Optional.empty();
    }
    for (Node.Scalar scalar : fields.texts("addresses")) {
      values
          .interfaceAddress(scalar)
          .ifPresent(address -> {
            addresses.add(address);
            claim(name, roles, address.value(), scalar.spot());
          });
    }
    var publicAddresses = values.addresses(fields.texts("public"));
    if (fields.has("public") && !roles.isEmpty() && !roles.contains(Role.OUTSIDE)) {
      problems.error(
          fields.spot("public"),
          "interface `" + name + "` is inside, where nobody sees a public address",
          "a public address belongs to an outside interface");
    }
    var nextHops = values.onePerFamily("gateway", fields.texts("gateway"));
    if (nextHops.size() == fields.items("gateway").size()) {
      for (Node.Scalar scalar : fields.texts("gateway")) {
        onLink(scalar, addresses);
      }
    }
    Optional<Node.Scalar> device = fields.text("device");
    device.ifPresent(d -> device(d, name));
    if (device.isEmpty() || roles.isEmpty()) {
      return Optional.empty();
    }
    fixedAndLeased(fields, addresses);
    boolean outside = roles.contains(Role.OUTSIDE);
    boolean fixed6 = addresses.stream().anyMatch(a -> a.value().address().family() == Family.V6);
    return Optional.of(
        new Interface(
            name,
            device.get().text(),
            roles,
            addresses,
            publicAddresses,
            fields.number("mtu").map(Long::intValue).orElse(MTU),
            fields.flag("dhcp").orElse(outside && addresses.isEmpty()),
            fields.flag("router-advertisements").orElse(outside && !fixed6),
            nextHops,
            fields.origin()));
  }

  /** Which of the two its rules would be for nobody could say. */
  private void fixedAndLeased(Fields fields, List<Located<InterfaceAddress>> addresses) {
    Optional<InterfaceAddress> fixed =
        addresses.stream()
            .map(Located::value)
            .filter(address -> address.address().family() == Family.V4)
            .findFirst();
    if (fixed.isPresent() && fields.flag("dhcp").orElse(false)) {
      problems.error(
          fields.spot("dhcp"),
          "`dhcp: true` beside the fixed address " + fixed.get().address(),
          "leave out the one that it does not have");
    }
  }

  private void device(Node.Scalar device, String name) {
    if (NO_DEVICES.contains(device.text())) {
      problems.error(
          device.spot(),
          "`"
              + device.text()
              + "` cannot be described: "
              + (device.text().equals("lo")
                  ? "loopback is always open"
                  : "the kernel uses the word otherwise"),
          "take the name that `ip link` shows");
      return;
    }
    String other = devices.putIfAbsent(device.text(), name);
    if (other != null) {
      problems.error(
          device.spot(),
          "interface `" + other + "` has the device `" + device.text() + "` already",
          "one interface may be both: `role: [inside, outside]`");
    }
  }

  private void claim(String name, Set<Role> roles, InterfaceAddress address, Spot spot) {
    overlaps.own(Prefix.host(address.address()), name, spot);
    if (!roles.contains(Role.INSIDE) && !Values.isLinkLocal(address.address())) {
      overlaps.link(address.link(), name, spot);
    }
  }

  private void onLink(Node.Scalar hop, List<Located<InterfaceAddress>> addresses) {
    Address.parse(hop.text())
        .filter(a -> !Values.isLinkLocal(a))
        .ifPresent(a -> {
          List<InterfaceAddress> same =
              addresses.stream()
                  .map(Located::value)
                  .filter(i -> i.address().family() == a.family())
                  .toList();
          if (same.stream().anyMatch(i -> i.address().equals(a))) {
            problems.error(
                hop.spot(), hop.text() + " is this host's own address", "write the router's");
          } else if (!same.isEmpty() && same.stream().noneMatch(i -> i.link().contains(a))) {
            problems.warning(
                hop.spot(),
                hop.text() + " is not on the link of this interface's addresses",
                "the kernel must be told that it is: `onlink`");
          }
        });
  }
}
