package io.gatehouse.slowpath;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.packet.Bytes;
import java.util.ArrayList;
import java.util.List;

/** What is to be done next, in this order: maps, copies, rulings. */
final class Step {
  private final List<ElementChange> changes = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  private final List<Ruled> rulings = new ArrayList<>();

  /** A copy of a packet for a host inside. */
  record Copy(Bytes raw, Address host) {}

  /** What becomes of a packet; {@code REPEAT} only where the changes were made. */
  record Ruled(QueuedPacket packet, Ruling ruling) {}

  void change(ElementChange change) {
    changes.add(change);
  }

  void copy(Bytes raw, Address host) {
    copies.add(new Copy(raw, host));
  }

  void rule(Asked asked, Ruling ruling) {
    rule(asked.queued(), ruling);
  }

  void rule(QueuedPacket packet, Ruling ruling) {
    rulings.add(new Ruled(packet, ruling));
  }

  List<ElementChange> changes() {
    return changes;
  }

  List<Copy> copies() {
    return copies;
  }

  List<Ruled> rulings() {
    return rulings;
  }
}
