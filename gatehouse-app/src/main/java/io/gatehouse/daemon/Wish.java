package io.gatehouse.daemon;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.ruleset.Expression.Addr;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Text;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Statement.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What is to stand at a place. Only what the map's contract allows can be wished. */
record Wish(Slot slot, Data data) {
  /** The bytes of a device's name in a key, with zeros behind it (IFNAMSIZ). */
  private static final int DEVICE_NAME = 16;

  /** A virtual IP that leads to a group's chain; nothing where the contract does not allow it. */
  static Optional<Wish> of(LiveMaps.OfGroups of, Address address, String group) {
    NftSet map = of.map();
    boolean allowed =
        map.contract().isPresent()
            && map.contract().get().keys().stream().anyMatch(value -> holds(value, address));
    return allowed && of.verdicts().get(group) instanceof Verdict.Goto(String chain)
        ? Optional.of(
            new Wish(
                new Slot(id(map), Bytes.of(address.bytes())),
                new Data.Verdict(Data.Verdict.GOTO, Optional.of(chain))))
        : Optional.empty();
  }

  /** The mark of an SA that leads to a zone; nothing where the contract does not allow it. */
  static Optional<Wish> of(NftSet map, long mark, int zone) {
    boolean allowed =
        map.contract().isPresent()
            && isIn(map.contract().get().keys(), mark)
            && isIn(map.contract().get().data(), zone);
    return allowed
        ? Optional.of(
            new Wish(new Slot(id(map), Bytes.int32(mark)), new Data.Value(Bytes.int16(zone))))
        : Optional.empty();
  }

  /** A device that leads to this host's virtual IP; nothing where the contract forbids it. */
  static Optional<Wish> of(NftSet map, String device, Address address) {
    byte[] name = device.getBytes(StandardCharsets.UTF_8);
    boolean allowed =
        map.contract().isPresent()
            && map.contract().get().keys().contains(new Text(device))
            && map.contract().get().data().stream().anyMatch(value -> holds(value, address))
            && name.length < DEVICE_NAME;
    return allowed
        ? Optional.of(
            new Wish(
                new Slot(id(map), Bytes.of(Arrays.copyOf(name, DEVICE_NAME))),
                new Data.Value(Bytes.of(address.bytes()))))
        : Optional.empty();
  }

  static SetId id(NftSet map) {
    return SetId.inet(LiveMaps.TABLE, map.name());
  }

  private static boolean isIn(List<Value> values, long number) {
    return values.stream()
        .anyMatch(value ->
            switch (value) {
              case Number(long only) -> only == number;
              case Range(Number(long first), Number(long last)) ->
                  first <= number && number <= last;
              default -> false;
            });
  }

  private static boolean holds(Value value, Address address) {
    return switch (value) {
      case Addr(Address only) -> only.equals(address);
      case Net(Prefix prefix) -> prefix.contains(Prefix.host(address));
      case Range(Addr(Address first), Addr(Address last)) ->
          first.family() == address.family()
              && first.compareTo(address) <= 0
              && address.compareTo(last) <= 0;
      default -> false;
    };
  }
}
