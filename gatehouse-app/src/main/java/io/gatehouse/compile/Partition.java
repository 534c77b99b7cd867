package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;

/**
 * Cuts claims to addresses into disjoint prefixes, as interval sets need them: the most specific
 * claim wins, as it does in routing and with the IKE daemon's policies; of two to the very same
 * prefix the first one.
 */
final class Partition {
  /** Somebody's claim to a prefix. */
  record Claim<T>(Prefix prefix, T owner, Origin origin) {}

  private static final class Node<T> {
    final Claim<T> claim;
    final List<Node<T>> holes = new ArrayList<>();

    Node(Claim<T> claim) {
      this.claim = claim;
    }
  }

  private Partition() {}

  /**
   * Disjoint claims in the order of addresses. A claim within one of the same owner goes up in it.
   */
  static <T> List<Claim<T>> cut(Collection<Claim<T>> claims) {
    List<Node<T>> roots = new ArrayList<>();
    Deque<Node<T>> enclosing = new ArrayDeque<>();
    // The sort is stable and puts what encloses in front of what it encloses.
    for (Claim<T> claim : claims.stream().sorted(Comparator.comparing(Claim::prefix)).toList()) {
      while (!enclosing.isEmpty() && !enclosing.peek().claim.prefix().contains(claim.prefix())) {
        enclosing.pop();
      }
      Node<T> around = enclosing.peek();
      if (around != null
          && (around.claim.prefix().equals(claim.prefix())
              || around.claim.owner().equals(claim.owner()))) {
        continue;
      }
      Node<T> node = new Node<>(claim);
      (around == null ? roots : around.holes).add(node);
      enclosing.push(node);
    }
    List<Claim<T>> parts = new ArrayList<>();
    roots.forEach(root -> emit(root, parts));
    parts.sort(Comparator.comparing(Claim::prefix));
    return parts;
  }

  private static <T> void emit(Node<T> node, List<Claim<T>> parts) {
    List<Prefix> holes = node.holes.stream().map(hole -> hole.claim.prefix()).toList();
    for (Prefix rest : minus(node.claim.prefix(), holes)) {
      parts.add(new Claim<>(rest, node.claim.owner(), node.claim.origin()));
    }
    node.holes.forEach(hole -> emit(hole, parts));
  }

  /** What is left of a prefix without the holes in it, as few prefixes as possible. */
  static List<Prefix> minus(Prefix prefix, List<Prefix> holes) {
    List<Prefix> inside = holes.stream().filter(prefix::overlaps).toList();
    if (inside.isEmpty()) {
      return List.of(prefix);
    }
    if (inside.stream().anyMatch(hole -> hole.contains(prefix))) {
      return List.of();
    }
    Prefix low = new Prefix(prefix.first(), prefix.length() + 1);
    Address middle = low.last().plus(1);
    List<Prefix> rest = new ArrayList<>(minus(low, inside));
    rest.addAll(minus(new Prefix(middle, prefix.length() + 1), inside));
    return rest;
  }
}
