package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.gone;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.SetId;
import io.gatehouse.vici.IkeSa;
import java.time.Duration;
import java.time.Instant;
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
  private final Conductor conductor =
      new Conductor(
          () -> store,
          new Conductor.Surroundings() {
            @Override
            public Model model() {
              return model.get();
            }

            @Override
            public void repair() {
              repairs.incrementAndGet();
              store.load(Told.GROUPS);
            }

            @Override
            public void listAgain() {
              lists.incrementAndGet();
            }
          },
          now::get);
  private final Thread thread =
      Thread.ofPlatform()
          .unstarted(() -> {
            try {
              conductor.run();
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
          });

  @AfterEach
  void end() throws InterruptedException {
    conductor.end();
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
    Wish.of(groups.map(), Address.of("10.0.3.66"), groups.verdicts().get("finance"))
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

    now.set(now.get().plus(Conductor.PERIOD).plus(Duration.ofMillis(1)));
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
    assertThat(report().troubles()).isEmpty();
    assertThat(repairs).hasValue(1);
    assertThat(store.in(IN)).hasSize(1);
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
}
