package io.gatehouse.slowpath;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.packet.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is to be done next, in this order: maps, copies, rulings. */
final class Step {
  private final List<List<ElementChange>> groups = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  private final List<Ruled> rulings = new ArrayList<>();
  private final List<String> words = new ArrayList<>();

  /** A copy of a packet for a host inside. */
  record Copy(Bytes raw, Address host) {}

  /**
   * What becomes of a packet; {@code REPEAT} only where the changes were made.
   *
   * @param instead what goes on in its place
   */
  record Ruled(QueuedPacket packet, Ruling ruling, Optional<Bytes> instead) {}

  void change(ElementChange change) {
    groups.add(List.of(change));
  }

  /** Changes of which none may stand without the others. */
  void change(List<ElementChange> together) {
    if (!together.isEmpty()) {
      groups.add(List.copyOf(together));
    }
  }

  void copy(Bytes raw, Address host) {
    copies.add(new Copy(raw, host));
  }

  void rule(Asked asked, Ruling ruling) {
    rule(asked.queued(), ruling);
  }

  void rule(QueuedPacket packet, Ruling ruling) {
    rulings.add(new Ruled(packet, ruling, Optional.empty()));
  }

  /** Another one goes on in the packet's place, only where the changes were made. */
  void rule(Asked asked, Bytes instead) {
    rulings.add(new Ruled(asked.queued(), Ruling.ACCEPT, Optional.of(instead)));
  }

  /** For whoever runs this. */
  void say(String line) {
    words.add(line);
  }

  List<String> words() {
    return words;
  }

  /** All changes, in their order. */
  List<ElementChange> changes() {
    return groups.stream().flatMap(List::stream).toList();
  }

  /** The same, as they belong together. */
  List<List<ElementChange>> groups() {
    return groups;
  }

  List<Copy> copies() {
    return copies;
  }

  List<Ruled> rulings() {
    return rulings;
  }
}
