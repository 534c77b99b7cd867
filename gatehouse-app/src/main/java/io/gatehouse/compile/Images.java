package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * Tunnels whose other end knows networks of ours by other addresses, one to one.
 *
 * <p>The source changes behind the hook forward, and only then the kernel finds the tunnel's
 * policy. Before, the packet would meet the backstop, which it passes by a mark that our rules
 * alone set: without them nothing passes. After the change there is the backstop again, and the
 * guard.
 */
final class Images {
  /** nft's mangle; the route, and with it the first look-up of policies, comes later. */
  private static final int MANGLE = -150;

  private static final Selector MARK = new Meta(Meta.Key.MARK);

  private Images() {}

  /** One network's addresses, as they are and as the other end knows them. */
  private record Side(Tunnel tunnel, Network network, Tunnel.Image image) {
    Family family() {
      return image.of().family();
    }

    Optional<SetRef> far(Draft draft) {
      return draft.sets.addresses(
          "far_" + tunnel.name(),
          family(),
          draft.places.far(family(), t -> t.name().equals(tunnel.name())));
    }
  }

  private static List<Side> sides(Draft draft) {
    List<Side> sides = new ArrayList<>();
    for (Tunnel tunnel : draft.gateway.tunnels()) {
      if (tunnel instanceof Tunnel.SiteToSite site) {
        for (Network network : site.local()) {
          for (Located<Prefix> here : network.prefixes()) {
            site.images().stream()
                .filter(image -> image.of().equals(here.value()))
                .forEach(image -> sides.add(new Side(site, network, image)));
          }
        }
      }
    }
    return sides;
  }

  private static List<Rule> rules(Draft draft, BiFunction<Side, SetRef, Rule> rule) {
    return sides(draft).stream()
        .flatMap(side -> side.far(draft).stream().map(far -> rule.apply(side, far)))
        .toList();
  }

  /** Marks what will have its source changed, in front of the first look-up of policies. */
  static void write(Draft draft) {
    long mark = draft.gateway.numbers().clientMark();
    draft.base(
        "images",
        "filter",
        Hook.PREROUTING,
        MANGLE,
        false,
        rules(
            draft,
            (side, far) ->
                Nft.rule(
                    side.network.name() + " will appear as " + side.image.as().value(),
                    side.image.as().origin(),
                    Nft.is(Nft.IIFNAME, Nft.device(side.network.on().device())),
                    Nft.is(Nft.saddr(side.family()), Nft.net(side.image.of())),
                    Nft.is(Nft.daddr(side.family()), far),
                    new Statement.Assign(MARK, new Binary(MARK, Operator.OR, Nft.number(mark))))));
  }

  /** What comes for an image is for the network. */
  static List<Rule> natIn(Draft draft) {
    return rules(
        draft,
        (side, far) ->
            Nft.rule(
                side.tunnel.name() + " knows " + side.network.name() + " by this",
                side.image.as().origin(),
                Nft.DECRYPTED,
                Nft.is(Nft.saddr(side.family()), far),
                Nft.is(Nft.daddr(side.family()), Nft.net(side.image.as().value())),
                new Statement.Nat.Prefixed(/* source= */ false, side.image.of())));
  }

  /** What the network sends appears as its image. */
  static List<Rule> natOut(Draft draft) {
    return rules(
        draft,
        (side, far) ->
            Nft.rule(
                side.network.name() + " appears in " + side.tunnel.name() + " as this",
                side.image.as().origin(),
                Nft.is(Nft.saddr(side.family()), Nft.net(side.image.of())),
                Nft.is(Nft.daddr(side.family()), far),
                new Statement.Nat.Prefixed(/* source= */ true, side.image.as().value())));
  }

  /**
   * Lets what is marked pass by the backstop; what this host itself sends never is. What came for
   * an image goes nowhere under that address.
   */
  static List<XfrmPolicy> policies(Tunnel tunnel, List<Address> own, Numbers numbers) {
    Routing.Mark mark = new Routing.Mark(numbers.clientMark(), numbers.clientMark());
    long priority = numbers.backstopPriority();
    List<XfrmPolicy> policies = new ArrayList<>();
    for (Tunnel.Image image : tunnel.images()) {
      for (Located<Prefix> far : tunnel.farPrefixes()) {
        if (far.value().family() == image.of().family()) {
          policies.add(
              new XfrmPolicy(
                  Direction.OUT,
                  far.value(),
                  image.as().value(),
                  priority,
                  /* block= */ true,
                  image.as().origin()));
          policies.add(
              new XfrmPolicy(
                  Direction.OUT,
                  image.of(),
                  far.value(),
                  priority - 1,
                  /* block= */ false,
                  Optional.of(mark),
                  image.as().origin()));
          own.stream()
              .filter(image.of()::contains)
              .map(address ->
                  new XfrmPolicy(
                      Direction.OUT,
                      Prefix.host(address),
                      far.value(),
                      priority - 2,
                      /* block= */ true,
                      image.as().origin()))
              .forEach(policies::add);
        }
      }
    }
    return policies;
  }
}
