package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.masquerade.Reason;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Wire;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.packet.Ah;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The example's masquerade, with two clients and the server that it names. */
class DeciderTest {
  private static final Address A = Address.of("10.0.1.11");
  private static final Address B = Address.of("10.0.1.12");
  private static final Address SERVER = Address.of("10.0.1.9");
  private static final Address STRANGER = Address.of("10.0.2.11");
  private static final Address REMOTE = Address.of("192.0.2.77");
  private static final Address CALLER = Address.of("198.51.100.77");
  private static final Address PUBLIC = Address.of("203.0.113.2");

  private final Plan plan = plan();
  private final Decider decider = new Decider(plan, 0);
  private final Map<String, Map<Bytes, SetElement>> maps = new HashMap<>();

  /** Elements for which a map has room, where that is not endless. */
  private final Map<String, Integer> room = new HashMap<>();

  private long id;
  private long now;

  private static Plan plan() {
    return plan(Descriptions.example("vpn-masquerade.yaml"));
  }

  private static Plan plan(Gateway gateway) {
    return Plan.of(gateway, LiveMaps.of(gateway, Compiler.compile(gateway).ruleset()))
        .orElseThrow();
  }

  private Step ask(Ip packet, boolean inbound) {
    return written(decider.asked(List.of(asked(packet, inbound)), now));
  }

  private Asked asked(Ip packet, boolean inbound) {
    return new Asked(
        new QueuedPacket(inbound ? 7171 : 7172, ++id, true, Bytes.NONE),
        inbound,
        packet,
        io.gatehouse.packet.Bytes.EMPTY);
  }

  /** Keeps the maps as the kernel would. */
  private Step written(Step step) {
    List<ElementChange> full = new ArrayList<>();
    for (ElementChange change : step.changes()) {
      Map<Bytes, SetElement> map = maps.computeIfAbsent(change.set().name(), n -> new HashMap<>());
      switch (change) {
        case ElementChange.Add add -> {
          int most = room.getOrDefault(change.set().name(), Integer.MAX_VALUE);
          if (map.size() < most || map.containsKey(add.element().key())) {
            map.put(add.element().key(), add.element());
          } else {
            full.add(add);
          }
        }
        case ElementChange.Remove remove ->
            assertThat(map.remove(remove.element().key())).isNotNull();
      }
    }
    decider.refused(full);
    return step;
  }

  private List<SetElement> map(String name) {
    return List.copyOf(maps.getOrDefault(name, Map.of()).values());
  }

  private static Ruling ruling(Step step) {
    assertThat(step.rulings()).hasSize(1);
    return step.rulings().getFirst().ruling();
  }

  private static List<Address> copies(Step step) {
    return step.copies().stream().map(Step.Copy::host).toList();
  }

  private Step ike(Address host, Ike message) {
    return ask(Wire.ike(host, REMOTE, message), false);
  }

  private Step answer(Ike message) {
    return ask(Wire.ike(REMOTE, PUBLIC, message), true);
  }

  private Step espIn(int spi, int sequence) {
    return ask(Wire.esp(REMOTE, PUBLIC, spi, sequence), true);
  }

  private static long cookie(Address host) {
    return 0xc0000000_00000000L | host.low();
  }

  /** IKE_SA_INIT and IKE_AUTH; the first packet of a host comes twice. */
  private void logon(Address host) {
    Ike init = Wire.v2(cookie(host), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    assertThat(ruling(ike(host, init))).isEqualTo(Ruling.REPEAT);
    assertThat(ruling(ike(host, init))).isEqualTo(Ruling.ACCEPT);
    long answered = host.low();
    assertThat(ruling(answer(Wire.v2(cookie(host), answered, Ike.SA_INIT, 0, true, 0, Wire.LONG))))
        .isEqualTo(Ruling.ACCEPT);
    ike(host, Wire.v2(cookie(host), answered, Ike.AUTH, 1, false, 35, Wire.LONG));
    answer(Wire.v2(cookie(host), answered, Ike.AUTH, 1, true, Ike.IDR_PAYLOAD, Wire.LONG));
    now += 1000;
  }

  private static int zone(List<SetElement> elements) {
    assertThat(elements).hasSize(1);
    return Elements.zone(elements.getFirst()).orElseThrow();
  }

  @Test
  void aHostGetsAZoneBeforeItsFirstPacketGoes() {
    Step step = ask(Wire.esp(A, REMOTE, 7, 1), false);

    assertThat(ruling(step)).isEqualTo(Ruling.REPEAT);
    assertThat(step.changes())
        .extracting(c -> c.set().name())
        .containsExactly("masq.zones", "masq.hosts");
    assertThat(zone(map("masq.zones"))).isEqualTo(0x8000);
    assertThat(ruling(ask(Wire.esp(A, REMOTE, 7, 1), false))).isEqualTo(Ruling.ACCEPT);
    ask(Wire.esp(B, REMOTE, 8, 1), false);
    assertThat(map("masq.zones"))
        .extracting(e -> Elements.zone(e).orElseThrow())
        .doesNotHaveDuplicates();
  }

  @Test
  void theFirstPacketIsCopiedAndTheSecondComesAgainThroughTheMap() {
    logon(A);

    Step first = espIn(0x1001, 1);
    assertThat(copies(first)).containsExactly(A);
    assertThat(ruling(first)).isEqualTo(Ruling.DROP);
    assertThat(map("masq.spis")).isEmpty();

    Step second = espIn(0x1001, 2);
    assertThat(copies(second)).isEmpty();
    assertThat(ruling(second)).isEqualTo(Ruling.REPEAT);
    assertThat(zone(map("masq.spis"))).isEqualTo(zone(map("masq.zones")));
    assertThat(map("masq.spis").getFirst().timeout()).contains(Duration.ofMinutes(65));
  }

  @Test
  void whatComesAgainThoughItIsBoundIsWrittenAgain() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    maps.get("masq.spis").clear();

    Step step = espIn(0x1001, 3);

    assertThat(ruling(step)).isEqualTo(Ruling.REPEAT);
    assertThat(map("masq.spis")).hasSize(1);
  }

