package io.gatehouse.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Body;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Udp;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever comes, in whatever order: what must hold of the engine. */
class AnyTrafficTest {
  private static final Settings.Limits LIMITS = new Settings.Limits(12, 6, 4, 5, 3, 40);
  private static final Address SERVER = Address.of("10.0.1.200");

  @ParameterizedTest
  @EnumSource(Method.class)
  void whatMustHold(Method method) {
    for (long seed = 1; seed <= 20; seed++) {
      new Run(method, seed).steps(2_000);
    }
    // An SPI that waited for a host when this machine said that it is its own; one that two hosts
    // were given at a time.
    for (long seed : new long[] {1015, 1667}) {
      new Run(method, seed).steps(20_000);
    }
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Method.class)
  void whatMustHoldForLong(Method method) {
    for (long seed = 1000; seed < 2000; seed++) {
      new Run(method, seed).steps(20_000);
    }
  }

  private record Key(Address remote, long id) {}

  private record Pair(Address host, Address remote) {}

  /** One engine, with what an onlooker knows of it. */
  private static final class Run {
    private final SplittableRandom random;
    private final Method method;
    private final boolean parallel;
    private final Masquerade engine;
    private final String name;
    private long now;

    /** What the kernel's maps would hold. */
    private final Map<Key, Address> spis = new HashMap<>();

    private final Map<Key, Address> cookies = new HashMap<>();

    /** Who has sent something to whom that was not refused, or registered; not released since. */
    private final Set<Pair> acquainted = new HashSet<>();

    private final Set<Key> own = new HashSet<>();

    Run(Method method, long seed) {
      this.random = new SplittableRandom(seed);
      this.method = method;
      this.parallel = random.nextInt(4) > 0;
      this.name = method + " seed " + seed;
      List<Settings.Server> servers =
          random.nextBoolean()
              ? List.of()
              : List.of(new Settings.Server(Prefix.of("198.51.100.2/32"), SERVER));
      this.engine =
          new Masquerade(
              new Settings(
                  method,
                  Duration.ofMinutes(2),
                  parallel,
                  Duration.ofMillis(random.nextInt(2) * 300L),
                  servers,
                  LIMITS),
              seed);
    }

    void steps(int count) {
      for (int i = 0; i < count; i++) {
        now += random.nextInt(10) == 0 ? random.nextInt(30_000) : random.nextInt(50);
        step();
        if (i % 64 == 0) {
          check();
        }
      }
      check();
      now += Duration.ofMinutes(10).toMillis();
      engine.tick(now);
      follow();
      assertThat(engine.size()).as("%s: all is forgotten in the end", name).isZero();
      assertThat(spis).as(name).isEmpty();
      assertThat(cookies).as(name).isEmpty();
      assertThat(engine.status().undecided()).as(name).isEmpty();
    }

    private Address host() {
      return Address.v4(0x0a000101 + random.nextInt(6));
    }

    private Address remote() {
      return Address.v4(0xc6336401 + random.nextInt(3));
    }

    private int spi() {
      return random.nextInt(24);
    }

    private Ike ike() {
      boolean two = random.nextInt(3) > 0;
      long initiator = 1L + random.nextInt(12);
      long responder = random.nextInt(4) == 0 ? 0 : 100 + initiator;
      long length = random.nextBoolean() ? Wire.LONG : Wire.SHORT;
      if (!two) {
        int exchange = List.of(2, 4, 5, 6, 32, 32, 32).get(random.nextInt(7));
        return Wire.v1(initiator, responder, exchange, random.nextInt(3), length);
      }
      int exchange = List.of(34, 35, 35, 36, 36, 37, 43).get(random.nextInt(7));
      int inner = List.of(0, 33, 36, 39, 41, 42, 48).get(random.nextInt(7));
      return Wire.v2(
          initiator, responder, exchange, random.nextInt(4), random.nextBoolean(), inner, length);
    }

    private Body nonsense() {
      return random.nextBoolean()
          ? new Malformed(20, "nonsense")
          : new Udp(500, 500, 20, Bytes.EMPTY, new Malformed(28, "nonsense"));
    }

    private void step() {
      Address host = host();
      Address remote = remote();
      long at = random.nextInt(20) == 0 ? Math.max(0, now - random.nextInt(100_000)) : now;
      switch (random.nextInt(16)) {
        case 0, 1, 2, 3 -> outbound(host, remote, Wire.esp(host, remote, spi(), sequence()), at);
        case 4, 5, 6, 7 -> inbound(remote, Wire.esp(remote, Gateway.PUBLIC, spi(), sequence()), at);
        case 8, 9, 10 -> outbound(host, remote, Wire.ike(host, remote, ike()), at);
        case 11, 12 -> inbound(remote, Wire.ike(remote, Gateway.PUBLIC, ike()), at);
        case 13 -> {
          switch (random.nextInt(6)) {
            case 0 -> {
              Optional<Reason> refused = engine.register(host, remote, spi(), at);
              if (refused.isEmpty() || knowsInSpiteOf(refused.get())) {
                acquainted.add(new Pair(host, remote));
              }
            }
            case 1 -> {
              engine.release(host, remote, at);
              // The baselines still take a host that was released for the one that waits.
              if (method == Method.EVIDENCE) {
                acquainted.remove(new Pair(host, remote));
              }
            }
            case 2 -> {
              int spi = spi();
              own.add(new Key(remote, spi));
              engine.own(remote, spi);
            }
            case 3 -> {
              int spi = spi();
              own.remove(new Key(remote, spi));
              engine.disown(remote, spi);
            }
            default -> engine.used(remote, spi(), at);
          }
        }
        case 14 -> {
          follow();
          String before = state();
          Ip spoilt = Wire.ip(host, remote, Ip.ESP, nonsense());
          Ip inward = Wire.ip(remote, Gateway.PUBLIC, Ip.UDP, nonsense());
          engine.outbound(spoilt, at);
          engine.inbound(inward, at);
          assertThat(state()).as("%s: malformed packets change nothing", name).isEqualTo(before);
          assertThat(engine.changes()).as("%s: nor any map", name).isEmpty();
        }
        default -> engine.tick(at);
      }
    }

