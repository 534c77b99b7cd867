package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.gone;
import static io.gatehouse.daemon.Told.ikeDown;
import static io.gatehouse.daemon.Told.ikeUp;
import static io.gatehouse.daemon.Told.legacy;
import static io.gatehouse.daemon.Told.listed;
import static io.gatehouse.daemon.Told.marked;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;

class TunnelsTest {
  private static final String FINANCE = "anna@fin.example.org";

  private static Tunnels heard(Model model, CharonNews... news) {
    Tunnels tunnels = new Tunnels(model);
    for (CharonNews each : news) {
      tunnels.hear(each);
    }
    return tunnels;
  }

  /** `map address -> chain`, or `mark -> zone`. */
  private static Map<String, String> wanted(Tunnels tunnels) {
    Map<String, String> text = new TreeMap<>();
    tunnels
        .wanted()
        .forEach((slot, data) -> {
          switch (data) {
            case Data.Verdict verdict ->
                text.put(
                    slot.map().name() + " " + Address.fromBytes(slot.key().array()),
                    verdict.chain().orElseThrow());
            case Data.Value value ->
                text.put("mark " + slot.key().u32(0), "zone " + value.bytes().u16(0));
          }
        });
    return text;
  }

  private static final Map<String, String> FINANCE_AT_9 =
      Map.of(
          "in_staff.groups4 10.0.3.9", "in_staff.finance",
          "from_staff.groups4 10.0.3.9", "from_staff.finance");

  @Test
  void whoIsKnownGetsTheChainsOfHisGroup() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9");

