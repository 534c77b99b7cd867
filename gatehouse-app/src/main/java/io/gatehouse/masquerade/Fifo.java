package io.gatehouse.masquerade;

import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The baseline that some kernels have: whoever sends a new SPI waits for a remote, and the next
 * unknown SPI of that remote goes to who has waited longest. Waiting ends after 60 s.
 */
final class Fifo implements Association {
  private static final long PATIENCE = 60_000;
  private static final int QUEUE = 4096;

  private final Flows flows;
  private final Ledger ledger;
  private final Map<Integer, Deque<Waiting>> waiting = new HashMap<>();

  private record Waiting(int host, long since) {}

  Fifo(Flows flows, Ledger ledger) {
    this.flows = flows;
    this.ledger = ledger;
  }

  @Override
  public Verdict outbound(int host, int remote, Esp esp, boolean isNew, long now) {
    if (isNew) {
      Deque<Waiting> queue = waiting.computeIfAbsent(remote, far -> new ArrayDeque<>());
      if (queue.size() < QUEUE) {
        queue.addLast(new Waiting(host, now));
      }
    }
    return new Verdict.Forward();
  }

  @Override
  public Verdict unknown(int remote, Esp esp, long now) {
    Deque<Waiting> queue = waiting.getOrDefault(remote, new ArrayDeque<>());
    expire(queue, now);
    if (queue.isEmpty()) {
      return ledger.refuse(Reason.NO_HOST, 0, remote, now);
    }
    int host = queue.removeFirst().host();
    return flows
        .bind(remote, esp.spi(), host, Evidence.FIFO, now)
        .map(reason -> ledger.refuse(reason, 0, remote, now))
        .orElseGet(() -> Association.to(host));
  }

  private static void expire(Deque<Waiting> queue, long now) {
    while (!queue.isEmpty() && now - queue.getFirst().since() > PATIENCE) {
      queue.removeFirst();
    }
  }

  @Override
  public void left(int host, int remote, long now) {
    waiting.getOrDefault(remote, new ArrayDeque<>()).removeIf(one -> one.host() == host);
  }

  @Override
  public void tick(long now) {
    waiting.values().forEach(queue -> expire(queue, now));
    waiting.values().removeIf(Deque::isEmpty);
  }

  /** How many hosts wait, and remotes for which any did since the last tick. */
  int size() {
    return waiting.size() + waiting.values().stream().mapToInt(Deque::size).sum();
  }

  @Override
  public Verdict ike(int host, int remote, Ike message, boolean fromInside, long now) {
    return new Verdict.Forward();
  }
}
