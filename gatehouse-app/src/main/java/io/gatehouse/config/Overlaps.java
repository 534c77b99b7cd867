package io.gatehouse.config;

import io.gatehouse.model.Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Who claims which addresses. Two claims overlap exactly where one prefix contains the other, so
 * that one sweep over the sorted prefixes with the enclosing ones on a stack finds them all.
 */
final class Overlaps {
  /** What addresses are claimed for. In the order in which equal prefixes are looked at. */
  enum Kind {
    NETWORK("network"),
    LINK("the link of interface"),
    POOL("the pool of tunnel"),
    REMOTE("the remote network of tunnel"),
    SITE("the remote network of tunnel"),
    IMAGE("what a local network appears as in tunnel"),
    OWN("this host's own address on interface"),
    ROUTER("the router of network"),
    VIRTUAL("the virtual IP of tunnel");

    private final String text;

    Kind(String text) {
      this.text = text;
    }
  }

  /**
   * One claim.
   *
   * @param owner the name of who claims
   * @param on the interface of a network or a link; empty for others
   * @param proxy whether it is a pool that may lie in a network
   * @param connected whether it is a network on an interface's own link, inside
   */
  private record Claim(
      Prefix prefix,
      Kind kind,
      String owner,
      String on,
      boolean proxy,
      boolean connected,
      Spot spot,
      int order) {
    String text() {
      return kind.text + " `" + owner + "`";
    }

    boolean isHost() {
      return kind == Kind.OWN || kind == Kind.ROUTER || (kind == Kind.VIRTUAL && prefix.isHost());
    }

    /** Whether a third claim would contradict both or neither. */
    boolean isLike(Claim other) {
      return prefix.equals(other.prefix)
          && kind == other.kind
          && connected == other.connected
          && (kind != Kind.LINK || on.equals(other.on));
    }
  }

  private static final Comparator<Claim> SORTED =
      Comparator.<Claim, Prefix>comparing(Claim::prefix)
          .thenComparing(Claim::kind)
          .thenComparingInt(Claim::order);

  private final Problems problems;
  private final List<Claim> claims = new ArrayList<>();

  Overlaps(Problems problems) {
    this.problems = problems;
  }

  void network(Prefix prefix, String name, String on, boolean connected, Spot spot) {
    claims.add(new Claim(prefix, Kind.NETWORK, name, on, false, connected, spot, claims.size()));
  }

  void link(Prefix prefix, String name, Spot spot) {
    claims.add(new Claim(prefix, Kind.LINK, name, name, false, false, spot, claims.size()));
  }

  void own(Prefix host, String name, Spot spot) {
    claims.add(new Claim(host, Kind.OWN, name, name, false, false, spot, claims.size()));
  }

  void router(Prefix host, String network, Spot spot) {
    claims.add(new Claim(host, Kind.ROUTER, network, "", false, false, spot, claims.size()));
  }

  void pool(Prefix prefix, String tunnel, boolean proxy, Spot spot) {
    claims.add(new Claim(prefix, Kind.POOL, tunnel, "", proxy, false, spot, claims.size()));
  }

  void remote(Prefix prefix, String tunnel, Spot spot) {
    claims.add(new Claim(prefix, Kind.REMOTE, tunnel, "", false, false, spot, claims.size()));
  }

  /** The remote network of a tunnel whose other end may appear as somebody else. */
  void site(Prefix prefix, String tunnel, Spot spot) {
    claims.add(new Claim(prefix, Kind.SITE, tunnel, "", false, false, spot, claims.size()));
  }

  void image(Prefix prefix, String tunnel, Spot spot) {
    claims.add(new Claim(prefix, Kind.IMAGE, tunnel, "", false, false, spot, claims.size()));
  }

  /** What the virtual IP of a tunnel is out of, of which this host is the client. */
  void virtual(Prefix prefix, String tunnel, Spot spot) {
    claims.add(new Claim(prefix, Kind.VIRTUAL, tunnel, "", false, false, spot, claims.size()));
  }

