package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Tunnel;
import java.util.EnumSet;
import java.util.Set;

/** In which families IKE and ESP of a tunnel may travel. */
final class OuterFamilies {
  private OuterFamilies() {}

  /**
   * On that interface: those of its own addresses, as far as they are known, that peers have too.
   */
  static Set<Family> of(Tunnel tunnel, Interface on) {
    Set<Family> here = EnumSet.noneOf(Family.class);
    for (Family family : Family.values()) {
      if (on.speaks(family)) {
        here.add(family);
      }
    }
    Set<Family> there = ofPeers(tunnel);
    here.retainAll(there);
    // Where both have nothing in common nothing travels, or addresses come that nobody wrote down.
    return here.isEmpty() ? there : here;
  }

  /** What the peers may have. */
  static Set<Family> ofPeers(Tunnel tunnel) {
    Set<Family> families = EnumSet.noneOf(Family.class);
    for (Located<Peer> peer : tunnel.peers()) {
      switch (peer.value()) {
        case Peer.At at -> families.add(at.prefix().family());
        case Peer.Anybody anybody -> families.addAll(EnumSet.allOf(Family.class));
        case Peer.Named named -> families.addAll(EnumSet.allOf(Family.class));
      }
    }
    return families;
  }
}
