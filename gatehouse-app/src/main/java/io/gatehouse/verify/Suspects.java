package io.gatehouse.verify;

import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects what there is too much of, and what is missing. */
final class Suspects {
  private final Walk walk;
  private final List<Suspect> all = new ArrayList<>();

  Suspects(Walk walk) {
    this.walk = walk;
  }

  List<Suspect> all() {
    return List.copyOf(all);
  }

  /** Packets that arrive and may not. */
  void much(String what, boolean made, int packets) {
    add(Property.TOO_MUCH, what, made, packets);
  }

  /**
   * Packets that never arrive, whatever the circumstances.
   *
   * @param packets that should
   * @param arrive that do, in some circumstances
   */
  void little(String what, boolean made, int packets, int arrive) {
    missing(Property.TOO_LITTLE, what, made, packets, arrive);
  }

  /** The same for another property. */
  void missing(Property property, String what, boolean made, int packets, int arrive) {
    int ever = walk.space().packets(walk.space().settled(arrive, Map.of()));
    add(property, what, made, walk.and(walk.minus(packets, ever), circumstances()));
  }

  void add(Property property, String what, boolean made, int packets) {
    Journey journey = made ? walk.sent() : walk.received();
    all.add(new Suspect(property, what, made, journey, packets, walk.space().firstOfConnection()));
  }

  private int circumstances() {
    return walk.space().circumstances(Map.of());
  }
}
