package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.ikeDown;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.SetId;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.IkeSa;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Instant;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A pool of 65,536 addresses, 50,000 clients at once, a thousand groups. All of it counted. */
@Timeout(60)
class ManyClientsTest {
  private static final SetId IN = SetId.inet("gatehouse", "in_staff.groups4");
  private static final SetId FROM = SetId.inet("gatehouse", "from_staff.groups4");
  private static final Model LARGE =
      Told.model(
          Descriptions.changedExample("groups.yaml", "pools: 10.0.3.0/24", "pools: 10.64.0.0/16"));
  private static final int MANY = 50_000;

  /** News that the conductor takes at once, beside the one that it waited for. */
  private static final int HANDFUL = 2_000;

  private final MapsInMemory store = new MapsInMemory(LARGE);

  private static IkeSa client(long number) {
    return staff(
        number,
        "user" + number + "@fin.example.org",
        Address.of("10.64.0.1").plus(number).toString(),
        child(number));
  }

  private static CharonNews up(long number) {
    IkeSa client = client(number);
    return Told.up(client.with(List.of()), client.children().getFirst());
  }

  private static IkeSa[] clients(int many) {
    return LongStream.range(0, many).mapToObj(ManyClientsTest::client).toArray(IkeSa[]::new);
  }

  /** What the maps and sets below an object of ours hold, each counted once. */
  private static long held(Object root) throws IllegalAccessException {
    return held(root, Collections.newSetFromMap(new IdentityHashMap<>()));
  }

  private static long held(Object at, Set<Object> seen) throws IllegalAccessException {
    if (!seen.add(at)) {
      return 0;
    }
    long all = 0;
    if (at instanceof Map<?, ?> map) {
      all += map.size();
      for (Object value : map.values()) {
        all += held(value, seen);
      }
    } else if (at instanceof Collection<?> some) {
      all += some.size();
    } else if (at.getClass().getPackage().equals(Keeper.class.getPackage())
        && !(at instanceof Store)
        && !(at instanceof Model)
        && !(at instanceof Derivation)) {
      for (Field field : at.getClass().getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers()) && !field.getType().isPrimitive()) {
          field.setAccessible(true);
          all += held(field.get(at), seen);
        }
      }
    }
    return all;
  }

  private static Keeper keeper(MapsInMemory store) {
    Keeper keeper = new Keeper(store, LARGE);
    keeper.hear(listed());
    keeper.settle();
    return keeper;
  }

  @Test
  void allAtOnceAreOneBatchAndGoneAgainAnother() throws Exception {
    Keeper keeper = keeper(store);
    long before = held(keeper);
    int batches = store.batches();
    for (long i = 0; i < MANY; i++) {
      keeper.hear(up(i));
    }
    keeper.settle();
    assertThat(store.batches()).isEqualTo(batches + 1);
    assertThat(store.changes()).isEqualTo(2 * MANY);
    assertThat(store.in(IN)).hasSize(MANY);
    assertThat(store.in(FROM)).hasSize(MANY);
    assertThat(keeper.tunnels().refusals()).isEmpty();
    assertThat(keeper.tunnels().sessions()).hasSize(MANY);

    for (long i = 0; i < MANY; i++) {
      keeper.hear(Told.down(client(i), child(i)));
      keeper.hear(ikeDown(client(i)));
    }
    keeper.settle();
    assertThat(store.batches()).isEqualTo(batches + 2);
    assertThat(store.changes()).isEqualTo(4 * MANY);
    assertThat(store.in(IN)).isEmpty();
    assertThat(store.in(FROM)).isEmpty();
    assertThat(held(keeper)).as("nothing is remembered of who has gone").isEqualTo(before);
  }

  @Test
  void whatIsHeldGrowsWithTheClientsAndNoFaster() throws Exception {
    Keeper few = keeper(new MapsInMemory(LARGE));
    Keeper many = keeper(new MapsInMemory(LARGE));
    long none = held(few);
    few.hear(listed(clients(500)));
    few.settle();
    many.hear(listed(clients(5_000)));
    many.settle();

    assertThat(held(many) - none).isEqualTo(10 * (held(few) - none));
    assertThat(held(few) - none).as("entries of a client").isLessThan(20 * 500);
  }

  @Test
  void aRestartWithEverybodyThereWritesNothing() {
    Keeper first = keeper(store);
    first.hear(listed(clients(5_000)));
    first.settle();
    int batches = store.batches();
    Keeper next = new Keeper(store, LARGE);
    next.hear(listed(clients(5_000)));
    next.settle();

    assertThat(store.batches()).isEqualTo(batches);
    assertThat(store.in(IN)).hasSize(5_000);
  }

  /** As many batches as handfuls of news, however many elements there are. */
  @Test
  void theConductorTakesThemInHandfuls() throws Exception {
    Conductor conductor = new Conductor(() -> store, new Alone(LARGE), () -> Instant.EPOCH);
    conductor.hear(listed());
    for (long i = 1; i < MANY; i++) {
      conductor.hear(up(i));
    }
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                conductor.run(() -> {});
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    Report report = null;
    while (report == null) {
      try {
        report = conductor.report().get(60, TimeUnit.SECONDS);
      } catch (ExecutionException stillFull) {
        Thread.onSpinWait();
      }
    }
    conductor.end(/* clears= */ true);
    thread.join();

    assertThat(report.elements()).isEqualTo(2 * (MANY - 1));
    assertThat(report.sessions()).hasSize(MANY - 1);
    assertThat(report.troubles()).isEmpty();
    assertThat(store.batches()).as("25 handfuls, the end, and the first's renewal").isEqualTo(27);
    assertThat(store.changes()).isEqualTo(4 * (MANY - 1) + 4 * HANDFUL);
    assertThat(store.in(IN)).isEmpty();
  }

  @Test
  void aThousandGroupsEachHaveTheirMembers() {
    StringBuilder groups = new StringBuilder();
    for (int i = 0; i < 1_000; i++) {
      groups.append(
          "      g%d: { match: { eap-id: \"*@g%d.example.org\" }, reach: office/tcp/%d }%n"
              .formatted(i, i, 1_000 + i));
    }
    Model model =
        Told.model(
            Descriptions.changedExample(
                "groups.yaml", "      finance:", groups + "      finance:"));
    MapsInMemory maps = new MapsInMemory(model);
    Keeper keeper = new Keeper(maps, model);
    IkeSa[] members =
        LongStream.range(0, 250)
            .mapToObj(
                i -> staff(i, "anna@g" + (4 * i) + ".example.org", "10.0.3." + (i + 1), child(i)))
            .toArray(IkeSa[]::new);
    keeper.hear(listed(members));
    keeper.settle();

    assertThat(maps.batches()).isEqualTo(1);
    assertThat(maps.in(IN)).hasSize(250);
    assertThat(Set.copyOf(maps.in(IN).values())).as("each in a chain of his own").hasSize(250);
    assertThat(keeper.tunnels().sessions())
        .allMatch(session -> session.group().filter(g -> g.startsWith("g")).isPresent());
  }
}
