package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.Journey;

/**
 * Packets that must not be: where the set is empty, there is nothing to say.
 *
 * @param what is wrong with them, as a sentence's end
 * @param made whether this host made them
 * @param packets as they set out, and in which circumstances
 * @param wish what a plausible witness looks like, if there is one
 */
record Suspect(
    Property property, String what, boolean made, Journey journey, int packets, int wish) {
  Suspect(Property property, String what, boolean made, Journey journey, int packets) {
    this(property, what, made, journey, packets, Bdd.TRUE);
  }
}
