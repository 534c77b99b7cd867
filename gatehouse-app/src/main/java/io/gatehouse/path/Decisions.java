package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Decision;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Hop;
import java.util.ArrayList;
import java.util.List;

/** What is decided of packets at one place of their way, as it comes about. */
final class Decisions {
  private final List<Decision> all = new ArrayList<>();

  /** What the kernel itself decides, for a reason of its own. */
  void byKernel(String reason, Effect effect, int packets) {
    if (packets != FALSE) {
      by(new Decider.ByKernel(reason), effect, packets);
    }
  }

  void by(Decider decider, Effect effect, int packets) {
    all.add(new Decision(decider, effect, packets));
  }

  /** All of them, as the place of that name. */
  Hop at(String name, int reached) {
    return new Hop(name, reached, all);
  }
}
