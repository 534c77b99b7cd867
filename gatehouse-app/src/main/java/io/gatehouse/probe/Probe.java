package io.gatehouse.probe;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Packet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Asks a host which VPN protocols reach it. */
public final class Probe {
  /**
   * A router's own limit for errors to one host is one a second, after the first six (Linux,
   * icmp_ratelimit): each is asked once a second.
   */
  public static final Duration ROUND = Duration.ofMillis(1050);

  private static final int TRIES = 2;

  /** The way packets go out and come in. */
  public interface Wire {
    /** Sends one. */
    void send(byte[] packet);

    /** What comes within the time. */
    Optional<Packet> receive(Duration limit);
  }

  private final Wire wire;
  private final Letters letters;
  private final Findings findings;
  private final Duration round;

  private Probe(Wire wire, Letters letters, Duration round) {
    this.wire = wire;
    this.letters = letters;
    this.round = round;
    findings = new Findings(letters);
  }

  /**
   * Asks.
   *
   * @param from this host's own address on the way there
   * @param hops at most
   * @param round how long answers are waited for, mostly {@link #ROUND}
   * @param seed makes ports, cookie and SPI; another one for each probe
   * @param step is told what happens
   */
  public static Report ask(
      Wire wire,
      Address from,
      Address to,
      List<Question> questions,
      int hops,
      Duration round,
      long seed,
      Consumer<String> step) {
    int base = 20_000 + (int) Long.remainderUnsigned(seed, 500) * 64;
    int spi = (int) (seed >>> 32) | 0x0100_0000;
    Probe probe = new Probe(wire, new Letters(from, to, base, spi, seed | 1), round);
    step.accept("asking " + to + " for the way");
    probe.way(hops);
    for (Question question : questions) {
      step.accept("asking " + to + " by " + question.title());
      probe.ask(question, hops);
    }
    return probe.findings.report(questions);
  }

  private void way(int hops) {
    for (int i = 0; i < TRIES; i++) {
      send(Question.PING, numbers(1, hops));
    }
  }

  private void ask(Question question, int hops) {
    for (int i = 0; i < TRIES && !findings.isSettled(question); i++) {
      // The one that is to arrive goes first: where it is answered, no hop has to be asked.
      wire.send(letters.letter(question, Letters.FAR, 0));
      listen(round, question);
    }
    if (findings.isSettled(question)) {
      return;
    }
    send(question, numbers(1, Math.max(0, findings.distance(hops) - 1)));
    for (int i = 1; i < TRIES && !findings.missing(question).isEmpty(); i++) {
      send(question, findings.missing(question));
    }
  }

  private static List<Integer> numbers(int first, int last) {
    List<Integer> numbers = new ArrayList<>();
    for (int i = first; i <= last; i++) {
      numbers.add(i);
    }
    return numbers;
  }

  private void send(Question question, List<Integer> hops) {
    for (int hop : hops) {
      wire.send(letters.letter(question, hop, hop));
    }
    listen(round, Question.PING);
  }

  /** Hears what comes, until the time is over or a question is settled. */
  private void listen(Duration limit, Question until) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      long left = end - System.nanoTime();
      if (left <= 0 || (until != Question.PING && findings.isSettled(until))) {
        return;
      }
      wire.receive(Duration.ofNanos(left))
          .flatMap(packet -> Heard.of(packet, letters))
          .ifPresent(findings::hear);
    }
  }
}
