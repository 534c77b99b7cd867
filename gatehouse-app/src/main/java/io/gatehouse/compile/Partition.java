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
import java.util.Optional;

/**
 * Cuts claims to addresses into disjoint prefixes, as interval sets need them: the most specific
 * claim wins, as it does in routing and with the IKE daemon's policies; of two to the very same
 * prefix the first one.
 */
final class Partition {
  /** Somebody's claim to a prefix. */
  record Claim<T>(Prefix prefix, T owner, Origin origin) {}

  /** Addresses from {@code first} to {@code last}, both included. */
  record Span<T>(Address first, Address last, T owner, Origin origin) {
    private Optional<Span<T>> with(Span<T> next) {
      boolean joins =
          last.plus(1).equals(next.first)
              && last.compareTo(next.first) < 0
              && owner.equals(next.owner)
              && origin.equals(next.origin);
      return joins ? Optional.of(new Span<>(first, next.last, owner, origin)) : Optional.empty();
    }

    /** The same as a prefix, where it is one. */
    Optional<Prefix> prefix() {
      Prefix around = Prefix.masked(first, agreeing());
      return around.first().equals(first) && around.last().equals(last)
          ? Optional.of(around)
          : Optional.empty();
    }

    /** How many leading bits are the same in both. */
    private int agreeing() {
      long high = first.high() ^ last.high();
      long low = first.low() ^ last.low();
      int zeros = high == 0 ? 64 + Long.numberOfLeadingZeros(low) : Long.numberOfLeadingZeros(high);
      return zeros - (128 - first.family().bits());
    }
  }

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
    // In order of prefixes, what encloses stands in front of what it encloses.
    List<Claim<T>> sorted = new ArrayList<>(claims);
    sorted.sort(Comparator.comparing(Claim::prefix));
    Optional<Prefix> before = Optional.empty();
    for (Claim<T> claim : sorted) {
      if (before.filter(claim.prefix()::equals).isPresent()) {
        continue;
      }
      before = Optional.of(claim.prefix());
      while (!enclosing.isEmpty() && !enclosing.peek().claim.prefix().contains(claim.prefix())) {
        enclosing.pop();
      }
      Node<T> around = enclosing.peek();
      if (around != null && around.claim.owner().equals(claim.owner())) {
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

  /** The same in as few pieces as possible: what a hole has cut into many prefixes is two spans. */
  static <T> List<Span<T>> spans(Collection<Claim<T>> disjoint) {
    List<Span<T>> spans = new ArrayList<>();
    for (Claim<T> part : disjoint.stream().sorted(Comparator.comparing(Claim::prefix)).toList()) {
      Span<T> span =
          new Span<>(part.prefix().first(), part.prefix().last(), part.owner(), part.origin());
      Optional<Span<T>> joined = spans.isEmpty() ? Optional.empty() : spans.getLast().with(span);
      joined.ifPresent(all -> spans.removeLast());
      spans.add(joined.orElse(span));
    }
    return spans;
  }

  private static <T> void emit(Node<T> node, List<Claim<T>> parts) {
    List<Prefix> holes = node.holes.stream().map(hole -> hole.claim.prefix()).toList();
    for (Prefix rest : node.claim.prefix().without(holes)) {
      parts.add(new Claim<>(rest, node.claim.owner(), node.claim.origin()));
    }
    node.holes.forEach(hole -> emit(hole, parts));
  }
}
