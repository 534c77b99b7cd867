package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import java.util.Optional;

/**
 * L2TP that would leave in clear is dropped by a table that nobody else can flush, beside the guard
 * of our rules. No xfrm policy can hold it as they hold tunnels' addresses: the L2TP daemon's
 * packets get their SA only by the mark that our rules give them.
 */
final class HeldBack {
  private final Store store;
  private boolean stands;
  private Optional<String> failure = Optional.empty();

  HeldBack(Store store) {
    this.store = store;
  }

  /** Makes it stand where it is wanted, and go where it is not. */
  void settle(boolean wanted) {
    if (wanted == stands) {
      return;
    }
    switch (store.holdBack(wanted)) {
      case Answer.Told<Boolean> told -> {
        stands = wanted;
        failure = Optional.empty();
      }
      case Answer.Failed<Boolean>(Failure why) ->
          failure =
              wanted
                  ? Optional.of(
                      "L2TP may leave in clear for a moment where somebody flushes our rules: "
                          + why)
                  : Optional.of("the table that holds back L2TP does not go: " + why);
    }
  }

  /** Why it is not as wanted. */
  Optional<String> failure() {
    return failure;
  }
}
