package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.RouteMessage.Neighbour;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Holds the clients that this host answers for against those that it is to answer for. Only entries
 * with our protocol number are taken away; one of somebody else's is left, and serves as well.
 */
final class Presences {
  private final Store store;
  private final Devices devices;
  private final Set<Presence> standing = new HashSet<>();
  private boolean doubtful = true;
  private Optional<String> failure = Optional.empty();

  Presences(Store store, Devices devices) {
    this.store = store;
    this.devices = devices;
  }

  /** What stands may be another than we think. */
  void doubt() {
    doubtful = true;
  }

  /**
   * Makes stand what is to stand.
   *
   * @param protocol the tag of our entries (RTPROT_…)
   */
  void settle(Set<Presence> wanted, int protocol) {
    if (!doubtful && standing.equals(wanted)) {
      return;
    }
    failure = Optional.empty();
    Set<Presence> theirs = new HashSet<>();
    if (doubtful && !read(protocol, theirs)) {
      return;
    }
    boolean all = true;
    for (Presence presence : Set.copyOf(standing)) {
      if (!wanted.contains(presence)) {
        all &= change(presence, protocol, false);
      }
    }
    for (Presence presence : new LinkedHashSet<>(wanted)) {
      if (!standing.contains(presence) && !theirs.contains(presence)) {
        all &= change(presence, protocol, true);
      }
    }
    doubtful = !all;
  }

  private boolean read(int protocol, Set<Presence> theirs) {
    Map<Integer, String> names = new HashMap<>();
    standing.clear();
    switch (store.proxies()) {
      case Answer.Failed<List<RouteMessage>>(Failure why) -> {
        failure = Optional.of("cannot read proxy neighbours: " + why);
        return false;
      }
      case Answer.Told<List<RouteMessage>>(List<RouteMessage> told) -> {
        for (RouteMessage message : told) {
          if (message instanceof Neighbour neighbour && neighbour.proxy()) {
            String device =
                names.computeIfAbsent(neighbour.index(), index -> devices.name(index).orElse(""));
            if (!device.isEmpty()) {
              (neighbour.protocol() == protocol ? standing : theirs)
                  .add(new Presence(neighbour.address(), device));
            }
          }
        }
        return true;
      }
    }
  }

  private boolean change(Presence presence, int protocol, boolean answers) {
    OptionalInt index = devices.index(presence.device());
    if (index.isEmpty()) {
      // It went, and its entries with it; or it comes, and we look again then.
      standing.remove(presence);
      return true;
    }
    switch (store.proxy(presence.address(), index.getAsInt(), protocol, answers)) {
      case Answer.Failed<Boolean>(Failure why) when answers || why.errno() != Failure.NO_SUCH -> {
        failure =
            Optional.of(
                "cannot %s for %s on %s: %s"
                    .formatted(
                        answers ? "answer" : "cease to answer",
                        presence.address(),
                        presence.device(),
                        why));
        return false;
      }
      case Answer<Boolean> done -> {
        if (answers) {
          standing.add(presence);
        } else {
          standing.remove(presence);
        }
        return true;
      }
    }
  }

  /** How many are answered for. */
  int standing() {
    return standing.size();
  }

  /** Why it cannot be made right now. */
  Optional<String> failure() {
    return failure;
  }
}
