package io.gatehouse.masquerade;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;

/** An inbound SPI without a host, the hosts that may own it, and what speaks for each. */
final class Stray {
  /** The odds of 1,000 to 1 that answers have to reach. */
  private static final double ENOUGH = Math.log(1000);

  private static final int ENOUGH_SAMPLES = 6;

  /** Milliseconds before a packet from outside in which the host's may have caused it. */
  private static final int BEFORE = 300;

  /** Milliseconds behind it in which the host answers. */
  private static final int BEHIND = 100;

  /** How often the owner's packets and it are that near: assumed, of questions and answers. */
  private static final double OWNERS = 0.85;

  final int spi;

  /** When its first packet came. */
  final long first;

  /** Since when the hosts in question are watched. */
  private final long watched;

  /** No exchange explains it: an entry was lost, or it is forged. */
  final boolean lost;

  private final List<Candidate> candidates = new ArrayList<>();
  private final HostSet hosts = new HostSet();
  long last;
  long packets;

  /** Whether it uses up an exchange, as of the last count. */
  boolean counts;

  /** Whether it was ever undecided between several. */
  boolean contested;

  private long sampled = Long.MIN_VALUE / 2;
  private int samples;

  Stray(int spi, boolean lost, long first, long now) {
    this.spi = spi;
    this.lost = lost;
    this.first = first;
    this.watched = now;
    this.last = now;
  }

  /** A host that may own it. */
  static final class Candidate {
    final int host;

    /** The host's number in its contest. */
    final int number;

    /** When the exchange began that makes it one; outbound SPIs of before say nothing. */
    final long from;

    private long out = Long.MIN_VALUE / 2;
    private long window = Long.MIN_VALUE;
    private int busy;
    private boolean near;
    private double weight;

    Candidate(int host, int number, long from) {
      this.host = host;
      this.number = number;
      this.from = from;
    }
  }

  /** The hosts that may own it, in the order in which they get copies. */
  List<Candidate> candidates() {
    return Collections.unmodifiableList(candidates);
  }

  /** One more, unless it is known. */
  void add(Candidate candidate) {
    if (!hosts.contains(candidate.number)) {
      hosts.add(candidate.number);
      candidates.add(candidate);
    }
  }

  /** Rules out those of whom this holds; whether there were any. */
  boolean removeIf(Predicate<Candidate> which) {
    return candidates.removeIf(candidate -> {
      boolean out = which.test(candidate);
      if (out) {
        hosts.remove(candidate.number);
      }
      return out;
    });
  }

  /**
   * @param number of a host in the contest; -1 where it has none
   */
  boolean isCandidate(int number) {
    return number >= 0 && hosts.contains(number);
  }

  /** Whether all that may own it may own the other. */
  boolean isWithin(Stray larger) {
    return hosts.isWithin(larger.hosts);
  }

  /** What it costs to hold it against another. */
  int width() {
    return hosts.width();
  }

  /** A packet of it came. */
  void packet(long now) {
    last = now;
    packets++;
    if (now - sampled < BEFORE + BEHIND) {
      return;
    }
    if (samples > 0) {
      for (Candidate candidate : candidates) {
        // How often the host would be that near by chance: the share of time in which it sends.
        double windows = (now - watched) / (double) (BEFORE + BEHIND) + 1;
        double chance = Math.min(0.98, Math.max(0.02, candidate.busy / windows));
        candidate.weight +=
            candidate.near ? Math.log(OWNERS / chance) : Math.log((1 - OWNERS) / (1 - chance));
      }
    }
    samples++;
    sampled = now;
    for (Candidate candidate : candidates) {
      candidate.near = now - candidate.out <= BEFORE;
    }
  }

  /** A candidate sent a packet under an SPI that may belong to it. */
  void sent(Candidate candidate, long now) {
    candidate.out = now;
    candidate.near |= now - sampled <= BEHIND;
    long window = now / (BEFORE + BEHIND);
    if (window != candidate.window) {
      candidate.window = window;
      candidate.busy++;
    }
  }

  /** The host whose packets and these answer each other beyond chance, or -1. */
  int answering() {
    if (samples <= ENOUGH_SAMPLES) {
      return -1;
    }
    int best = -1;
    for (int i = 0; i < candidates.size(); i++) {
      if (best < 0 || candidates.get(i).weight > candidates.get(best).weight) {
        best = i;
      }
    }
    if (best < 0 || candidates.get(best).weight < ENOUGH) {
      return -1;
    }
    for (int i = 0; i < candidates.size(); i++) {
      if (i != best && candidates.get(i).weight > candidates.get(best).weight - ENOUGH) {
        return -1;
      }
    }
    return best;
  }
}