    assertThat(wanted(heard(Told.GROUPS, listed(), ikeUp(anna), Told.up(anna, child(7)))))
        .isEqualTo(FINANCE_AT_9);
    assertThat(wanted(heard(Told.GROUPS, listed(), Told.up(anna, child(7)), ikeUp(anna))))
        .isEqualTo(FINANCE_AT_9);
    assertThat(wanted(heard(Told.GROUPS, listed(staff(1, FINANCE, "10.0.3.9", child(7))))))
        .isEqualTo(FINANCE_AT_9);
  }

  @Test
  void beforeHisTunnelStandsHeHasNothing() {
    assertThat(wanted(heard(Told.GROUPS, listed(), ikeUp(staff(1, FINANCE, "10.0.3.9")))))
        .isEmpty();
  }

  @Test
  void whoIsInNoGroupOrUnknownGetsTheLeast() {
    assertThat(wanted(heard(Told.GROUPS, listed(staff(1, "eve@elsewhere", "10.0.3.9", child(7))))))
        .isEmpty();
    // The whole identity counts, not its beginning.
    assertThat(
            wanted(heard(Told.GROUPS, listed(staff(1, FINANCE + ".evil", "10.0.3.9", child(7))))))
        .isEmpty();
    IkeSa byIke =
        new IkeSa(
            "staff",
            1,
            Optional.empty(),
            Optional.empty(),
            Optional.of(FINANCE),
            Optional.empty(),
            Optional.empty(),
            List.of(Address.of("10.0.3.9")),
            Optional.empty(),
            List.of(child(7)),
            OptionalLong.empty());
    assertThat(wanted(heard(Told.GROUPS, listed(byIke)))).isEmpty();
  }

  @Test
  void anIdentityLongerThanAnyHonestOneIsInNoGroup() {
    String tooLong = "a".repeat(10_000) + FINANCE;
    assertThat(wanted(heard(Told.GROUPS, listed(staff(1, tooLong, "10.0.3.9", child(7))))))
        .isEmpty();
  }

  @Test
  void anotherConnectionIsAnotherTunnel() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9", child(7));
    IkeSa elsewhere =
        new IkeSa(
            "other",
            1,
            Optional.empty(),
            Optional.empty(),
            anna.remoteId(),
            anna.eapId(),
            Optional.empty(),
            anna.virtual(),
            Optional.empty(),
            anna.children(),
            OptionalLong.empty());

    assertThat(wanted(heard(Told.GROUPS, listed(elsewhere)))).isEmpty();
  }

  @Test
  void theLastTunnelOfHisTakesHisGroupAway() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9");
    Tunnels tunnels =
        heard(Told.GROUPS, listed(), Told.up(anna, child(7)), Told.up(anna, child(8)));
    tunnels.hear(Told.down(anna, child(7)));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);

    tunnels.hear(Told.down(anna, child(8)));
    assertThat(wanted(tunnels)).isEmpty();
  }

  @Test
  void aRekeyChangesNothing() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9");
    Tunnels tunnels = heard(Told.GROUPS, listed(), ikeUp(anna), Told.up(anna, child(7)));
    tunnels.hear(new CharonNews.Happened(new TunnelEvent.ChildRekeyed(anna, child(7), child(9))));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);

    IkeSa renewed = staff(2, FINANCE, "10.0.3.9");
    tunnels.hear(new CharonNews.Happened(new TunnelEvent.IkeRekeyed(anna, renewed)));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);
    // What comes late of the old ones is about nobody.
    tunnels.hear(Told.down(anna, child(7)));
    tunnels.hear(ikeDown(anna));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);
    tunnels.hear(Told.down(renewed, child(9)));
    assertThat(wanted(tunnels)).isEmpty();
  }

  @Test
  void childrenThatWentOverWithoutAnEventStayWithTheNewOne() {
    IkeSa old = staff(1, FINANCE, "10.0.3.9", child(7));
    Tunnels tunnels = heard(Told.GROUPS, listed(old), ikeUp(staff(2, FINANCE, "10.0.3.9")));
    tunnels.hear(new CharonNews.Stands(staff(2, FINANCE, "10.0.3.9", child(7))));
    tunnels.hear(ikeDown(old));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);
    assertThat(tunnels.wantsList()).isFalse();
  }

  @Test
  void anIkeSaWhoseChildrenWentOverWantsNothingAnyMore() {
    Tunnels tunnels =
        heard(
            Told.GROUPS,
            listed(staff(1, FINANCE, "10.0.3.9", child(7))),
            new CharonNews.Stands(staff(2, "eve@elsewhere", "10.0.3.9", child(7))));

    assertThat(wanted(tunnels)).isEmpty();
  }

  @Test
  void childrenOfAnIkeSaThatWentAreAskedFor() {
    IkeSa old = staff(1, FINANCE, "10.0.3.9", child(7));
    Tunnels tunnels = heard(Told.GROUPS, listed(old), ikeDown(old));

    assertThat(wanted(tunnels)).isEmpty();
    assertThat(tunnels.wantsList()).isTrue();
  }

  @Test
  void twoWhoClaimOneAddressForDifferentGroupsGetTheLeast() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9", child(7));
    IkeSa root = staff(2, "root@here", "10.0.3.9", child(8));
    Tunnels tunnels = heard(Told.GROUPS, listed(anna, root));
    assertThat(wanted(tunnels)).isEmpty();

    tunnels.hear(Told.down(root, child(8)));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);
  }

  @Test
  void anAddressOutsideThePoolIsNeverWritten() {
    Tunnels tunnels = heard(Told.GROUPS, listed(staff(1, FINANCE, "10.0.1.20", child(7))));

    assertThat(wanted(tunnels)).isEmpty();
    assertThat(tunnels.refusals()).singleElement().asString().contains("10.0.1.20");
  }

  @Test
  void aLeaseFromOutsideThePoolIsTold() {
    assertThat(heard(Told.LEASED, listed(staff(1, "anna", "10.0.1.200", child(7)))).refusals())
        .isEmpty();
    Tunnels tunnels = heard(Told.LEASED, listed(staff(1, "anna", "10.0.1.77", child(7))));
    assertThat(tunnels.refusals()).singleElement().asString().contains("10.0.1.77 was leased");
    assertThat(tunnels.presences()).isEmpty();
  }

  @Test
  void whenNobodySaysWhoIsThereGroupsEndAndZonesStay() {
    Tunnels groups = heard(Told.GROUPS, listed(staff(1, FINANCE, "10.0.3.9", child(7))), gone());
    assertThat(wanted(groups)).isEmpty();
    groups.hear(listed(staff(1, FINANCE, "10.0.3.9", child(7))));
    assertThat(wanted(groups)).isEqualTo(FINANCE_AT_9);

    Tunnels zones = heard(Told.L2TP, listed(legacy(1, marked(1, 5))), gone());
    assertThat(wanted(zones)).containsOnlyKeys("mark 5");
  }

  @Test
  void eachMarkHasAZoneOfItsOwnThroughARekey() {
    IkeSa one = legacy(1);
    Tunnels tunnels =
        heard(
            Told.L2TP,
            listed(),
            Told.up(one, marked(1, 1)),
            Told.up(legacy(2), marked(2, 2)),
            new CharonNews.Happened(new TunnelEvent.ChildRekeyed(one, marked(1, 1), marked(3, 1))));

    assertThat(wanted(tunnels))
        .isEqualTo(Map.of("mark 1", "zone " + 0x1000, "mark 2", "zone " + 0x1001));
    tunnels.hear(Told.down(one, marked(3, 1)));
    assertThat(wanted(tunnels)).containsOnlyKeys("mark 2");
    // The freed zone is not the next one's: conntrack still knows who was in it.
    tunnels.hear(Told.up(legacy(4), marked(4, 9)));
    assertThat(wanted(tunnels)).containsEntry("mark 9", "zone " + 0x1002);
  }

  @Test
  void aMarkBeyondTheMaskIsRefused() {
    Tunnels tunnels = heard(Told.L2TP, listed(legacy(1, marked(1, 0x01000001))));

    assertThat(wanted(tunnels)).isEmpty();
    assertThat(tunnels.refusals()).hasSize(1);
  }

  @Test
  void beyondTheLastZoneClientsAreRefusedUntilOneIsFree() {
    Tunnels tunnels = new Tunnels(Told.L2TP);
    int room = Told.L2TP.gateway().numbers().transportZones().size();
    List<IkeSa> all = new ArrayList<>();
    for (int i = 1; i <= room + 1; i++) {
      all.add(legacy(i, marked(i, i)));
    }
    tunnels.hear(new CharonNews.Listed(all));
    assertThat(tunnels.wanted()).hasSize(room);
    assertThat(tunnels.refusals()).singleElement().asString().contains("no conntrack zone is left");

    tunnels.hear(Told.down(legacy(5), marked(5, 5)));
    tunnels.hear(Told.up(legacy(room + 1), marked(room + 1, room + 1)));
    assertThat(tunnels.wanted()).hasSize(room);
    assertThat(tunnels.refusals()).isEmpty();
  }

  @Test
  void anUpdownHooksTunnelEndsWithItsLastChild() {
    IkeSa anna = staff(1, FINANCE, "10.0.3.9");
    Tunnels tunnels =
        heard(Told.GROUPS, gone(), new CharonNews.Hooked(new TunnelEvent.ChildUp(anna, child(7))));
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);
    tunnels.hear(gone());
    assertThat(wanted(tunnels)).isEqualTo(FINANCE_AT_9);

    tunnels.hear(new CharonNews.Hooked(new TunnelEvent.ChildDown(anna, child(7))));
    assertThat(wanted(tunnels)).isEmpty();
    assertThat(tunnels.sessions()).isEmpty();
  }

  @Test
  void whateverCameBeforeAListTellsTheWholeTruth() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(11);
    for (int round = 0; round < 300; round++) {
      Tunnels tunnels = new Tunnels(Told.GROUPS);
      for (int i = 0; i < 30; i++) {
        tunnels.hear(anything(random));
      }
      List<IkeSa> all = new ArrayList<>();
      for (int i = 1; i <= 3; i++) {
        all.add(somebody(i, random, child(100 + i)));
      }
      CharonNews list = new CharonNews.Listed(all);
      tunnels.hear(list);
      assertThat(wanted(tunnels)).isEqualTo(wanted(heard(Told.GROUPS, list)));
      tunnels.hear(listed());
      assertThat(tunnels.wanted()).isEmpty();
      assertThat(tunnels.sessions()).isEmpty();
    }
  }

  private static IkeSa somebody(long id, RandomGenerator random, ChildSa... children) {
    String[] who = {FINANCE, "root@here", "eve"};
    return staff(id, who[random.nextInt(3)], "10.0.3." + random.nextInt(1, 4), children);
  }

  private static CharonNews anything(RandomGenerator random) {
    IkeSa ike = somebody(random.nextInt(1, 5), random);
    ChildSa child = child(random.nextInt(1, 6));
    return switch (random.nextInt(8)) {
      case 0 -> ikeUp(ike);
      case 1 -> ikeDown(ike);
      case 2, 3 -> Told.up(ike, child);
      case 4 -> Told.down(ike, child);
      case 5 ->
          new CharonNews.Happened(
              new TunnelEvent.ChildRekeyed(ike, child, child(random.nextInt(1, 6))));
      case 6 ->
          new CharonNews.Happened(
              new TunnelEvent.IkeRekeyed(ike, somebody(random.nextInt(1, 5), random)));
      default -> new CharonNews.Stands(ike.with(List.of(child)));
    };
  }

  @Test
  void sessionsSaySinceWhenTheyStandAndWhenKeysAreRenewed() {
    Tunnels tunnels = new Tunnels(Told.L2TP);
    Instant noon = Instant.parse("2026-11-21T12:00:00Z");
    IkeSa old = Told.legacy(1);
    IkeSa listed =
        new IkeSa(
            old.connection(),
            1,
            old.local(),
            old.remote(),
            old.remoteId(),
            old.eapId(),
            old.xauthId(),
            old.virtual(),
            Optional.of(Duration.ofMinutes(10)),
            List.of(renewedIn(5, Duration.ofMinutes(30)), renewedIn(6, Duration.ofMinutes(20))),
            OptionalLong.empty());
    tunnels.at(noon);
    tunnels.hear(listed(listed));
    tunnels.at(noon.plusSeconds(60));
    tunnels.hear(Told.up(Told.legacy(2), marked(7, 7)));

    assertThat(tunnels.sessions())
        .extracting(Tunnels.Session::since, Tunnels.Session::rekey, Tunnels.Session::zone)
        .containsExactly(
            tuple(noon.minusSeconds(600), Optional.of(noon.plusSeconds(1200)), Optional.of(0x1000)),
            tuple(noon.plusSeconds(60), Optional.empty(), Optional.of(0x1002)));
    tunnels.hear(Told.down(listed, renewedIn(6, Duration.ZERO)));
    assertThat(tunnels.sessions().getFirst().rekey()).contains(noon.plusSeconds(1800));
  }

  private static ChildSa renewedIn(long id, Duration time) {
    ChildSa.Mark mark = new ChildSa.Mark(id, 0xffffff);
    return new ChildSa(
        "staff",
        id,
        id,
        true,
        true,
        1,
        2,
        Optional.of(mark),
        Optional.of(mark),
        List.of(),
        List.of(),
        Optional.of(time),
        0,
        0);
  }

  @Test
  void aZoneIsGivenBackWhenTheLastIkeSaWithItsMarkHasGone() {
    Tunnels tunnels = new Tunnels(Told.L2TP);
    tunnels.hear(listed(Told.legacy(1, marked(1, 5))));
    tunnels.hear(Told.up(Told.legacy(2), marked(2, 5))); // a renewed IKE SA, the same mark
    tunnels.hear(Told.down(Told.legacy(1), marked(1, 5)));
    assertThat(tunnels.zones().given(5)).hasValue(0x1000);

    tunnels.hear(Told.down(Told.legacy(2), marked(2, 5)));
    assertThat(tunnels.zones().given(5)).isEmpty();
  }

  // ---- this host's own virtual IP ----

  /** `map device -> address`. */
  private static Map<String, String> appearing(Tunnels tunnels) {
    Map<String, String> text = new TreeMap<>();
    tunnels
        .wanted()
        .forEach((slot, data) -> {
          assertThat(slot.key().length()).as("IFNAMSIZ").isEqualTo(16);
          String device = new String(slot.key().array(), StandardCharsets.UTF_8);
          text.put(
              slot.map().name() + " " + device.substring(0, device.indexOf(0)),
              Address.fromBytes(((Data.Value) data).bytes().array()).toString());
        });
    return text;
  }

  @Test
  void theLanAppearsAsWhatTheTunnelBrought() {
    Tunnels tunnels = heard(Told.ROAMING, listed(), ikeUp(Told.hq(1)));
    assertThat(appearing(tunnels)).as("before it is known").isEmpty();

    ChildSa first = Told.given(7, "10.20.255.9/32", "2001:db8:20:ff::9/128");
    tunnels.hear(Told.up(Told.hq(1), first));
    assertThat(appearing(tunnels))
        .isEqualTo(
            Map.of("virtual_hq4 eth0", "10.20.255.9", "virtual_hq6 eth0", "2001:db8:20:ff::9"));

    tunnels.hear(Told.down(Told.hq(1), first));
    assertThat(appearing(tunnels)).isEmpty();
    tunnels.hear(Told.up(Told.hq(2), Told.given(8, "10.20.255.30/32")));
    assertThat(appearing(tunnels)).isEqualTo(Map.of("virtual_hq4 eth0", "10.20.255.30"));
    assertThat(tunnels.refusals()).isEmpty();

    // SAs stand in the kernel without charon, and so does the address.
    tunnels.hear(gone());
    assertThat(appearing(tunnels)).isEqualTo(Map.of("virtual_hq4 eth0", "10.20.255.30"));
    tunnels.hear(listed());
    assertThat(appearing(tunnels)).isEmpty();
  }

  @Test
  void nobodyAppearsAsWhatTheDescriptionDoesNotName() {
    Tunnels tunnels = heard(Told.ROAMING, listed(Told.hq(1, Told.given(7, "10.20.254.9/32"))));

    assertThat(appearing(tunnels)).isEmpty();
    assertThat(tunnels.refusals())
        .containsExactly(
            "10.20.254.9 was given to this host by hq, and lies outside of its `address`: nobody"
                + " appears under it");
  }

  @Test
  void aNetworkIsNoVirtualIp() {
    assertThat(appearing(heard(Told.ROAMING, listed(Told.hq(1, Told.given(7, "10.20.255.0/24"))))))
        .isEmpty();
  }

  @Test
  void nobodyAppearsWhileThereAreTwoVirtualIps() {
    Tunnels twice = new Tunnels(Told.ROAMING);
    twice.hear(
        listed(Told.hq(1, Told.given(7, "10.20.255.9/32"), Told.given(8, "10.20.255.10/32"))));
    assertThat(appearing(twice)).isEmpty();
    assertThat(twice.refusals()).singleElement().asString().contains("several virtual IPs");

    // A new IKE SA before the old one has gone, with another address.
    Tunnels renewed = new Tunnels(Told.ROAMING);
    renewed.hear(listed(Told.hq(1, Told.given(7, "10.20.255.9/32"))));
    renewed.hear(Told.up(Told.hq(2), Told.given(8, "10.20.255.10/32")));
    assertThat(appearing(renewed)).isEmpty();
    renewed.hear(ikeDown(Told.hq(1)));
    assertThat(appearing(renewed)).isEqualTo(Map.of("virtual_hq4 eth0", "10.20.255.10"));
  }

  @Test
  void anothersAddressIsNotOurs() {
    assertThat(appearing(heard(Told.ROAMING, listed(staff(1, FINANCE, "10.20.255.9", child(7))))))
        .isEmpty();
  }
}
