package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/** What cannot be true: it is dropped before any connection counts. */
final class Evidence {
  private static final Origin ORIGIN = Origin.builtIn("tunnel-evidence");

  private Evidence() {}

  /**
   * Drops what says that it comes from a network of ours, and came by another device than that
   * network's: nobody out there rides on a connection of the LAN.
   */
  static List<Rule> strayed(Draft draft) {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : draft.gateway.interfaces()) {
      for (Family family : Family.values()) {
        draft
            .places
            .networksOn(at, family)
            .ifPresent(networks ->
                rules.add(
                    Nft.rule(
                        "source of a network that is elsewhere",
                        at.origin(),
                        Nft.is(Nft.saddr(family), networks),
                        Nft.isNot(Nft.IIFNAME, Nft.device(at.device())),
                        draft.drop("spoofed"))));
      }
    }
    return rules;
  }

  /**
   * Drops ICMP errors about what a tunnel carries that the world sent in clear: there is no router
   * out there that could have seen the packet. Those of our networks' routers are none of these.
   */
  static List<Rule> forgedErrors(Draft draft) {
    return ofFar(
        draft,
        (family, far) ->
            draft
                .places
                .outside()
                .map(outside -> forgedErrors(draft, family, outside, far))
                .orElse(List.of()));
  }

  private static List<Rule> forgedErrors(Draft draft, Family family, SetRef outside, SetRef far) {
    List<Statement> error = new ArrayList<>();
    error.add(Nft.is(Nft.IIFNAME, outside));
    error.add(Nft.NOT_DECRYPTED);
    error.add(Nft.state("related"));
    draft
        .places
        .networks(family)
        .ifPresent(networks -> error.add(Nft.isNot(Nft.saddr(family), networks)));
    // ESP itself travels in clear, and its path MTU counts.
    Optional<SetRef> peers = new Ike(draft).amidst(family);
    List<Rule> rules = new ArrayList<>();
    for (List<Statement> about : aboutTunnels(draft, family, far)) {
      List<Statement> all = new ArrayList<>(Nft.all(error, about));
      peers.ifPresent(set -> {
        all.add(Nft.isNot(Nft.original(family, "saddr"), set));
        all.add(Nft.isNot(Nft.original(family, "daddr"), set));
      });
      all.add(draft.drop("spoofed"));
      rules.add(Nft.rule("error about a tunnel's packet, in clear", ORIGIN, all));
    }
    return rules;
  }

  /**
   * Connections that a tunnel carries from one end to the other. Those by which clients reach the
   * world leave in clear, and routers out there see them.
   */
  private static List<List<Statement>> aboutTunnels(Draft draft, Family family, SetRef far) {
    List<Located<Prefix>> online = draft.places.far(family, draft.access::toInternet);
    List<Located<Prefix>> offline =
        draft.places.far(family, tunnel -> !draft.access.toInternet(tunnel));
    Optional<SetRef> never = draft.places.ofFar("offline", family, offline);
    Optional<SetRef> also = draft.places.ofFar("online", family, online);
    List<List<Statement>> about = new ArrayList<>();
    never.ifPresent(set -> about.add(List.of(Nft.is(Nft.original(family, "saddr"), set))));
    if (!online.isEmpty()) {
      also.ifPresent(set ->
          draft
              .places
              .ours(family)
              .ifPresent(ours ->
                  about.add(
                      List.of(
                          Nft.is(Nft.original(family, "saddr"), set),
                          Nft.is(Nft.original(family, "daddr"), ours)))));
    }
    about.add(List.of(Nft.is(Nft.original(family, "daddr"), far)));
    return about;
  }

  /** Drops what has a far source and was not decrypted. */
  static List<Rule> spoofed(Draft draft) {
    return ofFar(
        draft,
        (family, far) ->
            List.of(
                Nft.rule(
                    "source of a tunnel, not decrypted",
                    ORIGIN,
                    Nft.is(Nft.saddr(family), far),
                    Nft.NOT_DECRYPTED,
                    draft.drop("spoofed"))));
  }

  /** Drops what is on its way to a far address and would leave in clear. */
  static List<Rule> towardsFarInClear(Draft draft) {
    return ofFar(draft, (family, far) -> List.of(clear(draft, family, far, List.of())));
  }

  /**
   * The same before source NAT: what is to get a virtual IP or another address of its own is
   * protected only when it has that, and {@link Guard} looks again.
   */
  static List<Rule> towardsFarUntranslated(Draft draft) {
    boolean mapped = draft.gateway.tunnels().stream().anyMatch(t -> !t.images().isEmpty());
    if (!SharedClient.isUsed(draft) && !mapped) {
      return towardsFarInClear(draft);
    }
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Located<Prefix>> direct =
          draft.places.far(
              family, tunnel -> !SharedClient.isShared(tunnel) && !tunnel.maps(family));
      List<Located<Prefix>> shared = draft.places.far(family, SharedClient::isShared);
      draft
          .places
          .ofFar("direct", family, direct)
          .ifPresent(set -> rules.add(clear(draft, family, set, List.of())));
      draft
          .places
          .ofFar("shared", family, shared)
          .ifPresent(
              set -> rules.add(clear(draft, family, set, List.of(SharedClient.unmarked(draft)))));
    }
    return rules;
  }

  /**
   * The same at the last look. An address of this host that is followed may lie in what a tunnel
   * takes, and this host may speak to itself.
   */
  static List<Rule> leavingInClear(Draft draft) {
    List<Statement> leaves =
        SharedClient.holdsThisHost(draft)
            ? List.of(Nft.isNot(Nft.OIFNAME, Nft.device("lo")))
            : List.of();
    return ofFar(draft, (family, far) -> List.of(clear(draft, family, far, leaves)));
  }

  private static Rule clear(Draft draft, Family family, SetRef far, List<Statement> more) {
    List<Statement> all = new ArrayList<>(List.of(Nft.is(Nft.daddr(family), far), Nft.IN_CLEAR));
    all.addAll(more);
    all.add(draft.drop("clear"));
    return Nft.rule("for a tunnel, would leave in clear", ORIGIN, all);
  }

  /** Rules about the far addresses of each family that has some. */
  private static List<Rule> ofFar(Draft draft, BiFunction<Family, SetRef, List<Rule>> rules) {
    return Stream.of(Family.values())
        .flatMap(family ->
            draft.places.far(family).stream().flatMap(far -> rules.apply(family, far).stream()))
        .toList();
  }
}
