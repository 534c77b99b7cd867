package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.daemon.Deeds.News;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.SetId;
import io.gatehouse.vici.CharonNews;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the conductor does, step by step, without a thread. */
class DeedsTest {
  private static final SetId IN = SetId.inet("gatehouse", "in_staff.groups4");
  private static final CharonNews ANNA =
      Told.up(staff(1, "anna@fin.example.org", "10.0.3.9"), child(7));

  private final MapsInMemory store = new MapsInMemory(Told.GROUPS);
  private final List<String> asked = new ArrayList<>();
  private final Deeds deeds = new Deeds(store, new Asking(), Instant.EPOCH);
  private Instant now = Instant.EPOCH;

  /** Writes down what it is asked for. */
  private final class Asking implements Surroundings {
    @Override
    public Model model() {
      return Told.GROUPS;
    }

    @Override
    public void repair(int generation) {
      asked.add("repair " + generation);
    }

    @Override
    public void listAgain() {
      asked.add("list");
    }

    @Override
    public void devicesCame() {
      asked.add("late");
    }

    @Override
    public Set<Address> outsideBefore() {
      return Set.of();
    }

    @Override
    public void outsideNow(Set<Address> addresses) {
      asked.add("note");
    }

    @Override
    public void alive() {}

    @Override
    public List<String> troubles() {
      return List.of();
    }
  }

  private void after(Duration time, News... news) {
    now = now.plus(time);
    deeds.step(List.of(news), now);
  }

  private void heard(CharonNews... all) {
    for (CharonNews one : all) {
      after(Duration.ZERO, new News.Heard(one));
    }
  }

  @Test
  void whereNothingHappensItLooksOnceInAPeriod() {
    heard(listed(), ANNA);
    int batches = store.batches();
    assertThat(deeds.looksAt()).isEqualTo(now.plus(Deeds.PERIOD));
    after(Deeds.PERIOD.minusMillis(1));
    assertThat(deeds.looksAt()).as("not yet").isEqualTo(now.plusMillis(1));
    after(Duration.ofMillis(1));

    assertThat(deeds.looksAt()).isEqualTo(now.plus(Deeds.PERIOD));
    assertThat(store.batches()).as("nothing was other than it should").isEqualTo(batches);
    assertThat(asked).isEmpty();
  }

  @Test
  void whatTheKernelRefusedIsTriedAgainSoonerThanThePeriod() {
    heard(listed());
    store.refuses(2); // the batch, and the comparison that follows
    heard(ANNA);
    assertThat(store.in(IN)).isEmpty();
    assertThat(deeds.looksAt()).isEqualTo(now.plus(Deeds.PATIENCE));

    after(Deeds.PATIENCE);
    assertThat(store.in(IN)).hasSize(1);
    assertThat(deeds.looksAt()).isEqualTo(now.plus(Deeds.PERIOD));
  }

  @Test
  void missingRulesArePutBackAfterSomePatienceAndOnceInAPeriod() {
    heard(listed(), ANNA);
    store.flush();
    after(Duration.ZERO, new News.KernelChanged());
    assertThat(asked).as("they may come by themselves").isEmpty();
    assertThat(deeds.looksAt()).isEqualTo(now.plus(Deeds.PATIENCE));
    after(Deeds.PATIENCE);
    assertThat(asked).containsExactly("repair 1");
    after(Deeds.PERIOD.minusMillis(1));
    assertThat(asked).as("it is being done").containsExactly("repair 1");
    after(Duration.ofMillis(1));
    assertThat(asked).containsExactly("repair 1", "repair 1");

    store.load(Told.GROUPS);
    after(Duration.ZERO, new News.KernelChanged());
    assertThat(store.in(IN)).hasSize(1);
    after(Deeds.PERIOD);
    after(Deeds.PERIOD);
    assertThat(asked).hasSize(2);
  }

  @Test
  void whatWasMissedIsListedAnew() {
    heard(listed());
    after(Duration.ZERO, new News.Missed());

    assertThat(asked).containsExactly("list");
  }

  @Test
  void beforeAnybodyToldWhoIsThereNothingIsWritten() {
    store.flush();
    after(Duration.ZERO, new News.KernelChanged());
    after(Deeds.PERIOD);
    after(Deeds.PERIOD);

    assertThat(store.batches()).isZero();
    assertThat(asked).isEmpty();
  }

  @Test
  void clearingLeavesNothing() {
    heard(listed(), ANNA);
    deeds.clear();

    assertThat(store.in(IN)).isEmpty();
  }
}
