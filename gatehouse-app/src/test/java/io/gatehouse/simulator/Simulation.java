package io.gatehouse.simulator;

import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Method;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.masquerade.Wire;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;

/** One run: hosts, a gateway with an engine, a road, and a remote. The same seed, the same run. */
public final class Simulation {
  static final Address REMOTE = Address.of("198.51.100.1");
  private static final Address PUBLIC = Address.of("203.0.113.1");

  /** What an event waits for. */
  private record Event(long at, long number, Runnable what) {}

  final Scenario scenario;
  final Manners manners;
  final SplittableRandom random;
  long now;

  private final Method method;
  private final Masquerade engine;
  private final PriorityQueue<Event> events =
      new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::number));
  private long number;

  /** Who receives under an SPI, in truth. */
  private final Map<Integer, Peer> owners = new HashMap<>();

  private final Map<Address, Peer> peers = new HashMap<>();

  // What the kernel's maps hold: established traffic never visits the engine.
  private final Map<Integer, Address> bound = new HashMap<>();
  private final Map<Integer, Long> usedLately = new HashMap<>();
  private final Set<Integer> settled = new HashSet<>();

  private final Set<Integer> seen = new HashSet<>();
  private final Set<Integer> wrong = new HashSet<>();
  private final Set<Integer> copied = new HashSet<>();
  private final Map<Integer, Long> wrongSince = new HashMap<>();
  private final Set<Integer> lasting = new HashSet<>();
  private final Map<Peer, Long> blockedSince = new HashMap<>();
  private long misled;
  private long copies;
  private long arrived;
  private long unreached;
  private long blocked;
  private long longestBlock;
  private long longestHold;
  private long forged;
  private long asked;
  private long delayed;

  private Simulation(Scenario scenario, Manners manners, Method method, long seed) {
    this.scenario = scenario;
    this.manners = manners;
    this.method = method;
    this.random = new SplittableRandom(seed);
    this.engine = new Masquerade(Settings.standard().with(method), 0);
  }

  /** Runs a scenario from beginning to end. */
  public static Outcome run(Scenario scenario, Method method, long seed) {
    return run(scenario, Manners.FROZEN, method, seed);
  }

  /** The same of peers with other manners. */
  public static Outcome run(Scenario scenario, Manners manners, Method method, long seed) {
    return new Simulation(scenario, manners, method, seed).run();
  }

  private Outcome run() {
    for (int i = 0; i < scenario.hosts(); i++) {
      Peer peer = new Peer(this, Address.v4(0x0a000002 + i), i == 0 && scenario.hostile());
      peers.put(peer.host, peer);
      long logon = 1000 + random.nextLong(scenario.logonWithin());
      at(logon, peer::logon);
    }
    at(1000, this::everySecond);
    if (scenario.hostile()) {
      at(scenario.logonWithin(), this::forge);
    }
    while (!events.isEmpty() && events.peek().at() <= scenario.duration()) {
      Event event = events.poll();
      now = event.at();
      event.what().run();
    }
    seen.removeIf(spi -> !owners.containsKey(spi));
    return new Outcome(
        seen.size(),
        wrong.size(),
        lasting.size(),
        misled,
        copies,
        arrived,
        unreached,
        blocked,
        longestBlock,
        longestHold,
        copied.size(),
        forged,
        asked,
        delayed);
  }

  void at(long time, Runnable what) {
    events.add(new Event(time, number++, what));
  }

  void in(long time, Runnable what) {
    at(now + time, what);
  }

  /** A new SPI under which a host receives. */
  int spiOf(Peer owner) {
    int spi;
    do {
      spi = random.nextInt();
    } while (spi >>> 8 == 0 || owners.containsKey(spi));
    owners.put(spi, owner);
    return spi;
  }

  private void everySecond() {
    usedLately.forEach((spi, when) -> engine.used(REMOTE, spi, when));
    usedLately.clear();
    engine.tick(now);
    follow();
    wrongSince.forEach((spi, since) -> {
      if (now - since > 60_000) {
        lasting.add(spi);
      }
    });
    in(1000, this::everySecond);
  }

  private void forge() {
    int spi = random.nextInt() | 0x100;
    for (int packet = 1; packet <= scenario.forgeries(); packet++) {
      inbound(spi, packet, () -> {});
    }
    in(200, this::forge);
  }

  private void follow() {
    for (Change change : engine.changes()) {
      switch (change) {
        case Change.Bind b -> {
          bound.put(b.spi(), b.host());
          Peer owner = owners.get(b.spi());
          if (owner == null) {
            forged++;
          } else if (!owner.host.equals(b.host())) {
            wrong.add(b.spi());
            wrongSince.put(b.spi(), now);
          }
        }
        case Change.Unbind u -> {
          bound.remove(u.spi());
          wrongSince.remove(u.spi());
        }
        default -> {}
      }
    }
  }

  private boolean isLost() {
    return random.nextDouble() < scenario.loss();
  }

  private long road() {
    return scenario.delay() + random.nextLong(scenario.jitter() + 1);
  }

  // ---- ESP -------------------------------------------------------------------------------------

  /** A host sends under an SPI; {@code arrives} happens at the remote. Whether it passed. */
  boolean outbound(Peer peer, int spi, int sequence, Runnable arrives, Runnable dropped) {
    boolean known = method == Method.EVIDENCE && settled.contains(spi);
    if (!known || engine.watches(peer.host, REMOTE)) {
      asked++;
      Verdict verdict = engine.outbound(Wire.esp(peer.host, REMOTE, spi, sequence), now);
      follow();
      if (!(verdict instanceof Verdict.Forward)) {
        blocked++;
        blockedSince.putIfAbsent(peer, now);
        dropped.run();
        return false;
      }
      settled.add(spi);
    }
    Long since = blockedSince.remove(peer);
    if (since != null) {
      longestBlock = Math.max(longestBlock, now - since);
    }
    if (!isLost()) {
      in(road(), arrives);
    }
    return true;
  }

  /** What passes now was dropped before. */
  void passedLate() {
    delayed++;
  }

  /** The remote sends under an SPI; {@code arrives} happens at the SPI's owner, if it gets it. */
  void fromRemote(int spi, int sequence, Runnable arrives) {
    if (!isLost()) {
      in(road(), () -> inbound(spi, sequence, arrives));
    }
  }

  private void inbound(int spi, int sequence, Runnable arrives) {
    Peer owner = owners.get(spi);
    seen.add(spi);
    Address target = bound.get(spi);
    Verdict verdict;
    if (target != null && method == Method.EVIDENCE) {
      verdict = new Verdict.To(target);
      usedLately.put(spi, now);
    } else {
      asked++;
      verdict = engine.inbound(Wire.esp(REMOTE, PUBLIC, spi, sequence), now);
      follow();
    }
    if (owner == null) {
      return;
    }
    List<Address> hosts =
        switch (verdict) {
          case Verdict.To(Address host) -> List.of(host);
          case Verdict.Copies(List<Address> several) -> several;
          default -> List.of();
        };
    boolean reached = hosts.contains(owner.host);
    if (hosts.size() > 1) {
      copied.add(spi);
    }
    if (reached) {
      arrived++;
      copies += hosts.size() - 1;
      in(1, arrives);
    } else {
      unreached++;
      misled += hosts.isEmpty() ? 0 : 1;
    }
  }

  // ---- IKE -------------------------------------------------------------------------------------

  /** A host sends a message of IKE; {@code arrives} happens at the remote. */
  void ikeOut(Peer peer, Ike message, Runnable arrives) {
    ikeOut(peer, message, arrives, now);
  }

  private void ikeOut(Peer peer, Ike message, Runnable arrives, long began) {
    asked++;
    Verdict verdict = engine.outbound(Wire.ike(peer.host, REMOTE, message), now);
    follow();
    switch (verdict) {
      case Verdict.Hold(long until) ->
          at(Math.clamp(until, now + 1, now + 20), () -> ikeOut(peer, message, arrives, began));
      case Verdict.Drop drop -> {}
      default -> {
        delayed += now > began ? 1 : 0;
        longestHold = Math.max(longestHold, now - began);
        if (!isLost()) {
          in(road(), arrives);
        }
      }
    }
  }

  /** The remote sends a message of IKE; {@code arrives} happens at the host that it is for. */
  void ikeFromRemote(Peer peer, Ike message, Runnable arrives) {
    if (isLost()) {
      return;
    }
    in(
        road(),
        () -> {
          asked++;
          Ip packet = Wire.ike(REMOTE, PUBLIC, message);
          Verdict verdict = engine.inbound(packet, now);
          follow();
          List<Address> hosts = new ArrayList<>();
          switch (verdict) {
            case Verdict.To(Address host) -> hosts.add(host);
            case Verdict.Copies(List<Address> several) -> hosts.addAll(several);
            default -> {}
          }
          if (hosts.contains(peer.host)) {
            in(1, arrives);
          }
        });
  }
}
