package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.ruleset.Chain.Hook;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The order of what runs at a netfilter hook. */
final class Hooks {
  // Priorities of the kernel's own functions in a hook (enum nf_ip_hook_priorities).
  private static final int CONNTRACK = -200;
  private static final int NAT_DESTINATION = -100;
  private static final int NAT_SOURCE = 100;

  private final HeaderSpace space;
  private final Bdd bdd;
  private final Mentions mentions;
  private final BaseChains chains;
  private final Translation translation;

  Hooks(HeaderSpace space, Mentions mentions, BaseChains chains, Translation translation) {
    this.space = space;
    this.mentions = mentions;
    this.chains = chains;
    this.translation = translation;
    bdd = space.bdd();
  }

  /**
   * A chain that runs at a hook.
   *
   * @param order among those of equal priority
   */
  private record Event(int priority, int order, BaseChains.Place chain) {}

  /** Leads packets through a hook; returns what goes on. */
  int at(Hook hook, State state, int packets, Journey journey) {
    state.hookOif = state.oif;
    List<Event> events = new ArrayList<>();
    int order = 0;
    for (BaseChains.Place place : chains.at(hook, /* nat= */ false)) {
      events.add(new Event(place.base().priority(), order++, place));
    }
    boolean tracks = mentions.tracks() && (hook == Hook.PREROUTING || hook == Hook.OUTPUT);
    boolean tracked = !tracks;
    boolean translates =
        hook == Hook.PREROUTING
            || hook == Hook.OUTPUT
            || hook == Hook.INPUT
            || hook == Hook.POSTROUTING;
    boolean translated = !translates || !mentions.translates();
    int natAt = hook == Hook.PREROUTING || hook == Hook.OUTPUT ? NAT_DESTINATION : NAT_SOURCE;
    events.sort(Comparator.comparingInt(Event::priority).thenComparingInt(Event::order));
    int alive = packets;
    for (Event event : events) {
      if (!tracked && event.priority() > CONNTRACK) {
        track(state, alive);
        tracked = true;
      }
      if (!translated && event.priority() > natAt) {
        alive = translation.at(hook, state, alive, journey);
        translated = true;
      }
      alive = chains.walk(event.chain(), state, alive, journey);
    }
    if (!tracked) {
      track(state, alive);
    }
    return translated ? alive : translation.at(hook, state, alive, journey);
  }

  private void track(State state, int packets) {
    state.tracked = bdd.difference(packets, state.untracked);
    state.trackedSource = state.source;
    state.trackedDestination = state.destination;
    state.trackedSourcePort = state.sourcePort;
    state.trackedDestinationPort = state.destinationPort;
    int standing = bdd.difference(state.tracked, space.is(Connection.NEW));
    if (mentions.connectionMarks()) {
      // Whatever the connection's earlier packets left there.
      int[] earlier = space.property(HeaderSpace.CONNECTION_MARK, 32);
      state.connectionMark = state.connectionMark.assign(bdd, standing, earlier);
    }
    if (mentions.zones()) {
      int[] zone = space.property("the connection's zone", 16);
      state.zone = state.zone.assign(bdd, standing, zone);
    }
  }
}
