package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Elements of the masquerade's maps as the kernel has them. What a map's contract does not allow is
 * not made. Keys of several parts have each part on a multiple of four bytes.
 */
final class Elements {
  private static final int ADDRESS = 4;
  private static final int SPI = 4;
  private static final int COOKIE = 8;

  private final LiveMaps.OfMasquerade maps;
  private final Duration lifetime;

  /**
   * @param lifetime of what is refreshed by traffic
   */
  Elements(LiveMaps.OfMasquerade maps, Duration lifetime) {
    this.maps = maps;
    this.lifetime = lifetime;
  }

  /** A remote and an SPI. */
  record Spi(Address remote, int spi) {}

  /** A remote and an initiator's cookie. */
  record Cookie(Address remote, long cookie) {}

  static SetId id(NftSet set) {
    return SetId.inet(LiveMaps.TABLE, set.name());
  }

  /** Whether a host may have a zone at all. */
  boolean isClient(Address host) {
    return isIn(contract(maps.zones()).keys(), host);
  }

  private static boolean isIn(List<Value> values, Address host) {
    return values.stream()
        .anyMatch(value -> value instanceof Net(Prefix net) && net.contains(host));
  }

  private static NftSet.Contract contract(NftSet set) {
    return set.contract().orElseThrow();
  }

  private static boolean isIn(List<Value> values, int number) {
    return values.stream()
        .anyMatch(value ->
            value instanceof Range(Number(long first), Number(long last))
                && first <= number
                && number <= last);
  }

  /** A host and its zone, one way and back; nothing where a contract does not allow it. */
  List<ElementChange> zone(Address host, int zone) {
    if (!isClient(host)
        || !isIn(contract(maps.zones()).data(), zone)
        || !isIn(contract(maps.hosts()).keys(), zone)) {
      return List.of();
    }
    return List.of(
        new ElementChange.Add(id(maps.zones()), oneWay(host, zone)),
        new ElementChange.Add(id(maps.hosts()), back(host, zone)));
  }

  /** A host and its zone, both no longer. */
  List<ElementChange> zoneGone(Address host, int zone) {
    return List.of(
        new ElementChange.Remove(id(maps.zones()), oneWay(host, zone)),
        new ElementChange.Remove(id(maps.hosts()), back(host, zone)));
  }

  private static SetElement oneWay(Address host, int zone) {
    return SetElement.of(Bytes.of(host.bytes()), new Data.Value(Bytes.int16(zone)));
  }

  private static SetElement back(Address host, int zone) {
    return SetElement.of(Bytes.int16(zone), new Data.Value(Bytes.of(host.bytes())));
  }

  private static Bytes key(Spi spi) {
    return Bytes.of(
        ByteBuffer.allocate(ADDRESS + SPI).put(spi.remote.bytes()).putInt(spi.spi).array());
  }

  private static Bytes key(Cookie cookie) {
    return Bytes.of(
        ByteBuffer.allocate(ADDRESS + COOKIE)
            .put(cookie.remote.bytes())
            .putLong(cookie.cookie)
            .array());
  }

  Optional<ElementChange> bind(Spi spi, int zone) {
    return spi.spi != 0 ? timed(maps.spis(), key(spi), zone) : Optional.empty();
  }

  /** The same for packets that go past conntrack; nothing where none do. */
  Optional<ElementChange> direct(Spi spi, Address host) {
    return maps.direct()
        .filter(map -> spi.spi != 0 && isIn(contract(map).data(), host))
        .map(map ->
            new ElementChange.Add(
                id(map),
                SetElement.of(key(spi), new Data.Value(Bytes.of(host.bytes()))).lasting(lifetime)));
  }

  Optional<ElementChange> directGone(Spi spi) {
    return maps.direct().map(map -> new ElementChange.Remove(id(map), SetElement.of(key(spi))));
  }

  Optional<ElementChange> bind(Cookie cookie, int zone) {
    return cookie.cookie != 0 ? timed(maps.cookies(), key(cookie), zone) : Optional.empty();
  }

  private Optional<ElementChange> timed(NftSet map, Bytes key, int zone) {
    return isIn(contract(map).data(), zone)
        ? Optional.of(
            new ElementChange.Add(
                id(map), SetElement.of(key, new Data.Value(Bytes.int16(zone))).lasting(lifetime)))
        : Optional.empty();
  }