  @Test
  void severalPlausibleHostsGetCopiesAndNobodyElse() {
    logon(A);
    logon(B);

    Step step = espIn(0x1001, 1);

    assertThat(copies(step)).containsExactlyInAnyOrder(A, B);
    assertThat(ruling(step)).isEqualTo(Ruling.DROP);
    assertThat(map("masq.spis")).isEmpty();
  }

  @Test
  void whatNobodyInsideBeganIsForThisHostsOwnRules() {
    Step esp = espIn(0x1001, 1);
    assertThat(ruling(esp)).isEqualTo(Ruling.ACCEPT);
    assertThat(esp.copies()).isEmpty();
    assertThat(esp.changes()).isEmpty();
    assertThat(ruling(answer(Wire.v2(9, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG))))
        .isEqualTo(Ruling.ACCEPT);
  }

  @Test
  void hostsOfOtherNetworksGetNoZone() {
    Step step = ask(Wire.esp(STRANGER, REMOTE, 7, 1), false);

    assertThat(ruling(step)).isEqualTo(Ruling.DROP);
    assertThat(step.changes()).isEmpty();
  }

  @Test
  void aCallerReachesTheServerOfTheDescription() {
    Step step =
        ask(Wire.ike(CALLER, PUBLIC, Wire.v2(5, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG)), true);
    assertThat(copies(step)).containsExactly(SERVER);
    assertThat(ruling(step)).isEqualTo(Ruling.DROP);

    Ip answer = Wire.ike(SERVER, CALLER, Wire.v2(5, 6, Ike.SA_INIT, 0, true, 0, Wire.LONG));
    ask(answer, false);
    assertThat(ruling(ask(answer, false))).isEqualTo(Ruling.ACCEPT);
    assertThat(zone(map("masq.cookies"))).isEqualTo(zone(map("masq.zones")));
  }

  @Test
  void aSuccessorKnowsWhatStands() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    Decider successor = new Decider(plan, 1);

    successor.recall(standing(), 0);