    private int sequence() {
      return random.nextInt(4) == 0 ? 1_000_000 : 1 + random.nextInt(30);
    }

    private String state() {
      Status s = engine.status();
      return s.bindings() + " " + s.undecided() + " " + engine.size();
    }

    private void outbound(Address host, Address remote, Packet packet, long at) {
      Verdict verdict = engine.outbound((Ip) packet, at);
      if (!(verdict instanceof Verdict.Drop(Reason reason)) || knowsInSpiteOf(reason)) {
        acquainted.add(new Pair(host, remote));
      }
      assertThat(verdict)
          .as(name)
          .isInstanceOfAny(Verdict.Forward.class, Verdict.Drop.class, Verdict.Hold.class);
      if (verdict instanceof Verdict.Hold hold) {
        assertThat(hold.until()).as(name).isBetween(now - 100_000, now + 300);
      }
    }

    private void inbound(Address remote, Ip packet, long at) {
      Verdict verdict = engine.inbound(packet, at);
      switch (verdict) {
        case Verdict.To(Address host) -> mayOwn(host, remote);
        case Verdict.Copies(List<Address> hosts) -> {
          assertThat(hosts).as(name).hasSizeBetween(2, LIMITS.copies()).doesNotHaveDuplicates();
          hosts.forEach(host -> mayOwn(host, remote));
        }
        case Verdict.Own own ->
            assertThat(packet.body())
                .as(name)
                .satisfies(b -> assertThat(this.own).contains(new Key(remote, ((Esp) b).spi())));
        default -> assertThat(verdict).as(name).isInstanceOf(Verdict.Drop.class);
      }
    }

    /** Refused after the host was noted: a table is full, or another's first packet is awaited. */
    private static boolean knowsInSpiteOf(Reason reason) {
      return reason == Reason.FULL || reason == Reason.BLOCKED;
    }

    /** No packet goes to a host that has never had to do with its sender, a server apart. */
    private void mayOwn(Address host, Address remote) {
      if (!host.equals(SERVER)) {
        assertThat(acquainted).as(name).contains(new Pair(host, remote));
      }
    }

    private void follow() {
      for (Change change : engine.changes()) {
        switch (change) {
          case Change.Bind b ->
              assertThat(spis.put(new Key(b.remote(), b.spi()), b.host())).as(name).isNull();
          case Change.Unbind u ->
              assertThat(spis.remove(new Key(u.remote(), u.spi()))).as(name).isNotNull();
          case Change.BindCookie b ->
              assertThat(cookies.put(new Key(b.remote(), b.cookie()), b.host())).as(name).isNull();
          case Change.UnbindCookie u ->
              assertThat(cookies.remove(new Key(u.remote(), u.cookie()))).as(name).isNotNull();
        }
      }
    }

    private void check() {
      follow();
      Status status = engine.status();
      Map<Key, Address> bound = new HashMap<>();
      Map<Address, Integer> ofHost = new HashMap<>();
      Map<Address, Set<Address>> hostsOf = new HashMap<>();
      for (Binding binding : status.bindings()) {
        bound.put(new Key(binding.remote(), binding.spi()), binding.host());
        ofHost.merge(binding.host(), 1, Integer::sum);
        hostsOf.computeIfAbsent(binding.remote(), r -> new HashSet<>()).add(binding.host());
        mayOwn(binding.host(), binding.remote());
        assertThat(own).as(name).doesNotContain(new Key(binding.remote(), binding.spi()));
        assertThat(binding.spi()).as(name).isNotZero();
        assertThat(binding.since()).as(name).isLessThanOrEqualTo(now);
        assertThat(binding.seen()).as(name).isBetween(binding.since(), now);
        if (binding.evidence() != Evidence.REGISTERED) {
          boolean baseline =
              binding.evidence() == Evidence.FIFO || binding.evidence() == Evidence.SERIALISED;
          assertThat(baseline).as(name).isEqualTo(method != Method.EVIDENCE);
        }
      }
      assertThat(bound).as("%s: the maps hold what stands", name).isEqualTo(spis);
      assertThat(ofHost.values()).as(name).allMatch(n -> n <= LIMITS.spis());
      assertThat(hostsOf.values()).as(name).allMatch(h -> h.size() <= LIMITS.hosts());
      assertThat(engine.size()).as(name).isLessThanOrEqualTo(2 * LIMITS.flows());
      assertThat(cookies.values()).as(name).hasSizeLessThanOrEqualTo(LIMITS.flows());
      Map<Address, Integer> sessionsOf = new HashMap<>();
      cookies.values().forEach(host -> sessionsOf.merge(host, 1, Integer::sum));
      assertThat(sessionsOf.values()).as(name).allMatch(n -> n <= LIMITS.sessions());
      Map<Address, Integer> undecided = new HashMap<>();
      for (Undecided one : status.undecided()) {
        assertThat(bound).as(name).doesNotContainKey(new Key(one.remote(), one.spi()));
        assertThat(undecided.merge(one.remote(), 1, Integer::sum))
            .as(name)
            .isLessThanOrEqualTo(LIMITS.undecided());
        one.hosts().forEach(host -> mayOwn(host, one.remote()));
      }
    }
  }
}
