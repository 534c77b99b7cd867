package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads `identities:`. */
final class Identities {
  private final Problems problems;
  private final Values values;
  private final Names<Interface> interfaces;

  /** Interfaces by the kernel's name. */
  private final Map<String, Interface> devices = new HashMap<>();

  /** The identity that has an address. */
  private final Map<Address, Spot> taken = new HashMap<>();

  Identities(Problems problems, Values values, Names<Interface> interfaces, List<Interface> known) {
    this.problems = problems;
    this.values = values;
    this.interfaces = interfaces;
    known.forEach(i -> devices.putIfAbsent(i.device(), i));
  }

  List<Identity> read(Fields top) {
    List<Identity> understood = new ArrayList<>();
    for (Fields fields : top.namedFields("identities")) {
      one(fields).ifPresent(understood::add);
    }
    return understood;
  }

  private Optional<Identity> one(Fields fields) {
    Optional<Node.Scalar> via = fields.text("via");
    if (via.isEmpty()) {
      return Optional.empty();
    }
    String way = via.get().text();
    boolean broken = interfaces.knows(way) && interfaces.get(way).isEmpty();
    Optional<Interface> known = interfaces.get(way).or(() -> Optional.ofNullable(devices.get(way)));
    if (known.isEmpty() && !broken && !device(via.get())) {
      return Optional.empty();
    }
    List<Located<Address>> addresses = addresses(fields, known);
    if (addresses.isEmpty() || broken) {
      return Optional.empty();
    }
    var own = values.onePerFamily("gateway", fields.texts("gateway"));
    List<Located<Address>> nextHops =
        fields.has("gateway") ? own : known.map(Interface::nextHops).orElse(List.of());
    if (known.filter(i -> i.isOutside() && !i.dhcp() && !i.routerAdvertisements()).isPresent()
        && nextHops.isEmpty()
        && !fields.has("gateway")) {
      problems.warning(
          via.get().spot(),
          "interface `"
              + known.get().name()
              + "` has no `gateway`: right only where it is a point-to-point link",
          "write `gateway:` there, or here");
    }
    return Optional.of(
        new Identity(
            fields.label().path().last(),
            addresses,
            known.map(Interface::device).orElse(way),
            nextHops,
            fields.origin()));
  }

  /** Whether it can be a device's name; where it looks like an interface's, says so. */
  private boolean device(Node.Scalar via) {
    if (!via.text().matches(Language.DEVICE_PATTERN)) {
      problems.error(
          via.spot(),
          "no interface is called " + Quote.of(via.text()) + ", and it cannot be a device",
          problems
              .didYouMean(via.text(), interfaces.all())
              .or(() -> Optional.of("a device has " + Language.DEVICE_RULE)));
      return false;
    }
    problems
        .didYouMean(via.text(), interfaces.all())
        .ifPresent(near ->
            problems.warning(
                via.spot(),
                "no interface is called " + Quote.of(via.text()) + ", so it is taken for a device",
                near));
    return true;
  }

  private List<Located<Address>> addresses(Fields fields, Optional<Interface> via) {
    if (fields.has("address") && fields.has("addresses")) {
      problems.error(
          fields.spot("addresses"), "both `address` and `addresses`", "write all into `addresses`");
    }
    String key = fields.has("address") ? "address" : "addresses";
    List<Located<Address>> addresses = new ArrayList<>();
    if (fields.has(key) && !fields.isEmptyList(key)) {
      for (Node.Scalar scalar : fields.texts(key)) {
        values
            .address(scalar)
            .ifPresent(address -> {
              addresses.add(address);
              claim(address.value(), scalar.spot());
            });
      }
      return addresses;
    }
    if (via.isPresent()) {
      for (var fixed : via.get().addresses()) {
        addresses.add(new Located<>(fixed.value().address(), fixed.origin()));
        claim(fixed.value().address(), fields.label());
      }
    }
    Optional<Spot> broken =
        fields.text("via").flatMap(v -> interfaces.spot(v.text())).filter(s -> via.isEmpty());
    if (addresses.isEmpty() && broken.isEmpty()) {
      problems.error(
          fields.label(),
          "identity `" + fields.label().path().last() + "` has no address",
          via.isPresent()
              ? "interface `"
                  + via.get().name()
                  + "` has no fixed one: write `address:` here, or `addresses:` there"
              : "write `address:`, the source address that makes the identity");
    }
    return addresses;
  }

  private void claim(Address address, Spot spot) {
    Spot other = taken.putIfAbsent(address, spot);
    if (other != null) {
      problems.error(
          spot,
          address + " is the address of another identity (" + other.seenFrom(spot) + ")",
          "one address leaves by one path");
    }
  }
}