  ElementChange unbind(Spi spi) {
    return new ElementChange.Remove(id(maps.spis()), SetElement.of(key(spi)));
  }

  ElementChange unbind(Cookie cookie) {
    return new ElementChange.Remove(id(maps.cookies()), SetElement.of(key(cookie)));
  }

  /** An SPI of this host's own that came, or went; nothing where it speaks no IPsec itself. */
  Optional<ElementChange> own(Spi spi, boolean came) {
    return maps.own()
        .map(set -> {
          SetElement element = SetElement.of(key(spi));
          return came
              ? new ElementChange.Add(id(set), element)
              : new ElementChange.Remove(id(set), element);
        });
  }

  /** A host and a remote whose established traffic is wanted, or no longer. */
  ElementChange watch(Address host, Address remote, boolean wanted) {
    Bytes key =
        Bytes.of(ByteBuffer.allocate(2 * ADDRESS).put(host.bytes()).put(remote.bytes()).array());
    SetId set = id(maps.watched());
    return wanted
        ? new ElementChange.Add(set, SetElement.of(key))
        : new ElementChange.Remove(set, SetElement.of(key));
  }

  // ---- what the kernel lists

  static Optional<Address> address(SetElement element) {
    return element.key().length() == ADDRESS
        ? Optional.of(Address.v4((int) element.key().u32be(0)))
        : Optional.empty();
  }

  static OptionalInt zone(SetElement element) {
    return element.data().isPresent()
            && element.data().get() instanceof Data.Value(Bytes zone)
            && zone.length() >= 2
        ? OptionalInt.of(zone.u16(0))
        : OptionalInt.empty();
  }

  /** The zone of an element that leads back to a host. */
  static OptionalInt zoneBack(SetElement element) {
    return element.key().length() >= 2 ? OptionalInt.of(element.key().u16(0)) : OptionalInt.empty();
  }

  /** The host that such an element leads to. */
  static Optional<Address> hostBack(SetElement element) {
    return element.data().isPresent()
            && element.data().get() instanceof Data.Value(Bytes host)
            && host.length() == ADDRESS
        ? Optional.of(Address.v4((int) host.u32be(0)))
        : Optional.empty();
  }

  /** Whether what the kernel has learned is of this host and remote. */
  static boolean isOf(SetElement element, Address host, Address remote) {
    Bytes key = element.key();
    return key.length() > 2 * ADDRESS
        && Address.v4((int) key.u32be(0)).equals(host)
        && Address.v4((int) key.u32be(ADDRESS)).equals(remote);
  }

  /** An SPI under which a host sent, no longer. */
  ElementChange unsent(SetElement element) {
    return new ElementChange.Remove(id(maps.sent()), SetElement.of(element.key()));
  }

  /** A cookie that a host has used, no longer. */
  ElementChange unknown(SetElement element) {
    return new ElementChange.Remove(id(maps.known()), SetElement.of(element.key()));
  }

  /** The host that sent under an SPI that the kernel has seen. */
  static Optional<Address> sender(SetElement element) {
    return element.key().length() == 2 * ADDRESS + SPI
        ? Optional.of(Address.v4((int) element.key().u32be(0)))
        : Optional.empty();
  }

  static Optional<Spi> spi(SetElement element) {
    Bytes key = element.key();
    return key.length() == ADDRESS + SPI
        ? Optional.of(new Spi(Address.v4((int) key.u32be(0)), (int) key.u32be(ADDRESS)))
        : Optional.empty();
  }

  static Optional<Cookie> cookie(SetElement element) {
    Bytes key = element.key();
    return key.length() == ADDRESS + COOKIE
        ? Optional.of(
            new Cookie(
                Address.v4((int) key.u32be(0)), key.u32be(ADDRESS) << 32 | key.u32be(ADDRESS + 4)))
        : Optional.empty();
  }

  /** Milliseconds since traffic refreshed it, where the kernel tells. */
  long idle(SetElement element) {
    return element
        .expires()
        .map(left -> element.timeout().orElse(lifetime).minus(left).toMillis())
        .filter(idle -> idle > 0)
        .orElse(0L);
  }
}
