package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.path.Journey.Hop;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The base chains of a host's tables. */
final class BaseChains {
  /** Rules that one question may visit, counting each visit. */
  private static final int MOST_RULE_VISITS = 3_000_000;

  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final Expressions expressions;
  private final OwnAddress ownAddress;
  private final LocalRouting localRouting;
  private final ChainWalk.Budget budget = new ChainWalk.Budget(MOST_RULE_VISITS);

  /** The rules that need not be followed. */
  private final Optional<Idle> idle;

  BaseChains(
      HeaderSpace space,
      HostState host,
      Expressions expressions,
      Optional<Idle> idle,
      LocalRouting localRouting) {
    this.host = host;
    this.space = space;
    this.expressions = expressions;
    this.idle = idle;
    this.localRouting = localRouting;
    bdd = space.bdd();
    family = space.family();
    ownAddress = new OwnAddress(space, host);
  }

  record Place(Table table, Chain chain, Chain.Base base) {}

  private boolean applies(Table table) {
    return table.family().equals("inet")
        || table.family().equals(family.nft())
        || table.family().equals("netdev");
  }

  /**
   * Base chains at a hook in the kernel's order: by priority, and the later registered first among
   * equals.
   */
  List<Place> at(Hook hook, boolean nat) {
    List<Place> places = new ArrayList<>();
    for (Table table : host.tables()) {
      if (applies(table)) {
        for (Chain chain : table.chains()) {
          chain
              .base()
              .filter(b -> b.hook() == hook && b.type().equals("nat") == nat)
              .ifPresent(b -> places.add(new Place(table, chain, b)));
        }
      }
    }
    Collections.reverse(places);
    places.sort(Comparator.comparingInt(p -> p.base().priority()));
    return places;
  }

  /** Whether something in the hook of what this host makes may have it routed again. */
  boolean routesAgain() {
    return !at(Hook.OUTPUT, /* nat= */ true).isEmpty()
        || at(Hook.OUTPUT, /* nat= */ false).stream()
            .anyMatch(place -> place.base().type().equals("route"));
  }

  /** Leads packets through one chain; returns what goes on, of all. */
  int walk(Place place, State state, int packets, Journey journey) {
    if (idle.filter(rules -> rules.is(place.table(), place.chain())).isPresent()) {
      return packets;
    }
    Hook hook = place.base().hook();
    int concerned = packets;
    if (place.base().device().isPresent()) {
      String device = place.base().device().get();
      concerned =
          bdd.and(
              packets,
              hook == Hook.EGRESS
                  ? state.oif.in(bdd, space.device(device))
                  : space.arrivesOn(device));
    }
    boolean nat = place.base().type().equals("nat");
    Field source = state.source;
    Field destination = state.destination;
    Field mark = state.mark;
    ChainWalk walk =
        new ChainWalk(
            space, expressions, idle, budget, ownAddress, place.table(), hook, nat, state);
    List<Hop> hops = new ArrayList<>();
    int accepted = walk.run(place.chain(), concerned, hops);
    hops.forEach(journey::add);
    int alive = bdd.or(bdd.difference(packets, concerned), accepted);
    if (place.base().type().equals("route") && hook == Hook.OUTPUT) {
      // nf_route_table_hook4: a changed mark or address asks for route and bundle again.
      int differs =
          bdd.or(
              bdd.or(
                  space.addressesDiffer(source, state.source, "output"),
                  space.addressesDiffer(destination, state.destination, "output")),
              space.differs(mark, state.mark, "output"));
      alive = localRouting.again(state, alive, bdd.and(accepted, differs), FALSE, journey);
    }
    return alive;
  }
}
