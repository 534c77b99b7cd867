package io.gatehouse.config;

import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Tunnel.Image;
import java.util.ArrayList;
import java.util.List;

/** Reads `appears-as:`, under which other addresses a tunnel's other end knows networks of ours. */
final class Images {
  static final String KEY = "appears-as";

  private final Problems problems;
  private final Values values;
  private final Overlaps overlaps;

  Images(Problems problems, Values values, Overlaps overlaps) {
    this.problems = problems;
    this.values = values;
    this.overlaps = overlaps;
  }

  /** Whether a tunnel has them. */
  static boolean has(Node.Entry tunnel) {
    return tunnel.value() instanceof Node.Mapping keys && keys.find(KEY).isPresent();
  }

  /**
   * One to each prefix of a family, in the order of the local networks; or none of that family.
   * What does not fit is told and left out.
   */
  List<Image> read(Fields tunnel, List<Network> local, List<Reach> reach) {
    String name = tunnel.label().path().last();
    List<Image> all = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Prefix> here =
          local.stream()
              .flatMap(network -> network.prefixes().stream())
              .map(Located::value)
              .filter(prefix -> prefix.family() == family)
              .toList();
      List<Node.Scalar> there =
          tunnel.texts(KEY).stream()
              .filter(
                  text -> Prefix.parse(text.text()).filter(p -> p.family() == family).isPresent())
              .toList();
      if (!there.isEmpty() && there.size() != here.size()) {
        problems.error(
            tunnel.spot(KEY),
            "%s of %s, and the local networks have %d"
                .formatted(count(there.size(), "prefix"), Hosts.family(family), here.size()),
            "one to each, in the order of `local` and of their `prefixes`");
        continue;
      }
      for (int i = 0; i < there.size(); i++) {
        image(name, here.get(i), there.get(i), all);
      }
    }
    // Only to tell what is no prefix at all.
    tunnel.texts(KEY).stream()
        .filter(text -> Prefix.parse(text.text()).isEmpty())
        .forEach(values::prefix);
    if (tunnel.has(KEY)) {
      alone(tunnel, name, local, reach);
    }
    return all;
  }

  private static String count(int number, String what) {
    return number == 1 ? "one " + what : number + " " + what + "es";
  }

  private void image(String tunnel, Prefix here, Node.Scalar there, List<Image> all) {
    values
        .prefix(there)
        .ifPresent(as -> {
          if (as.value().length() != here.length()) {
            problems.error(
                there.spot(),
                as.value() + " stands for " + here + ", which has another length",
                "one address to each: a /" + here.length());
            return;
          }
          overlaps.image(as.value(), tunnel, there.spot());
          all.add(new Image(here, as));
        });
  }

  /** What has no image has no way through the tunnel. */
  private void alone(Fields tunnel, String name, List<Network> local, List<Reach> reach) {
    if (tunnel.has("services") && !tunnel.items("services").isEmpty()) {
      problems.error(
          tunnel.spot("services"),
          "`services` beside `appears-as`: this host has no address that the other end knows",
          "offer them on a host of a local network");
    }
    for (Reach one : reach) {
      Place place = one.place();
      if (!(place instanceof Network network && local.contains(network))) {
        problems.error(
            tunnel.spot("reach"),
            "`" + place.name() + "` has no address that the other end of `" + name + "` knows",
            "beside `appears-as` only `local` networks can be reached");
      }
    }
  }
}
