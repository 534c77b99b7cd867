package io.gatehouse.slowpath;

import io.gatehouse.model.Address;
import io.gatehouse.model.Numbers;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * Which host has which conntrack zone, and since when it holds nothing: neither a binding nor a
 * session. Times are milliseconds that never go back.
 */
final class HostZones {
  private final Numbers.Span span;
  private final Map<Address, Integer> zones = new HashMap<>();
  private final BitSet taken = new BitSet();

  /** Bindings and sessions of each host that has any. */
  private final Map<Address, Integer> held = new HashMap<>();

  /** When a host that holds nothing was seen last; the longest ago comes first. */
  private final Map<Address, Long> idle = new LinkedHashMap<>();

  private int next;

  HostZones(Numbers.Span span) {
    this.span = span;
    next = span.first();
  }

  OptionalInt of(Address host) {
    Integer zone = zones.get(host);
    return zone == null ? OptionalInt.empty() : OptionalInt.of(zone);
  }

  int size() {
    return zones.size();
  }

  Set<Address> hosts() {
    return zones.keySet();
  }

  void forEach(BiConsumer<Address, Integer> told) {
    zones.forEach(told);
  }

  /** Whether every zone is somebody's. */
  boolean isFull() {
    return zones.size() > span.last() - span.first();
  }

  /** Whoever has held nothing for the longest time; empty where everybody holds something. */
  Optional<Address> longestIdle() {
    return idle.keySet().stream().findFirst();
  }

  /**
   * Gives a zone to a host that has none, where not all are taken; the one that has rested longest,
   * as far as an order round the span tells: conntrack may still know its last host's connections.
   */
  int give(Address host, long now) {
    int zone = taken.nextClearBit(next);
    if (zone > span.last()) {
      zone = taken.nextClearBit(span.first());
    }
    next = zone == span.last() ? span.first() : zone + 1;
    recall(host, zone, now);
    return zone;
  }

  /** A host has had a zone of ours since before; ignored where either is taken or not ours. */
  void recall(Address host, int zone, long now) {
    if (span.first() <= zone
        && zone <= span.last()
        && !taken.get(zone)
        && zones.putIfAbsent(host, zone) == null) {
      taken.set(zone);
      idle.put(host, now);
    }
  }

  /** Takes the zone of a host back; which it was. */
  OptionalInt takeBack(Address host) {
    Integer zone = zones.remove(host);
    if (zone == null) {
      return OptionalInt.empty();
    }
    taken.clear(zone);
    idle.remove(host);
    held.remove(host);
    return OptionalInt.of(zone);
  }

  /** A host with a zone holds one binding or session more. */
  void holds(Address host) {
    held.merge(host, 1, Integer::sum);
    idle.remove(host);
  }

  /** And one less. */
  void lets(Address host, long now) {
    int count = held.getOrDefault(host, 0);
    if (count > 1) {
      held.put(host, count - 1);
    } else {
      held.remove(host);
      seen(host, now);
    }
  }

  /** A host sent something. */
  void seen(Address host, long now) {
    if (zones.containsKey(host) && !held.containsKey(host)) {
      idle.remove(host);
      idle.put(host, now);
    }
  }

  /** Those that have held nothing, and were not seen, since before a time. */
  List<Address> idleSince(long before) {
    List<Address> all = new ArrayList<>();
    for (Map.Entry<Address, Long> host : idle.entrySet()) {
      if (host.getValue() >= before) {
        break;
      }
      all.add(host.getKey());
    }
    return all;
  }
}
