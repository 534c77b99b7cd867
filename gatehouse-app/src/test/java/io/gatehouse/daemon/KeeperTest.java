package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.gone;
import static io.gatehouse.daemon.Told.legacy;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.marked;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.vici.IkeSa;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KeeperTest {
  private static final SetId IN = SetId.inet("gatehouse", "in_staff.groups4");
  private static final SetId FROM = SetId.inet("gatehouse", "from_staff.groups4");
  private static final SetId ZONES = SetId.inet("gatehouse", "l2tp.zones");
  private static final Bytes NINE = Bytes.of((byte) 10, (byte) 0, (byte) 3, (byte) 9);
  private static final IkeSa ANNA = staff(1, "anna@fin.example.org", "10.0.3.9");

  private final MapsInMemory store = new MapsInMemory(Told.GROUPS);

  private static Data to(String chain) {
    return new Data.Verdict(Data.Verdict.GOTO, Optional.of(chain));
  }

  private Keeper keeper() {
    Keeper keeper = new Keeper(store, Told.GROUPS);
    keeper.hear(listed());
    keeper.settle();
    return keeper;
  }

  private void annaStands() {
    assertThat(store.in(IN)).isEqualTo(Map.of(NINE, to("in_staff.finance")));
    assertThat(store.in(FROM)).isEqualTo(Map.of(NINE, to("from_staff.finance")));
  }

  @Test
  void anEventIsOneBatch() {
    Keeper keeper = keeper();
    int before = store.batches();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();

    annaStands();
    assertThat(store.batches()).isEqualTo(before + 1);
    keeper.hear(Told.down(ANNA, child(7)));
    keeper.settle();
    assertThat(store.in(IN)).isEmpty();
    assertThat(store.batches()).isEqualTo(before + 2);
  }

  @Test
  void newsThatChangeNothingWriteNothing() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    int before = store.batches();
    keeper.hear(Told.up(ANNA, child(8)));
    keeper.hear(Told.down(ANNA, child(7)));
    keeper.settle();

    assertThat(store.batches()).isEqualTo(before);
    annaStands();
  }

  @Test
  void whatAPredecessorLeftIsTakenOverWhereItIsRightAndRemovedWhereItIsNot() {
    store.put(IN, NINE, to("in_staff.admins"));
    store.put(FROM, NINE, to("from_staff.finance"));
    store.put(IN, Bytes.of((byte) 10, (byte) 0, (byte) 3, (byte) 66), to("in_staff.finance"));
    Keeper keeper = new Keeper(store, Told.GROUPS);
    keeper.hear(listed(staff(1, "anna@fin.example.org", "10.0.3.9", child(7))));
    keeper.settle();

    annaStands();
  }

  @Test
  void whatSomebodyElseChangedIsFoundAndMended() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    store.take(IN, NINE);
    store.put(FROM, NINE, to("from_staff.admins"));
    keeper.doubt();
    keeper.settle();

    annaStands();
    assertThat(keeper.corrections()).isEqualTo(3);
  }

  @Test
  void aBatchThatIsRefusedIsFollowedByAComparison() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    store.take(IN, NINE); // so that the removal is refused
    keeper.hear(Told.down(ANNA, child(7)));
    keeper.settle();

    assertThat(store.in(IN)).isEmpty();
    assertThat(store.in(FROM)).isEmpty();
  }

  @Test
  void whereTheComparisonFailsAsWellTheNextSettlingMakesItRight() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    keeper.hear(Told.down(ANNA, child(7)));
    store.refuses(2); // the change, and the listing of the comparison after it
    keeper.settle();
    annaStands();
    assertThat(keeper.failure()).isPresent();

    keeper.settle();

    assertThat(store.in(IN)).isEmpty();
    assertThat(store.in(FROM)).isEmpty();
    assertThat(keeper.failure()).isEmpty();
  }

  @Test
  void mapsThatAreMissingAreSaidAndFilledWhenTheyAreBack() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    store.flush();
    keeper.doubt();
    keeper.settle();
    assertThat(keeper.rulesAreMissing()).isTrue();

    store.load(Told.GROUPS);
    keeper.settle();
    assertThat(keeper.rulesAreMissing()).isFalse();
    annaStands();
  }

  @Test
  void withoutTheIkeDaemonNobodyIsInAGroup() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    keeper.hear(gone());
    keeper.settle();

    assertThat(store.in(IN)).isEmpty();
    assertThat(store.in(FROM)).isEmpty();
  }

  @Test
  void aZoneThatStoodBeforeWeCameStays() {
    MapsInMemory zones = new MapsInMemory(Told.L2TP);
    Data nine = new Data.Value(Bytes.int16(0x1009));
    zones.put(ZONES, Bytes.int32(5), nine);
    zones.put(ZONES, Bytes.int32(6), new Data.Value(Bytes.int16(0x1001)));
    zones.put(ZONES, Bytes.int32(7), new Data.Value(Bytes.int16(0x9000))); // none of ours
    Keeper keeper = new Keeper(zones, Told.L2TP);
    keeper.hear(listed(legacy(1, marked(1, 5)), legacy(2, marked(2, 7))));
    keeper.settle();

    assertThat(zones.in(ZONES))
        .isEqualTo(
            Map.of(Bytes.int32(5), nine, Bytes.int32(7), new Data.Value(Bytes.int16(0x1000))));
  }

  @Test
  void anotherDescriptionLeadsTheSameClientsElsewhere() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    keeper.follow(new Model(2, Told.L2TP.gateway(), Told.L2TP.maps()));
    store.load(Told.L2TP);
    keeper.settle();
    assertThat(keeper.standing()).isZero();

    keeper.follow(Told.GROUPS);
    keeper.settle();
    annaStands();
  }

  @Test
  void groupsEndByThemselvesAndAreRenewedWithoutAGap() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    assertThat(store.lasting(NINE)).contains(Keeper.LIFE);
    int before = store.batches();
    keeper.renew();

    assertThat(store.batches()).as("one batch").isEqualTo(before + 1);
    annaStands();
    // The kernel took one away: too late to renew it.
    store.take(IN, NINE);
    keeper.renew();
    annaStands();
  }

  @Test
  void zonesDoNotEndByThemselves() {
    MapsInMemory zones = new MapsInMemory(Told.L2TP);
    Keeper keeper = new Keeper(zones, Told.L2TP);
    keeper.hear(listed(legacy(1, marked(1, 5))));
    keeper.settle();
    int before = zones.batches();
    keeper.renew();

    assertThat(zones.in(ZONES)).hasSize(1);
    assertThat(zones.lasting(Bytes.int32(5))).isEmpty();
    assertThat(zones.batches()).isEqualTo(before);
  }

  @Test
  void clearingTakesEverythingAwayWhoeverPutItThere() {
    Keeper keeper = keeper();
    keeper.hear(Told.up(ANNA, child(7)));
    keeper.settle();
    store.put(IN, Bytes.of((byte) 10, (byte) 0, (byte) 3, (byte) 66), to("in_staff.finance"));
    keeper.clear();

    assertThat(store.in(IN)).isEmpty();
    assertThat(store.in(FROM)).isEmpty();
  }
}
