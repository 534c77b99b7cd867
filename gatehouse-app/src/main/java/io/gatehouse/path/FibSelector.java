package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import java.util.List;

/** What `fib` finds in the routing tables. */
final class FibSelector {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final RoutingModel routing;

  FibSelector(HeaderSpace space, RoutingModel routing) {
    this.space = space;
    this.routing = routing;
    bdd = space.bdd();
    family = space.family();
  }

  Reading read(Expression.Fib fib, Point at) {
    State state = at.state();
    List<String> flags = fib.flags();
    if (fib.result().equals("type")
        && (flags.equals(List.of("daddr"))
            || flags.equals(List.of("saddr"))
            || flags.equals(List.of("daddr", "iif"))
            || flags.equals(List.of("saddr", "iif")))) {
      Field address = flags.contains("daddr") ? state.destination : state.source;
      // Locally made packets have no device that they came by: the kernel then asks for any.
      boolean here = flags.contains("iif") && !state.locallyMade;
      return Content.always(routing.addressType(address, here), Meaning.ADDRESS_TYPE);
    }
    boolean back = flags.contains("saddr");
    boolean known =
        flags.stream().allMatch(f -> f.matches("saddr|daddr|mark|iif"))
            && back != flags.contains("daddr")
            && fib.result().equals("oif");
    if (known && at.hook() == Hook.PREROUTING) {
      int found =
          routing.findsDevice(
              back ? state.source : state.destination,
              back ? state.destination : state.source,
              flags.contains("mark") ? state.mark : Field.constant(32, 0),
              flags.contains("iif"));
      if (back && family == Family.V4) {
        // What has no address yet and speaks to its link: its own device.
        int link =
            space.in(state.destination, Prefix.of("255.255.255.255/32"), Prefix.of("224.0.0.0/24"));
        int beginning = space.in(state.source, Prefix.of("0.0.0.0/8"));
        found = bdd.or(found, bdd.and(beginning, link));
      }
      if (family == Family.V6) {
        // nft_fib6_flowi_init: to an address of a link only routes of the packet's own device
        // count; whether there is one is left open, as it is for the packet itself.
        Field towards = back ? state.source : state.destination;
        int byLink =
            space.open(new Unknown(Kind.ENVIRONMENT, "a route to an address of the link", "fib"));
        int bound = space.in(towards, Prefix.LINK_LOCAL);
        found = bdd.or(bdd.difference(found, bound), bdd.and(byLink, bound));
      }
      return Content.always(Field.of(new int[] {found}), Meaning.PRESENCE);
    }
    return Reading.notUnderstood("fib " + String.join(" . ", flags) + " " + fib.result());
  }
}
