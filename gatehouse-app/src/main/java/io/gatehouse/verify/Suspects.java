package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.Journey;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Collects what there is too much of, and what is missing. */
final class Suspects {
  private final Walk walk;
  private final Map<String, Verdict> known;
  private final boolean whateverIsKnown;
  private final List<Suspect> all = new ArrayList<>();

  private Suspects(Walk walk, Map<String, Verdict> known, boolean whateverIsKnown) {
    this.walk = walk;
    this.known = known;
    this.whateverIsKnown = whateverIsKnown;
  }

  /** Whatever the live maps hold; what is missing is missing while they hold nothing. */
  static Suspects always(Walk walk) {
    return new Suspects(walk, Map.of(), true);
  }

  /** While the live maps hold this and nothing else. */
  static Suspects whileKnown(Walk walk, Map<String, Verdict> known) {
    return new Suspects(walk, known, false);
  }

  List<Suspect> all() {
    return List.copyOf(all);
  }

  /** Packets that arrive and may not. */
  void much(String what, boolean made, int packets) {
    add(Property.TOO_MUCH, what, made, packets);
  }

  /**
   * Packets that never arrive, whatever else is open.
   *
   * @param packets that should
   * @param arrive that do, in some circumstances
   */
  void little(String what, boolean made, int packets, int arrive) {
    missing(Property.TOO_LITTLE, what, made, packets, arrive);
  }

  /** The same for another property. */
  void missing(Property property, String what, boolean made, int packets, int arrive) {
    int ever = walk.space().packets(walk.space().settled(arrive, known));
    suspect(property, what, made, asKnown(walk.minus(packets, ever)));
  }

  void add(Property property, String what, boolean made, int packets) {
    suspect(property, what, made, whateverIsKnown ? packets : asKnown(packets));
  }

  private void suspect(Property property, String what, boolean made, int packets) {
    Journey journey = made ? walk.sent() : walk.received();
    all.add(new Suspect(property, what, made, journey, packets, walk.space().firstOfConnection()));
  }

  private int asKnown(int packets) {
    int settled = walk.space().settled(packets, known);
    return settled == Bdd.FALSE ? Bdd.FALSE : walk.and(settled, walk.space().circumstances(known));
  }
}