  /** Tells of every claim that contradicts another; of several others, the nearest. */
  void check() {
    claims.sort(SORTED);
    Deque<Claim> around = new ArrayDeque<>();
    for (Claim claim : claims) {
      while (!around.isEmpty() && !around.element().prefix.contains(claim.prefix)) {
        around.pop();
      }
      boolean housed = false;
      for (Iterator<Claim> outer = around.iterator(); outer.hasNext(); ) {
        Claim other = outer.next();
        Optional<String> wayOut = wayOut(other, claim);
        if (wayOut.isPresent()) {
          tell(other, claim, wayOut.get());
          housed = true; // one reason is enough
          break;
        }
        housed |= other.kind == Kind.NETWORK && other.connected;
      }
      if (claim.kind == Kind.POOL && claim.proxy && !housed) {
        problems.error(
            claim.spot,
            "`return: proxy`, but " + claim.prefix + " lies in no network on an inside interface",
            "take a part of such a network, or write `return: routed`");
      }
      // A host contains nothing that sorts after it. Of claims that are alike one is enough: so the
      // stack stays as deep as prefixes
      // nest, and the sweep linear, whatever the description repeats.
      if (!claim.isHost() && (around.isEmpty() || !around.element().isLike(claim))) {
        around.push(claim);
      }
    }
  }

  /**
   * What to do about two claims of which one contains the other; nothing where they may stand so.
   */
  private static Optional<String> wayOut(Claim outer, Claim inner) {
    Kind a = outer.kind;
    Kind b = inner.kind;
    boolean network = a == Kind.NETWORK || b == Kind.NETWORK;
    if (a == Kind.IMAGE || b == Kind.IMAGE) {
      // Each tunnel knows our networks by addresses of its own, and several may by the same.
      boolean apart = a == b && !outer.owner.equals(inner.owner);
      return apart
          ? Optional.empty()
          : Optional.of("take addresses that mean nothing else here and there");
    }
    if ((a == Kind.VIRTUAL) != (b == Kind.VIRTUAL)) {
      // The server takes it out of its own networks, seldom out of somebody else's.
      boolean remote = a == Kind.REMOTE || b == Kind.REMOTE;
      return remote && outer.owner.equals(inner.owner)
          ? Optional.empty()
          : Optional.of("an address of ours, or of another tunnel, cannot come from the server");
    }
    if (a == Kind.LINK || b == Kind.LINK) {
      return network && !outer.on.equals(inner.on)
          ? Optional.of("one address cannot be behind two interfaces")
          : Optional.empty();
    }
    if (a == Kind.NETWORK && inner.isHost()) {
      return Optional.empty();
    }
    if (a == Kind.NETWORK && b == Kind.POOL) {
      return inner.proxy && outer.connected
          ? Optional.empty()
          : inner.proxy
              ? Optional.of("a network behind a router hears no ARP of ours")
              : Optional.of("for a pool inside the LAN, write `return: proxy`");
    }
    if (network && (a == Kind.SITE || b == Kind.SITE)) {
      return Optional.of(
          "where both ends use the same addresses, let each appear as others: `appears-as`, and"
              + " `remote` as the other end appears here");
    }
    if (b == Kind.OWN) {
      return Optional.of("this host would be on the far side of its own tunnel");
    }
    if (b == Kind.ROUTER) {
      return Optional.of("the hosts there would look for their router behind the tunnel");
    }
    return Optional.of("every address has one place");
  }

  private void tell(Claim outer, Claim inner, String wayOut) {
    boolean innerLater = inner.order > outer.order;
    Claim later = innerLater ? inner : outer;
    Claim earlier = innerLater ? outer : inner;
    boolean same = outer.prefix.equals(inner.prefix);
    problems.error(
        later.spot,
        (later.isHost() ? later.text() + ", " + later.prefix.first() : later.prefix.toString())
            + (same ? " is " : innerLater ? " lies inside " : " contains ")
            + earlier.text()
            + (same ? " too" : ", " + (earlier.isHost() ? earlier.prefix.first() : earlier.prefix))
            + " ("
            + earlier.spot.seenFrom(later.spot)
            + ")",
        wayOut);
  }
}