    assertThat(successor.status().bindings())
        .singleElement()
        .satisfies(binding -> {
          assertThat(binding.host()).isEqualTo(A);
          assertThat(binding.spi()).isEqualTo(0x1001);
        });
    assertThat(successor.sessions()).isEqualTo(1);
    assertThat(successor.everything(standing()).changes()).as("it stands").isEmpty();
    assertThat(successor.everything(NOTHING).changes())
        .extracting(c -> c.set().name())
        .containsExactlyInAnyOrder(
            "masq.zones", "masq.hosts", "masq.spis", "masq.direct", "masq.cookies");
    assertThat(successor.seen(map("masq.zones"), map("masq.spis"), 0)).isTrue();
    assertThat(successor.seen(List.of(), map("masq.spis"), 0)).isFalse();
  }

  @Test
  void aListingIsNotHeldAgainstWhatChangedWhileItWasMade() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    decider.note();
    List<SetElement> zones = map("masq.zones");
    List<SetElement> spis = map("masq.spis");
    ask(Wire.esp(B, REMOTE, 8, 1), false);
    written(decider.release(A, REMOTE, NONE, now));
    assertThat(map("masq.zones")).hasSize(2);
    assertThat(map("masq.spis")).isEmpty();

    assertThat(decider.seen(zones, spis, now)).isTrue();
    decider.note();
    assertThat(decider.seen(map("masq.zones"), map("masq.spis"), now)).isTrue();
    assertThat(decider.seen(zones, map("masq.spis"), now)).as("a zone is missing").isFalse();
    assertThat(decider.seen(map("masq.zones"), spis, now)).as("an SPI too many").isFalse();
  }

  @Test
  void zonesThatAreNotOursAreNotRecalled() {
    List<SetElement> zones =
        List.of(oneWay(A, 0x1000), oneWay(STRANGER, 0x8000), oneWay(B, 0x8001));
    List<SetElement> hosts = List.of(back(0x1000, A), back(0x8000, STRANGER), back(0x8001, A));
    Standing listed =
        new Standing(zones, hosts, List.of(), List.of(), List.of(), List.of(), List.of(), NO_CALLS);

    decider.recall(listed, 0);

    assertThat(decider.hosts()).isZero();
    assertThat(decider.everything(listed).changes())
        .as("nor left: whoever gets that zone next would get their packets")
        .hasSize(6)
        .allMatch(change -> change instanceof ElementChange.Remove);
  }

  private static final ControlConnections.Listed NO_CALLS =
      new ControlConnections.Listed(List.of(), List.of(), List.of());

  private static final Standing NOTHING =
      new Standing(
          List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), NO_CALLS);

  private Standing standing() {
    return new Standing(
        map("masq.zones"),
        map("masq.hosts"),
        map("masq.spis"),
        map("masq.cookies"),
        map("masq.direct"),
        map("masq.watched"),
        map("masq.own_spis"),
        NO_CALLS);
  }

  @Test
  void whatIsWatchedForNobodyAnyMoreIsLetGo() {
    logon(A);
    logon(B);
    espIn(0x1001, 1); // either's
    assertThat(map("masq.watched")).hasSize(2);
    assertThat(decider.everything(standing()).changes()).as("it stands").isEmpty();
    List<SetElement> left = map("masq.watched");
    Decider successor = new Decider(plan, 1);
    successor.recall(standing(), 0);

    written(successor.everything(standing()));

    assertThat(left).as("the predecessor's").isNotEmpty();
    assertThat(map("masq.watched")).as("else they would visit the daemon for good").isEmpty();
    assertThat(decider.everything(standing()).changes())
        .as("the other way round: what has gone comes again")
        .hasSize(2)
        .allMatch(change -> change instanceof ElementChange.Add);
  }

  @Test
  void ofThisHostsOwnSpisThoseOfBeforeAreLetGo() {
    Elements.Spi old = new Elements.Spi(REMOTE, 0x3003);
    Elements.Spi still = new Elements.Spi(REMOTE, 0x3004);
    Elements.Spi since = new Elements.Spi(REMOTE, 0x3005);
    written(new Decider(withTunnel(), 0).own(Set.of(old, still)));
    Decider successor = new Decider(withTunnel(), 1);
    successor.recall(standing(), 0);
    successor.own(Set.of(still, since)); // as it begins: what stands is compared afterwards

    written(successor.everything(standing()));

    assertThat(map("masq.own_spis"))
        .extracting(element -> Elements.spi(element).orElseThrow())
        .containsExactlyInAnyOrder(still, since);
    assertThat(successor.everything(standing()).changes()).as("it stands").isEmpty();
  }

  // ---- maps that are full

  @Test
  void whatTheMapOfCookiesHasNoRoomForIsCopiedToItsHostAndNotTakenForThisHosts() {
    logon(A);
    room.put("masq.cookies", 1);
    Ike init = Wire.v2(cookie(B), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    ike(B, init);
    ike(B, init);
    assertThat(decider.unplaced()).isEqualTo(1);
    assertThat(decider.withoutRoom()).isEqualTo(1);

    Ike answered = Wire.v2(cookie(B), 9, Ike.SA_INIT, 0, true, 0, Wire.LONG);
    Step step = answer(answered);

    assertThat(copies(step)).containsExactly(B);
    assertThat(ruling(step)).isEqualTo(Ruling.DROP);
    assertThat(decider.seen(map("masq.zones"), map("masq.spis"), now))
        .as("nothing to restore: it would not help")
        .isTrue();
    written(decider.tick(now));
    assertThat(decider.withoutRoom()).as("it is tried again").isEqualTo(2);
    written(decider.release(A, REMOTE, NONE, now));
    written(decider.tick(now));
    assertThat(decider.unplaced()).isZero();
    assertThat(map("masq.cookies")).hasSize(1);
    step = answer(Wire.v2(cookie(B), 9, Ike.AUTH, 1, true, Ike.IDR_PAYLOAD, Wire.LONG));
    assertThat(step.copies()).isEmpty();
    assertThat(ruling(step)).isEqualTo(Ruling.ACCEPT);
  }

  @Test
  void whatTheMapOfSpisHasNoRoomForIsCopiedToItsHost() {
    logon(A);
    room.put("masq.spis", 0);
    espIn(0x1001, 1);
    espIn(0x1001, 2);

    Step step = espIn(0x1001, 3);

    assertThat(copies(step)).containsExactly(A);
    assertThat(ruling(step)).as("it would come again for ever").isEqualTo(Ruling.DROP);
    room.clear();
    written(decider.tick(now));
    assertThat(ruling(espIn(0x1001, 4))).isEqualTo(Ruling.REPEAT);
  }

  @Test
  void ofManyThatHaveNoRoomAFewAreTriedInATurn() {
    logon(A);
    room.put("masq.spis", 0);
    for (int spi = 1; spi <= 100; spi++) {
      written(decider.register(A, REMOTE, spi, now, why -> assertThat(why).isNull()));
    }
    assertThat(decider.unplaced()).isEqualTo(100);
    assertThat(decider.tick(now).changes()).hasSize(16);
  }

  @Test
  void theEngineRefusesWhatTheMapsHaveNoRoomForAndSaysSo() {
    var settings = plan.settings();
    Decider small =
        new Decider(
            new Plan(
                plan.maps(),
                new Settings(
                    settings.method(),
                    settings.lifetime(),
                    settings.parallel(),
                    settings.hold(),
                    settings.servers(),
                    settings.limits().withFlows(2)),
                plan.zones(),
                plan.queue()),
            0);
    List<Ruling> rulings = new ArrayList<>();
    for (int spi : new int[] {1, 1, 2, 3}) {
      rulings.add(ruling(small.asked(List.of(asked(Wire.esp(A, REMOTE, spi, 1), false)), now)));
    }

    assertThat(rulings).containsExactly(Ruling.REPEAT, Ruling.ACCEPT, Ruling.ACCEPT, Ruling.DROP);
    assertThat(small.status().refused()).containsEntry(Reason.FULL, 1L);
    assertThat(plan.settings().limits().flows()).isEqualTo(plan.maps().room());
  }

  @Test
  void whoeverForgesAllAddressesOfItsLanLeavesTheOthersTheirRoom() {
    int ofHost = plan.settings().limits().spis();
    for (int host = 0; host < 256; host++) {
      Address address = Address.v4((int) Address.of("10.0.1.0").low() + host);
      for (int spi = 1; spi <= ofHost + 1 && !address.equals(B); spi++) {
        decider.asked(List.of(asked(Wire.esp(address, REMOTE, spi, 1), false)), now);
      }
    }
    assertThat(decider.status().refused()).containsOnlyKeys(Reason.HOST_LIMIT);

    for (int spi = 1; spi <= ofHost; spi++) {
      decider.asked(List.of(asked(Wire.esp(B, REMOTE, spi, 1), false)), now);
    }

    assertThat(decider.status().refused())
        .as("each of the others has had one refused, B none")
        .containsExactly(Map.entry(Reason.HOST_LIMIT, 255L));
  }

  @Test
  void ahIsRefusedAndSaidToBe() {
    Ip from = Wire.ip(A, REMOTE, Ip.AH, new Ah(Ip.ESP, 24, 1, 1));
    Ip to = Wire.ip(REMOTE, PUBLIC, Ip.AH, new Ah(Ip.ESP, 24, 1, 1));

    assertThat(ruling(ask(from, false))).isEqualTo(Ruling.DROP);
    assertThat(ruling(ask(to, true))).isEqualTo(Ruling.DROP);

    assertThat(decider.status().refused()).containsEntry(Reason.AUTHENTICATION_HEADER, 2L);
    assertThat(decider.hosts()).as("no zone for it").isZero();
  }

  private static SetElement oneWay(Address host, int zone) {
    return SetElement.of(Bytes.of(host.bytes()), new Data.Value(Bytes.int16(zone)));
  }

  private static SetElement back(int zone, Address host) {
    return SetElement.of(Bytes.int16(zone), new Data.Value(Bytes.of(host.bytes())));
  }

  @Test
  void whatGoesPastConntrackLeadsToTheSameHost() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    SetElement direct = map("masq.direct").getFirst();
    assertThat(direct.key()).isEqualTo(map("masq.spis").getFirst().key());
    assertThat(direct.data()).contains(new Data.Value(Bytes.of(A.bytes())));
    Map<Bytes, SetElement> elements = maps.get("masq.direct");
    elements.put(direct.key(), SetElement.of(direct.key(), new Data.Value(Bytes.of(B.bytes()))));
    written(decider.everything(standing()));
    assertThat(map("masq.direct")).containsExactly(direct);
    elements.clear();
    written(decider.everything(standing()));
    assertThat(map("masq.direct")).containsExactly(direct);
    written(decider.release(A, REMOTE, NONE, now));
    assertThat(map("masq.direct")).isEmpty();
    assertThat(map("masq.spis")).isEmpty();
  }

  @Test
  void anSpiIsUsedWhicheverWayItsPacketsGo() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    now += 60_000;
    List<SetElement> both =
        List.of(
            idle(map("masq.spis").getFirst(), Duration.ofMinutes(1)),
            idle(map("masq.direct").getFirst(), Duration.ofSeconds(1)));
    assertThat(decider.seen(map("masq.zones"), both, now)).isTrue();
    assertThat(decider.status().bindings().getFirst().seen()).isCloseTo(now - 1000, within(256L));
  }

  /** As the kernel lists what traffic refreshed so long ago. */
  private SetElement idle(SetElement element, Duration since) {
    return new SetElement(
        element.key(),
        element.keyEnd(),
        element.data(),
        element.flags(),
        Optional.of(plan.lifetime()),
        Optional.of(plan.lifetime().minus(since)));
  }

  @Test
  void anSpiThatLeadsToTheZoneOfAnotherHostGoes() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    ask(Wire.esp(B, REMOTE, 9, 1), false);
    Map<Bytes, SetElement> spis = maps.get("masq.spis");
    Bytes key = map("masq.spis").getFirst().key();
    spis.put(key, SetElement.of(key, new Data.Value(Bytes.int16(0x8001)))); // B's

    written(decider.everything(standing()));

    assertThat(Elements.zone(spis.get(key))).hasValue(0x8000);
  }

  @Test
  void aPacketThatIsRefusedTakesNoZone() {
    Step step = ask(Wire.esp(A, REMOTE, 0, 1), false); // no SPI is 0 (RFC 4303, 2.1)

    assertThat(ruling(step)).isEqualTo(Ruling.DROP);
    assertThat(step.changes()).isEmpty();
    assertThat(decider.hosts()).isZero();
  }

  private static final int ZONES = 0xefff - 0x8000 + 1;

  private static Address forged(int number) {
    return Address.v4((int) Address.of("10.0.0.0").low() + number);
  }

  /** The example with a LAN that has more addresses than there are zones. */
  private static Plan wide() {
    return plan(Descriptions.changedExample("vpn-masquerade.yaml", "10.0.1.0/24", "10.0.0.0/16"));
  }

  @Test
  void whoeverForgesAllAddressesOfTheLanLeavesAZoneForAnHonestHost() {
    Decider small = new Decider(wide(), 0);
    for (int i = 0; i < 30_000; i++) {
      now++;
      Address remote = i % 2 == 0 ? REMOTE : CALLER; // each has a limit of its own
      Ip packet = Wire.esp(forged(0x4000 + i), remote, 7, 1);
      written(small.asked(List.of(asked(packet, false)), now));
    }
    assertThat(small.hosts()).isEqualTo(ZONES);

    Step step = small.asked(List.of(asked(Wire.esp(A, REMOTE, 8, 1), false)), now);
    written(step);

    assertThat(ruling(step)).isEqualTo(Ruling.REPEAT);
    assertThat(small.withoutZone()).isZero();
    assertThat(map("masq.zones")).as("as many hosts as zones").hasSize(ZONES);
    assertThat(map("masq.hosts")).hasSize(ZONES);
    assertThat(small.everything(standing()).changes()).as("all pairs are whole").isEmpty();
  }

  @Test
  void aZoneIsGivenBackWhenItsHostHasHeldNothingLongEnough() {
    logon(A);
    ask(Wire.esp(B, REMOTE, 8, 1), false);
    assertThat(map("masq.zones")).hasSize(2);
    long lifetime = plan.lifetime().toMillis();
    now += lifetime / 2;
    ike(A, Wire.v2(cookie(A), A.low(), Ike.INFORMATIONAL, 2, false, 0, Wire.SHORT));
    now += lifetime / 2 + 1;
    written(decider.tick(now));

    assertThat(decider.someAreIdle(now)).isTrue();
    written(decider.giveBack(List.of(), now));

    assertThat(map("masq.zones")).as("A has a session").containsExactly(oneWay(A, 0x8000));
    assertThat(map("masq.hosts")).containsExactly(back(0x8000, A));
    assertThat(decider.someAreIdle(now)).isFalse();
  }

  @Test
  void aHostOfWhichTheKernelAloneSeesTrafficKeepsItsZone() {
    ask(Wire.esp(B, REMOTE, 8, 1), false);
    now += plan.lifetime().toMillis() + 1;
    Bytes sent =
        Bytes.of(ByteBuffer.allocate(12).put(B.bytes()).put(REMOTE.bytes()).putInt(8).array());

    written(decider.giveBack(List.of(SetElement.of(sent)), now));

    assertThat(map("masq.zones")).hasSize(1);
    assertThat(decider.someAreIdle(now)).isFalse();
  }

  /** The same with a tunnel of this host's own on the same interface. */
  private static Plan withTunnel() {
    return plan(
        Descriptions.changedExample(
            "vpn-masquerade.yaml",
            "masquerade:",
            "tunnels:\n  staff: { type: remote-access, pools: 10.0.3.0/24, reach: office }\n\nmasquerade:"));
  }

  @Test
  void whatThisHostReceivesItselfIsNobodysInside() {
    Decider both = new Decider(withTunnel(), 0);
    Step told = both.own(Set.of(new Elements.Spi(REMOTE, 0x3003)));
    assertThat(told.changes()).extracting(c -> c.set().name()).containsExactly("masq.own_spis");

    Asked esp =
        new Asked(
            new QueuedPacket(7171, 1, true, Bytes.NONE),
            true,
            Wire.esp(REMOTE, PUBLIC, 0x3003, 1),
            io.gatehouse.packet.Bytes.EMPTY);
    Step step = both.asked(List.of(esp), 0);

    assertThat(ruling(step)).isEqualTo(Ruling.ACCEPT);
    assertThat(step.copies()).isEmpty();
    assertThat(both.own(Set.of()).changes())
        .hasSize(1)
        .allMatch(c -> c instanceof ElementChange.Remove);
  }

  @Test
  void whoBeginsASessionBeginsItWithThisHostOrWithTheServerForIt() {
    Decider both = new Decider(withTunnel(), 0);
    Ike first = Wire.v2(5, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    Asked ours =
        new Asked(
            new QueuedPacket(7171, 1, true, Bytes.NONE),
            true,
            Wire.ike(REMOTE, PUBLIC, first),
            io.gatehouse.packet.Bytes.EMPTY);
    Asked servers =
        new Asked(
            new QueuedPacket(7171, 2, true, Bytes.NONE),
            true,
            Wire.ike(CALLER, PUBLIC, first),
            io.gatehouse.packet.Bytes.EMPTY);

    Step one = both.asked(List.of(ours), 0);
    assertThat(ruling(one)).isEqualTo(Ruling.ACCEPT);
    assertThat(one.copies()).isEmpty();
    Step other = both.asked(List.of(servers), 0);
    assertThat(copies(other)).containsExactly(SERVER);
    assertThat(ruling(other)).isEqualTo(Ruling.DROP);
  }

  /**
   * The kernel knows this host's own cookies by its own_cookies; those of before a restart, or of a
   * silence, are in no set, and come here.
   */
  @Test
  void ownIkeThatIsNoLongerInTheSetIsAcceptedAndCopiedToNobodyWhoCannotOwnIt() {
    Decider both = new Decider(withTunnel(), 0);
    Ip own =
        Wire.ike(REMOTE, PUBLIC, Wire.v2(0x88, 0x89, Ike.INFORMATIONAL, 5, false, 0, Wire.SHORT));
    Ike first = Wire.v2(cookie(B), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    both.asked(List.of(asked(Wire.ike(B, CALLER, first), false)), 0); // of another remote

    Step alone = both.asked(List.of(asked(own, true)), 0);
    assertThat(ruling(alone)).isEqualTo(Ruling.ACCEPT);
    assertThat(alone.copies()).isEmpty();

    Ike ofA = Wire.v2(cookie(A), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    both.asked(List.of(asked(Wire.ike(A, REMOTE, ofA), false)), 0);
    Step among = both.asked(List.of(asked(own, true)), 0);
    assertThat(ruling(among)).as("also where A may have new cookies").isEqualTo(Ruling.ACCEPT);
    assertThat(copies(among)).containsExactly(A);

    both.ownIke(Set.of(new SlowPath.OwnIke(CALLER, 0x88), new SlowPath.OwnIke(REMOTE, 0x89)));
    assertThat(copies(both.asked(List.of(asked(own, true)), 0)))
        .as("another remote's, and another cookie")
        .containsExactly(A);
    both.ownIke(Set.of(new SlowPath.OwnIke(REMOTE, 0x88)));
    Step told = both.asked(List.of(asked(own, true)), 0);
    assertThat(ruling(told)).isEqualTo(Ruling.ACCEPT);
    assertThat(told.copies()).as("charon has told whose it is").isEmpty();
  }

  @Test
  void releaseFreesWhatAHostHolds() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);

    written(decider.release(A, REMOTE, NONE, now));

    assertThat(map("masq.spis")).isEmpty();
    assertThat(map("masq.cookies")).isEmpty();
  }

  private static final Decider.Learned NONE = new Decider.Learned(List.of(), List.of());

  private static SetElement learned(Address host, Address remote, int... words) {
    ByteBuffer key = ByteBuffer.allocate(8 + 4 * words.length);
    key.put(host.bytes()).put(remote.bytes());
    for (int word : words) {
      key.putInt(word);
    }
    return SetElement.of(Bytes.of(key.array()));
  }

  private void learn(String set, SetElement... elements) {
    for (SetElement element : elements) {
      maps.computeIfAbsent(set, n -> new HashMap<>()).put(element.key(), element);
    }
  }

  @Test
  void whatAReleasedHostSendsIsAskedAboutAgain() {
    learn("masq.sent", learned(A, REMOTE, 7), learned(B, REMOTE, 7), learned(A, CALLER, 7));
    learn("masq.known", learned(A, REMOTE, 0, 7), learned(B, REMOTE, 0, 7));

    written(
        decider.release(A, REMOTE, new Decider.Learned(map("masq.sent"), map("masq.known")), now));

    assertThat(map("masq.sent"))
        .containsExactlyInAnyOrder(learned(B, REMOTE, 7), learned(A, CALLER, 7));
    assertThat(map("masq.known")).containsExactly(learned(B, REMOTE, 0, 7));
  }

  /** The example's LAN with more addresses; one host alone may have a session with a remote. */
  private static Plan exclusive() {
    String text =
        Descriptions.text("vpn-masquerade.yaml")
            .replace("10.0.1.0/24", "10.0.0.0/16")
            .replace("ipsec: {", "ipsec: { parallel-sessions: false,");
    return plan(Descriptions.gateway("vpn-masquerade.yaml", text));
  }

  private Step esp(Decider of, Address host) {
    return of.asked(List.of(asked(Wire.esp(host, REMOTE, 7, 1), false)), now);
  }

  @Test
  void aHostThatGetsNoSessionBecauseAnotherHasOneIsNamedOnce() {
    Decider alone = new Decider(exclusive(), 0);
    assertThat(esp(alone, A).words()).isEmpty();

    assertThat(esp(alone, B).words())
        .singleElement()
        .satisfies(line ->
            assertThat(line)
                .contains("10.0.1.12", "192.0.2.77", "masquerade release 10.0.1.11 192.0.2.77"));
    assertThat(esp(alone, B).words()).isEmpty();
    alone.release(A, REMOTE, NONE, now);
    esp(alone, A);
    assertThat(esp(alone, B).words()).as("once more after a release").hasSize(1);
    List<Reason> why = new ArrayList<>();
    assertThat(alone.register(forged(1), REMOTE, 0x11, now, why::add).words()).hasSize(1);
    assertThat(why).containsExactly(Reason.PARALLEL);
  }

  @Test
  void forgedAddressesFillNoLog() {
    Decider alone = new Decider(exclusive(), 0);
    esp(alone, A);
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 2 * Decider.NAMED; i++) {
      words.addAll(esp(alone, forged(0x4000 + i)).words());
    }
    assertThat(words).hasSize(Decider.NAMED + 1);
    assertThat(words.getLast()).startsWith("more hosts");

    now += 60 * 60_000;
    alone.tick(now);
    esp(alone, A);
    assertThat(esp(alone, B).words()).hasSize(1);
  }

  @Test
  void ofHostsThatStoodAlreadyTheOneThatWasSeenLastIsTheFirst() {
    logon(A);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    logon(B);
    espIn(0x2001, 1);
    espIn(0x2001, 2);
    List<SetElement> spis = new ArrayList<>();
    for (SetElement spi : map("masq.spis")) {
      boolean ofA = Elements.spi(spi).orElseThrow().spi() == 0x1001;
      spis.add(idle(spi, Duration.ofMinutes(ofA ? 30 : 1)));
    }
    Standing listed =
        new Standing(
            map("masq.zones"),
            map("masq.hosts"),
            spis,
            map("masq.cookies"),
            map("masq.direct"),
            map("masq.watched"),
            map("masq.own_spis"),
            NO_CALLS);
    Decider alone = new Decider(exclusive(), 0);

    alone.recall(listed, now);

    assertThat(alone.everything(listed).changes()).as("what stands stays").isEmpty();
    assertThat(ruling(esp(alone, A))).isEqualTo(Ruling.DROP);
    assertThat(ruling(esp(alone, B))).isEqualTo(Ruling.ACCEPT);
  }

  @Test
  void aHostRegistersWhatItReceives() {
    ask(Wire.esp(A, REMOTE, 7, 1), false);
    List<Reason> why = new ArrayList<>();

    written(decider.register(A, REMOTE, 0x2002, now, why::add));

    assertThat(why).isEmpty();
    assertThat(map("masq.spis")).hasSize(1);
    decider.register(STRANGER, REMOTE, 0x2003, now, why::add);
    assertThat(why).hasSize(1);
  }

  @Test
  void negotiationsOfTwoHostsTakeTurns() {
    logon(A);
    ask(Wire.esp(B, REMOTE, 9, 1), false);
    // A's rekey makes it plausible; B's logon comes within the time for which such messages wait.
    ike(
        A,
        Wire.v2(cookie(A), A.low(), Ike.CREATE_CHILD_SA, 2, false, Ike.NOTIFY_PAYLOAD, Wire.LONG));
    Ike init = Wire.v2(cookie(B), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    ike(B, init);
    answer(Wire.v2(cookie(B), B.low(), Ike.SA_INIT, 0, true, 0, Wire.LONG));
    Step held = ike(B, Wire.v2(cookie(B), B.low(), Ike.AUTH, 1, false, 35, Wire.LONG));

    assertThat(held.rulings()).isEmpty();
    assertThat(decider.waiting()).isEqualTo(1);
    Address late = Address.of("10.0.1.13");
    Step first = ike(late, Wire.v2(7, late.low(), Ike.AUTH, 1, false, 35, Wire.LONG));
    assertThat(ruling(first)).as("nothing waits outside its zone").isEqualTo(Ruling.REPEAT);
    assertThat(map("masq.zones")).contains(oneWay(late, 0x8002));
    assertThat(written(decider.wake(now)).rulings()).isEmpty();
    now = decider.due().orElseThrow();
    assertThat(ruling(written(decider.wake(now)))).isEqualTo(Ruling.ACCEPT);
    assertThat(decider.waiting()).isZero();
  }

  /** A's rekey has just begun: for a while what makes another host plausible waits. */
  private void rekeyBegins() {
    ike(
        A,
        Wire.v2(cookie(A), A.low(), Ike.CREATE_CHILD_SA, 2, false, Ike.NOTIFY_PAYLOAD, Wire.LONG));
  }

  private Step asks(Address host, int number) {
    return ike(
        host,
        Wire.v2(
            cookie(host),
            host.low(),
            Ike.CREATE_CHILD_SA,
            number,
            false,
            Ike.NOTIFY_PAYLOAD,
            Wire.LONG));
  }

  /** Held, where a host has a zone already. */
  private void isHeld(Step step) {
    assertThat(step.rulings()).isEmpty();
  }

  @Test
  void aMessageThatIsSentAgainWhileItWaitsTakesNoMoreRoom() {
    logon(A);
    logon(B);
    espIn(0x1001, 1);
    espIn(0x1001, 2);
    rekeyBegins();
    isHeld(asks(B, 2));

    for (int i = 0; i < 2 * Decider.ROOM; i++) {
      assertThat(ruling(asks(B, 2))).isEqualTo(Ruling.DROP);
    }

    assertThat(decider.waiting()).isEqualTo(1);
    now = decider.due().orElseThrow();
    assertThat(ruling(written(decider.wake(now)))).isEqualTo(Ruling.ACCEPT);
  }

  @Test
  void noHostTakesTheRoomToWaitFromTheOthers() {
    Address many = Address.of("10.0.1.13");
    logon(A);
    logon(B);
    logon(many);
    rekeyBegins();
    for (int number = 2; number < 2 + Decider.ROOM_OF_HOST; number++) {
      isHeld(asks(many, number));
    }
    assertThat(ruling(asks(many, 99))).as("it goes on at once").isEqualTo(Ruling.ACCEPT);

    isHeld(asks(B, 2));
    assertThat(decider.waiting()).isEqualTo(Decider.ROOM_OF_HOST + 1);
  }

  @Test
  void anAnswerForWhichThereIsNoRoomMakesItsHostPlausibleAllTheSame() {
    for (Address host : List.of(A, B)) {
      logon(host);
      espIn((int) host.low(), 1);
      espIn((int) host.low(), 2);
    }
    rekeyBegins();
    for (int i = 0; i < Decider.ROOM / Decider.ROOM_OF_HOST; i++) {
      Address other = Address.v4((int) Address.of("10.0.1.100").low() + i);
      assertThat(ruling(asks(other, 2))).as("its zone first").isEqualTo(Ruling.REPEAT);
      for (int number = 2; number < 2 + Decider.ROOM_OF_HOST; number++) {
        isHeld(asks(other, number));
      }
    }
    assertThat(decider.waiting()).isEqualTo(Decider.ROOM);
    // The remote asks B for new SAs; it has them with B's answer, and sends under B's new SPI.
    answer(Wire.v2(cookie(B), B.low(), Ike.CREATE_CHILD_SA, 0, false, 41, Wire.LONG));
    Step answered =
        ike(B, Wire.v2(cookie(B), B.low(), Ike.CREATE_CHILD_SA, 0, true, 33, Wire.LONG));
    assertThat(ruling(answered)).isEqualTo(Ruling.ACCEPT);

    assertThat(copies(espIn(0x2002, 1))).containsExactlyInAnyOrder(A, B);
  }
}
