package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.gone;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.RouteMessage.Neighbour;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ConductorTest {
  private static final SetId IN = SetId.inet("gatehouse", "in_staff.groups4");
  private static final IkeSa ANNA = staff(1, "anna@fin.example.org", "10.0.3.9");

  private final MapsInMemory store = new MapsInMemory(Told.GROUPS);
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final AtomicReference<Model> model = new AtomicReference<>(Told.GROUPS);
  private final AtomicInteger lists = new AtomicInteger();
  private final AtomicInteger repairs = new AtomicInteger();
  private final AtomicInteger arrivals = new AtomicInteger();
  private final AtomicInteger signs = new AtomicInteger();
  private final AtomicReference<List<String>> around = new AtomicReference<>(List.of());

  /** The outside addresses that were told last. */
  private final AtomicReference<Set<Address>> outside = new AtomicReference<>(Set.of());

  private final Conductor conductor =
      new Conductor(
          () -> store,
          new Surroundings() {
            @Override
            public Model model() {
              return model.get();
            }

            @Override
            public void repair(int generation) {
              assertThat(generation).isEqualTo(model.get().generation());
              repairs.incrementAndGet();
            }

            @Override
            public void listAgain() {
              lists.incrementAndGet();
            }

            @Override
            public void devicesCame() {
              arrivals.incrementAndGet();
            }

            @Override
            public Set<Address> outsideBefore() {
              return outside.get();
            }

            @Override
            public void outsideNow(Set<Address> addresses) {
              outside.set(addresses);
            }

            @Override
            public void alive() {
              signs.incrementAndGet();
            }

            @Override
            public List<String> troubles() {
              return around.get();
            }
          },
          now::get);
  private final Thread thread =
      Thread.ofPlatform()
          .unstarted(() -> {
            try {
              conductor.run(() -> {});
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });

  @AfterEach
  void end() throws InterruptedException {
    conductor.end(false);
    if (thread.isAlive()) {
      thread.join();
    }
  }

  private Report report() throws Exception {
    return conductor.report().get(30, TimeUnit.SECONDS);
  }

  @Test
  void whatItWasToldStandsWhenItAnswers() throws Exception {
    thread.start();
    conductor.hear(listed());
    conductor.hear(Told.up(ANNA, child(7)));

    Report report = report();
    assertThat(store.in(IN)).hasSize(1);
    assertThat(report.elements()).isEqualTo(2);
    assertThat(report.unreachable()).isEmpty();
    assertThat(report.sessions())
        .singleElement()
        .satisfies(session -> {
          assertThat(session.tunnel()).contains("staff");
          assertThat(session.group()).contains("finance");
        });
    assertThat(report.troubles()).isEmpty();
  }

  @Test
  void nothingIsTouchedBeforeAnybodyToldWhoIsThere() throws Exception {
    leftBehind(store);
    thread.start();
    conductor.kernelChanged();
    report();
    assertThat(store.in(IN)).hasSize(1);

    conductor.hear(gone());
    assertThat(report().unreachable()).isPresent();
    assertThat(store.in(IN)).isEmpty();
  }

  /** What somebody left in the maps. */
  private static void leftBehind(MapsInMemory store) {
    LiveMaps.OfGroups groups = Told.GROUPS.maps().groups().getFirst();
    Wish.of(groups, Address.of("10.0.3.66"), "finance")
        .ifPresent(wish -> store.put(wish.slot().map(), wish.slot().key(), wish.data()));
  }

  @Test
  void whatNobodyToldIsFoundByThePeriodicComparison() throws Exception {
    thread.start();
    conductor.hear(listed());
    report();
    leftBehind(store);
    report();
    assertThat(store.in(IN)).as("before its time").hasSize(1);

    now.set(now.get().plus(Deeds.PERIOD).plus(Duration.ofMillis(1)));
    assertThat(report().corrections()).isEqualTo(1);
    assertThat(store.in(IN)).isEmpty();
  }

  @Test
  void rulesThatSomebodyFlushedAreAskedForAndFilled() throws Exception {
    thread.start();
    conductor.hear(listed());
    conductor.hear(Told.up(ANNA, child(7)));
    report();
    store.flush();
    conductor.kernelChanged();
    assertThat(report().troubles()).contains("our rules are not in the kernel");
    assertThat(repairs).as("they may come by themselves").hasValue(0);

    now.set(now.get().plusSeconds(2));
    assertThat(report().troubles()).as("that takes its time").isNotEmpty();
    assertThat(repairs).hasValue(1);
    now.set(now.get().plusSeconds(2));
    report();
    assertThat(repairs).as("it is being done").hasValue(1);

    store.load(Told.GROUPS);
    conductor.kernelChanged();
    assertThat(report().troubles()).isEmpty();
    assertThat(store.in(IN)).hasSize(1);
    assertThat(repairs).hasValue(1);
  }

  @Test
  void whatDoesNotComeBackIsAskedForAgain() throws Exception {
    thread.start();
    conductor.hear(listed());
    store.flush();
    conductor.kernelChanged();
    report();
    now.set(now.get().plusSeconds(2));
    report();
    now.set(now.get().plus(Deeds.PERIOD));
    report();

    assertThat(repairs).hasValue(2);
  }

  @Test
  void whatDoesNotWorkAroundItIsSaid() throws Exception {
    thread.start();
    around.set(List.of("kernel-events: the kernel's events ended"));

    assertThat(report().troubles()).containsExactly("kernel-events: the kernel's events ended");
  }

  @Test
  void whatFindsNoRoomInTheQueueIsListedAnew() throws Exception {
    for (int i = 0; i < 60_000; i++) {
      conductor.hear(listed());
    }
    thread.start();
    while (lists.get() == 0) {
      try {
        report();
      } catch (java.util.concurrent.ExecutionException busy) {
        Thread.onSpinWait();
      }
    }
    assertThat(lists.get()).isPositive();
  }

  @Test
  void aNewGenerationIsFollowed() throws Exception {
    thread.start();
    conductor.hear(listed());
    conductor.hear(Told.up(ANNA, child(7)));
    report();
    store.flush();
    store.load(Told.L2TP);
    model.set(new Model(2, Told.L2TP.gateway(), Told.L2TP.maps()));
    conductor.kernelChanged();

    assertThat(report().generation()).isEqualTo(2);
    assertThat(report().elements()).isZero();
  }

  @Test
  void l2tpInClearIsHeldBackAsLongAsThereIsL2tp() throws Exception {
    model.set(Told.L2TP);
    store.load(Told.L2TP);
    thread.start();
    report();
    assertThat(store.heldBack()).as("before any IKE daemon has said anything").isTrue();

    model.set(new Model(2, Told.GROUPS.gateway(), Told.GROUPS.maps()));
    conductor.kernelChanged();
    report();
    assertThat(store.heldBack()).isFalse();
  }

  @Test
  void aKernelThatCannotHoldItBackIsTold() throws Exception {
    store.old(true);
    model.set(Told.L2TP);
    store.load(Told.L2TP);
    thread.start();
    assertThat(report().troubles())
        .containsExactly(
            "L2TP may leave in clear for a moment where somebody flushes our rules: EOPNOTSUPP");

    store.old(false);
    conductor.kernelChanged();
    assertThat(report().troubles()).isEmpty();
    assertThat(store.heldBack()).isTrue();
  }

  // ---- devices ----

  private static final Address OUR = Address.of("203.0.113.2");

  private void standing(Address outside) {
    store.has(
        List.of(
            DevicesTest.link(2, "eth0", true),
            DevicesTest.link(3, "eth1", true),
            DevicesTest.has(2, outside)));
  }

  private static Connection connection(String from, String to, String answeredTo) {
    return new Connection(
        2,
        Address.of(from),
        Address.of(to),
        Address.of(to),
        Address.of(answeredTo),
        Bytes.of((byte) (from + to).hashCode()),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void connectionsOfAnAddressThatWentAreEndedAndOthersStay() throws Exception {
    Connection translated = connection("10.0.1.20", "198.51.100.7", "203.0.113.2");
    Connection received = connection("198.51.100.7", "203.0.113.2", "198.51.100.7");
    Connection other = connection("10.0.1.20", "198.51.100.8", "203.0.113.7");
    store.connected(translated);
    store.connected(received);
    store.connected(other);
    standing(OUR);
    thread.start();
    report();
    assertThat(store.connected()).hasSize(3);

    standing(Address.of("203.0.113.7"));
    conductor.devicesUnknown();
    report();
    assertThat(store.connected()).containsExactly(other);
  }

  @Test
  void whatAppearsUnderTheAddressOfAnUplinkThatIsDownBeginsAnew() throws Exception {
    Connection translated = connection("10.0.1.20", "198.51.100.7", "203.0.113.2");
    Connection received = connection("198.51.100.7", "203.0.113.2", "198.51.100.7");
    Connection own = connection("203.0.113.2", "198.51.100.9", "203.0.113.2");
    Connection other = connection("10.0.1.20", "198.51.100.8", "203.0.113.7");
    store.connected(translated);
    store.connected(received);
    store.connected(own);
    store.connected(other);
    standing(OUR);
    thread.start();
    report();
    store.deaf(true);
    conductor.devicesChanged(List.of(DevicesTest.link(2, "eth0", false)));
    assertThat(report().troubles()).anyMatch(trouble -> trouble.contains("203.0.113.2"));
    assertThat(store.connected()).hasSize(4);

    store.deaf(false);
    report();
    report();
    assertThat(store.connected()).containsExactly(received, own, other);
    assertThat(report().troubles()).noneMatch(trouble -> trouble.contains("203.0.113.2"));
  }

  @Test
  void anAddressThatWentWhileNobodyRanIsMissed() throws Exception {
    store.connected(connection("198.51.100.7", "203.0.113.2", "198.51.100.7"));
    Connection other = connection("10.0.1.20", "198.51.100.8", "203.0.113.7");
    store.connected(other);
    outside.set(Set.of(OUR, Address.of("203.0.113.7")));
    standing(Address.of("203.0.113.7"));
    store.deaf(true);
    thread.start();
    assertThat(report().troubles()).anyMatch(trouble -> trouble.contains("203.0.113.2"));
    assertThat(outside.get()).as("until its connections are ended").contains(OUR);

    store.deaf(false);
    report();
    report();
    assertThat(store.connected()).containsExactly(other);
    assertThat(outside.get()).containsExactly(Address.of("203.0.113.7"));
  }

  @Test
  void whatCouldNotBeEndedIsSaidAndTriedAgain() throws Exception {
    store.connected(connection("198.51.100.7", "203.0.113.2", "198.51.100.7"));
    store.deaf(true);
    standing(OUR);
    thread.start();
    report();
    conductor.devicesChanged(List.of(new RouteMessage.OfLink(2, OUR, 24, true)));
    assertThat(report().troubles()).anyMatch(trouble -> trouble.contains("203.0.113.2"));

    store.deaf(false);
    assertThat(report().troubles()).isEmpty();
    assertThat(store.connected()).isEmpty();
  }

  /** It comes, it changes, and it goes; what was translated to it ends with it. */
  @Test
  void theVirtualIpThatATunnelBringsIsFollowed() throws Exception {
    SetId map = SetId.inet("gatehouse", "virtual_hq4");
    Address first = Address.of("10.20.255.9");
    Address second = Address.of("10.20.255.30");
    ChildSa one = Told.given(7, "10.20.255.9/32");
    store.load(Told.ROAMING);
    model.set(Told.ROAMING);
    standing(OUR);
    thread.start();
    conductor.hear(listed());
    report();
    assertThat(store.in(map)).isEmpty();

    conductor.devicesChanged(List.of(DevicesTest.link(1, "lo", true), DevicesTest.has(1, first)));
    conductor.hear(Told.up(Told.hq(1), one));
    report();
    assertThat(store.in(map).values()).containsExactly(new Data.Value(Bytes.of(first.bytes())));
    assertThat(outside.get()).as("for whoever follows us").containsExactlyInAnyOrder(OUR, first);
    Connection ended = connection("10.0.1.20", "10.20.1.1", "10.20.255.9");
    Connection other = connection("10.0.1.20", "198.51.100.8", "203.0.113.2");
    store.connected(ended);
    store.connected(other);

    conductor.hear(Told.down(Told.hq(1), one));
    conductor.devicesChanged(List.of(new RouteMessage.OfLink(1, first, 32, true)));
    report();
    assertThat(store.in(map)).as("nobody appears under any").isEmpty();
    assertThat(store.connected()).containsExactly(other);

    conductor.devicesChanged(List.of(DevicesTest.has(1, second)));
    conductor.hear(Told.up(Told.hq(2), Told.given(8, "10.20.255.30/32")));
    report();
    assertThat(store.in(map).values()).containsExactly(new Data.Value(Bytes.of(second.bytes())));
    assertThat(store.connected()).containsExactly(other);

    // Somebody else's element does not stay, nor is ours missed.
    store.put(map, store.in(map).keySet().iterator().next(), new Data.Value(Bytes.int32(0)));
    conductor.kernelChanged();
    report();
    assertThat(store.in(map).values()).containsExactly(new Data.Value(Bytes.of(second.bytes())));
  }

  @Test
  void whatWaitedForADeviceIsPutInWhenItComes() throws Exception {
    standing(OUR);
    thread.start();
    report();
    assertThat(arrivals).as("what was there before us was there for the rules").hasValue(0);
    conductor.devicesChanged(List.of(DevicesTest.link(3, "eth1", false)));
    report();
    assertThat(arrivals).hasValue(0);
    conductor.devicesChanged(List.of(DevicesTest.link(3, "eth1", true)));
    report();
    assertThat(arrivals).hasValue(1);
    assertThat(signs.get()).isPositive();
  }

  @Test
  void clientsInTheLanAreAnsweredForWhileTheyAreThere() throws Exception {
    Address client = Address.of("10.0.1.250");
    Address theirs = Address.of("10.0.1.200");
    store.load(Told.PROXY);
    model.set(Told.PROXY);
    standing(OUR);
    store.answers(new Neighbour(3, theirs, true, 4, false));
    store.answers(new Neighbour(3, Address.of("10.0.1.251"), true, 171, false));
    thread.start();
    conductor.hear(listed());
    assertThat(report().presences()).isZero();
    assertThat(store.answered()).as("a predecessor's went").containsOnlyKeys(theirs);

    IkeSa there = staff(1, "anna", "10.0.1.250");
    conductor.hear(Told.up(there, child(7)));
    conductor.hear(Told.up(staff(2, "eve", "10.0.1.99"), child(8))); // in no pool
    assertThat(report().presences()).isEqualTo(1);
    assertThat(store.answered()).containsOnlyKeys(theirs, client);
    assertThat(store.answered().get(client)).isEqualTo(new Neighbour(3, client, true, 171, false));

    conductor.hear(Told.down(there, child(7)));
    assertThat(report().presences()).isZero();
    assertThat(store.answered()).containsOnlyKeys(theirs);
  }

  @Test
  void aLanThatComesBackIsAnsweredInAgain() throws Exception {
    store.load(Told.PROXY);
    model.set(Told.PROXY);
    standing(OUR);
    thread.start();
    conductor.hear(listed(staff(1, "anna", "10.0.1.250", child(7))));
    report();
    conductor.devicesChanged(List.of(DevicesTest.gone(3, "eth1")));
    store.proxy(Address.of("10.0.1.250"), 3, 171, false); // went with it
    report();
    conductor.devicesChanged(List.of(DevicesTest.link(8, "eth1", true)));
    report();

    assertThat(store.answered().get(Address.of("10.0.1.250")).index()).isEqualTo(8);
  }

  @Test
  void endingLeavesOrClears() throws Exception {
    for (boolean clears : new boolean[] {false, true}) {
      MapsInMemory maps = new MapsInMemory(Told.GROUPS);
      Conductor one = new Conductor(() -> maps, new Alone(Told.GROUPS), now::get);
      one.hear(listed(staff(1, "anna@fin.example.org", "10.0.3.9", child(7))));
      Thread running =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  one.run(() -> {});
                } catch (InterruptedException e) {
                  throw new AssertionError(e);
                }
              });
      one.report().get(30, TimeUnit.SECONDS);
      assertThat(maps.in(IN)).hasSize(1);
      one.end(clears);
      running.join();
      assertThat(maps.in(IN)).hasSize(clears ? 0 : 1);
    }
  }

  @Test
  void membershipIsRenewedLongBeforeItEnds() throws Exception {
    thread.start();
    conductor.hear(listed(staff(1, "anna@fin.example.org", "10.0.3.9", child(7))));
    report();
    int before = store.batches();
    now.set(now.get().plus(Keeper.LIFE.dividedBy(2)));
    report();
    assertThat(store.batches()).isEqualTo(before + 1);
  }
}
