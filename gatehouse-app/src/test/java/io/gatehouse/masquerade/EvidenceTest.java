package io.gatehouse.masquerade;

import static io.gatehouse.masquerade.Gateway.A;
import static io.gatehouse.masquerade.Gateway.B;
import static io.gatehouse.masquerade.Gateway.C;
import static io.gatehouse.masquerade.Gateway.FORWARD;
import static io.gatehouse.masquerade.Gateway.REMOTE;
import static io.gatehouse.masquerade.Gateway.answered;
import static io.gatehouse.masquerade.Gateway.cookie;
import static io.gatehouse.masquerade.Gateway.drop;
import static io.gatehouse.masquerade.Gateway.to;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an inbound SPI's host is told by. */
class EvidenceTest {
  private static final Settings NO_HOLD =
      new Settings(
          Method.EVIDENCE,
          Duration.ofMinutes(65),
          true,
          Duration.ZERO,
          List.of(),
          Settings.Limits.standard());

  private final Gateway g = new Gateway(NO_HOLD);

  private static Verdict copies(Address... hosts) {
    return new Verdict.Copies(List.of(hosts));
  }

  private void expectBound(int spi, Address host, Evidence evidence) {
    assertThat(g.engine.status().bindings())
        .extracting(Binding::spi, Binding::host, Binding::evidence)
        .contains(tuple(spi, host, evidence));
  }

  @Test
  void theServerSpeaksFirst() {
    g.logon(A);

    assertThat(g.begins(0x11)).isEqualTo(to(A));
    expectBound(0x11, A, Evidence.EXCHANGE);
    assertThat(g.engine.changes())
        .contains(new Change.Bind(REMOTE, 0x11, A), new Change.BindCookie(REMOTE, cookie(A), A));
  }

  @Test
  void onePacketMayBeForgedAndBindsNothing() {
    g.logon(A);
    g.espIn(0x666, 1);
    g.logon(B);
    assertThat(g.espIn(0x667, 1)).isEqualTo(copies(B, A));

    g.espOut(A, 0xa, 1);
    assertThat(g.engine.status().bindings()).isEmpty();
    assertThat(g.engine.register(A, REMOTE, 0x11, 0)).isEmpty();
    assertThat(g.begins(0x22)).as("B's exchange was not used up").isEqualTo(to(B));
  }

  @Test
  void theDeletionOfTheOldIkeSaTellsThatANewOneWasMade() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    g.ask(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.answer(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.ask(B, Ike.INFORMATIONAL, 3, Ike.DELETE_PAYLOAD, Wire.SHORT);
    g.rekey(A, 2);

    assertThat(g.begins(0x111)).isEqualTo(to(A));
    assertThat(g.ikeIn(Wire.v2(0xb2, 0xb3, Ike.INFORMATIONAL, 0, false, 0, Wire.SHORT)))
        .as("whose cookies are new is known, too")
        .isEqualTo(to(B));
  }

  @Test
  void anAnswerUnderNewCookiesSaysAsMuchAsItsRequest() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    g.ikeOut(B, Wire.v2(0xb2, 0xb3, Ike.CREATE_CHILD_SA, 0, true, Ike.SA_PAYLOAD, Wire.LONG));

    assertThat(g.begins(0x23)).isEqualTo(to(B));
  }

  @Test
  void asManySpisAsExchangesLeaveNoneForOthers() {
    g.logon(A);
    g.logon(B);
    g.begins(0x11);
    g.begins(0x22);
    g.logon(C);

    assertThat(g.begins(0x33)).isEqualTo(to(C));
    expectBound(0x33, C, Evidence.ELIMINATION);
    assertThat(g.espIn(0x11, 3)).as("these two stay open").isEqualTo(copies(B, A));
  }

  @Test
  void anotherHostsSessionDoesNotConfuse() {
    g.logon(B);
    g.begins(0x22);
    g.logon(A);

    assertThat(g.begins(0x11)).isEqualTo(to(A));
    assertThat(g.espIn(0x22, 2)).isEqualTo(to(B));
  }

  @Test
  void ofSeveralOnlyThoseWithAnExchangeGetCopies() {
    g.logon(C);
    g.begins(0x33);
    g.logon(A);
    g.logon(B);

    assertThat(g.begins(0x11)).isEqualTo(copies(B, A));
    assertThat(g.engine.status().undecided())
        .singleElement()
        .satisfies(u -> assertThat(u.hosts()).containsExactly(B, A));
  }

  @Test
  void whoseOldSpiIsStillUsedDoesNotOwnTheNewOne() {
    for (Address host : List.of(A, B)) {
      g.logon(host);
      g.begins((int) host.low());
    }
    g.now = 3_600_000;
    g.rekey(A, 2);
    g.rekey(B, 2);
    assertThat(g.begins(0x11)).isEqualTo(copies(B, A));

    g.engine.used(REMOTE, (int) B.low(), g.now + 2000);
    g.now += 2100;

    assertThat(g.espIn(0x11, 2)).isEqualTo(to(A));
    expectBound(0x11, A, Evidence.ELIMINATION);
    assertThat(g.begins(0x22)).as("B's exchange is left").isEqualTo(to(B));
  }

  @Test
  void aStragglerUnderTheOldSpiRulesNobodyOut() {
    for (Address host : List.of(A, B)) {
      g.logon(host);
      g.begins((int) host.low());
    }
    g.now = 3_600_000;
    g.rekey(A, 2);
    g.rekey(B, 2);
    g.begins(0x11);

    g.engine.used(REMOTE, (int) B.low(), g.now + 500);
    g.now += 600;

    assertThat(g.espIn(0x11, 2)).isEqualTo(copies(B, A));
  }

  @Test
  void whenOneOfTwoIsBoundTheOtherIsToo() {
    g.logon(A);
    g.logon(B);
    g.begins(0x11);
    g.begins(0x22);

    assertThat(g.engine.register(A, REMOTE, 0x11, g.now)).isEmpty();

    expectBound(0x11, A, Evidence.REGISTERED);
    expectBound(0x22, B, Evidence.ELIMINATION);
  }

  @Test
  void packetsThatAnswerEachOtherDecide() {
    g.logon(A);
    g.logon(B);
    // A pings once a second; B sends whenever it likes.
    for (int i = 1; i < 60; i++) {
      g.now = 10_000 + i * 1000L;
      g.espOut(A, 0xa, i);
      g.now += 40;
      if (!g.espIn(0x11, i).equals(copies(B, A))) {
        break;
      }
      g.now += 100 + (i * 379) % 700;
      g.espOut(B, 0xb, i);
    }

    expectBound(0x11, A, Evidence.ANSWERS);
  }

  @Test
  void coincidenceDoesNotDecide() {
    g.logon(A);
    g.logon(B);
    // Neither has to do with the traffic: both send at all times.
    for (int i = 1; i < 400; i++) {
      g.now = 10_000 + i * 100L;
      g.espOut(A, 0xa, i);
      g.espOut(B, 0xb, i);
      g.now += 50;
      assertThat(g.espIn(0x11, i)).isEqualTo(copies(B, A));
    }
  }

  @Test
  void theFirstPacketMayOvertakeTheAnswer() {
    g.saInit(A);
    g.ask(A, Ike.AUTH, 1, 35, Wire.LONG);

    assertThat(g.begins(0x11)).isEqualTo(to(A));
    assertThat(g.engine.status().bindings()).as("not before the answer").isEmpty();

    g.answer(A, Ike.AUTH, 1, Ike.IDR_PAYLOAD, Wire.LONG);
    expectBound(0x11, A, Evidence.EXCHANGE);
  }

  @Test
  void aLostAnswerOfOneKeepsTheOtherFromBeingTakenForIt() {
    g.logon(A);
    g.saInit(B);
    g.ask(B, Ike.AUTH, 1, 35, Wire.LONG); // the answer is lost, B's SA stands at the remote

    assertThat(g.begins(0x22)).isEqualTo(copies(B, A));
  }

  @Test
  void anExchangeThatOnlyNotifiesBringsNothing() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    g.rekey(A, 2);
    g.ask(B, Ike.CREATE_CHILD_SA, 2, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    g.answer(B, Ike.CREATE_CHILD_SA, 2, Ike.NOTIFY_PAYLOAD, Wire.SHORT);

    assertThat(g.begins(0x111)).isEqualTo(to(A));
  }

  @Test
  void theRoundsOfEapBringNothingUntilTheLast() {
    g.logon(A);
    g.saInit(B);
    g.ask(B, Ike.AUTH, 1, 35, Wire.LONG);
    g.answer(B, Ike.AUTH, 1, Ike.IDR_PAYLOAD, 1200);
    g.ask(B, Ike.AUTH, 2, Ike.EAP_PAYLOAD, Wire.SHORT);
    g.answer(B, Ike.AUTH, 2, Ike.EAP_PAYLOAD, Wire.LONG);

    assertThat(g.begins(0x11)).isEqualTo(to(A));

    g.ask(B, Ike.AUTH, 3, Ike.AUTH_PAYLOAD, Wire.SHORT);
    g.answer(B, Ike.AUTH, 3, Ike.AUTH_PAYLOAD, Wire.LONG);
    assertThat(g.begins(0x22)).isEqualTo(to(B));
  }

  @Test
  void aNewIkeSaIsNotANewSpi() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    g.ask(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.answer(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.ikeOut(B, Wire.v2(0xb2, 0xb3, Ike.INFORMATIONAL, 0, false, Ike.DELETE_PAYLOAD, Wire.SHORT));
    g.rekey(A, 2);

    assertThat(g.begins(0x111)).isEqualTo(to(A));
  }

  @Test
  void theAnswerToANewSessionIsNoNewIkeSaOfAnOldOne() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    g.ask(A, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.answer(A, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.ikeIn(Wire.v2(0xe1, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG));
    g.ikeOut(A, Wire.v2(0xe1, 0xe2, Ike.SA_INIT, 0, true, 0, Wire.LONG));

    assertThat(g.begins(0x12)).as("A's further pair of SAs").isEqualTo(to(A));
  }

  @Test
  void aRemoteAsksForNewSas() {
    g.logon(A);
    g.begins(0x11);
    long c = cookie(A);
    g.ikeIn(Wire.v2(c, answered(A), Ike.CREATE_CHILD_SA, 0, false, Ike.NOTIFY_PAYLOAD, Wire.LONG));
    g.begins(0x99);
    assertThat(g.engine.status().bindings()).as("before the host's answer").hasSize(1);

    g.ikeOut(A, Wire.v2(c, answered(A), Ike.CREATE_CHILD_SA, 0, true, Ike.SA_PAYLOAD, Wire.LONG));

    assertThat(g.begins(0x12)).isEqualTo(to(A));
    expectBound(0x12, A, Evidence.EXCHANGE);
  }

  @Test
  void quickModeAskedForByTheHost() {
    mainMode(A);
    g.ikeOut(A, Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.LONG));
    g.ikeIn(Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.LONG));
    g.ikeOut(A, Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.LONG));
    assertThat(g.begins(0x11)).isEqualTo(to(A));
    assertThat(g.engine.status().bindings()).as("the first message again").isEmpty();

    g.ikeOut(A, Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.SHORT));

    assertThat(g.begins(0x12)).isEqualTo(to(A));
    expectBound(0x12, A, Evidence.EXCHANGE);
  }

  @Test
  void quickModeAskedForByTheRemote() {
    mainMode(A);
    g.ikeIn(Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.LONG));
    g.ikeOut(A, Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.LONG));
    assertThat(g.begins(0x11)).as("before the third message").isEqualTo(to(A));

    g.ikeIn(Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 77, Wire.SHORT));

    expectBound(0x11, A, Evidence.EXCHANGE);
  }

  private void mainMode(Address host) {
    g.ikeOut(host, Wire.v1(cookie(host), 0, Ike.MAIN_MODE, 0, Wire.LONG));
    g.ikeIn(Wire.v1(cookie(host), answered(host), Ike.MAIN_MODE, 0, Wire.LONG));
  }

  @Test
  void aLostEntryGoesToTheOneHostThatHasNone() {
    g.logon(A);
    g.begins(0x11);
    g.saInit(B);

    assertThat(g.espIn(0x22, 100_000)).isEqualTo(to(B));
    assertThat(g.engine.status().bindings()).as("one packet may be forged").hasSize(1);
    g.now += 300;
    g.espIn(0x22, 100_001);
    g.now += 300;
    g.espIn(0x22, 100_002);

    expectBound(0x22, B, Evidence.SESSION);
  }

  /** The SPI that replaced A's was not decided when the engine before this one ended. */
  @Test
  void anSpiThatWasTakenOverAndIsNotUsedDoesNotSpeakForAnotherHost() {
    g.engine.recall(REMOTE, 0x11, A, g.now);
    g.engine.recallCookie(REMOTE, cookie(A), A, g.now);
    g.engine.recallCookie(REMOTE, cookie(B), B, g.now);
    g.now += 1000;
    for (int sequence = 20; sequence < 25; sequence++) {
      assertThat(g.espIn(0x12, sequence))
          .isInstanceOfSatisfying(
              Verdict.Copies.class,
              copies -> assertThat(copies.hosts()).containsExactlyInAnyOrder(A, B));
      g.now += 300;
    }
    assertThat(g.engine.status().bindings()).hasSize(1);

    g.engine.used(REMOTE, 0x11, g.now);
    for (int sequence = 20; sequence < 23; sequence++) {
      g.espIn(0x22, sequence);
      g.now += 300;
    }
    expectBound(0x22, B, Evidence.SESSION);
  }

  @Test
  void aBindingThatProvesWrongIsTakenBack() {
    for (Address host : List.of(A, B)) {
      g.logon(host);
      g.begins((int) host.low());
    }
    g.now = 3_600_000;
    g.rekey(A, 2);
    assertThat(g.begins(0x99)).as("forged, or of a session that was never seen").isEqualTo(to(A));
    g.now += 500;
    g.espIn(0x99, 2);

    g.engine.used(REMOTE, (int) A.low(), g.now + 3000);
    g.now += 3000;

    assertThat(g.engine.status().revised()).isEqualTo(1);
    assertThat(g.engine.changes()).contains(new Change.Unbind(REMOTE, 0x99));
    assertThat(g.begins(0x11)).as("A's exchange counts again").isEqualTo(to(A));
  }

  @Test
  void aUsedUpExchangeStillMakesItsHostPlausible() {
    for (Address host : List.of(A, B)) {
      g.logon(host);
      g.begins((int) host.low());
    }
    g.now = 3_600_000;
    g.rekey(A, 2);
    g.begins(0x99); // forged: takes A's exchange

    assertThat(g.begins(0x11)).as("A's own").isEqualTo(to(A));
  }

  @Test
  void noHostNoDelivery() {
    assertThat(g.begins(0x11)).isEqualTo(drop(Reason.NO_HOST));
    assertThat(g.engine.status().undecided()).isEmpty();
  }

  @Test
  void negotiationsFollowOneAnother() {
    Gateway held = new Gateway(Settings.standard());
    held.now = 1000;
    held.saInit(A);
    held.saInit(B);
    held.ask(A, Ike.AUTH, 1, 35, Wire.LONG);
    held.now += 50;
    held.answer(A, Ike.AUTH, 1, Ike.IDR_PAYLOAD, Wire.LONG);

    assertThat(held.ask(B, Ike.AUTH, 1, 35, Wire.LONG)).isEqualTo(new Verdict.Hold(1400));

    held.now += 10;
    assertThat(held.begins(0x11)).isEqualTo(to(A));
    assertThat(held.ask(B, Ike.AUTH, 1, 35, Wire.LONG)).as("A's SPI has come").isEqualTo(FORWARD);
  }

  @Test
  void aMessageThatGoesOnThoughItWasToWaitMakesItsHostPlausible() {
    Gateway held = bothHaveTheirSas();
    held.ask(A, Ike.CREATE_CHILD_SA, 2, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    Ike asks =
        Wire.v2(
            cookie(B), answered(B), Ike.CREATE_CHILD_SA, 2, false, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    assertThat(held.ikeOut(B, asks)).isInstanceOf(Verdict.Hold.class);
    assertThat(held.espIn(0x22, 1)).as("while it waits").isEqualTo(to(A));

    held.engine.goesOn(Wire.ike(B, REMOTE, asks), held.now);

    assertThat(held.espIn(0x23, 1)).isEqualTo(copies(B, A));
    assertThat(held.ikeOut(B, asks)).as("it has had its turn").isEqualTo(FORWARD);
  }

  private Gateway bothHaveTheirSas() {
    Gateway both = new Gateway(Settings.standard());
    for (Address host : List.of(A, B)) {
      both.now += 1000;
      both.logon(host);
      both.begins((int) host.low());
    }
    both.now += 1000;
    return both;
  }

  /** Whoever answers sends under the new SA at once, which the remote has not before. */
  @Test
  void whatTheRemoteAskedForIsNeverKeptFromIt() {
    Gateway asked = bothHaveTheirSas();
    asked.ikeIn(childSa(A, false));
    asked.ikeIn(childSa(B, false));
    assertThat(asked.ikeOut(A, childSa(A, true))).isEqualTo(FORWARD);
    assertThat(asked.ikeOut(B, childSa(B, true))).isEqualTo(FORWARD);
    assertThat(asked.espIn(0x22, 1)).isEqualTo(copies(B, A));

    Gateway quick = bothInMainMode();
    quick.ask(A, Ike.CREATE_CHILD_SA, 2, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    Ike message = Wire.v1(cookie(B), answered(B), Ike.QUICK_MODE, 77, Wire.LONG);
    quick.ikeIn(message);
    assertThat(quick.ikeOut(B, message)).isEqualTo(FORWARD);
    quick.ikeIn(Wire.v1(cookie(B), answered(B), Ike.QUICK_MODE, 77, Wire.SHORT));
    assertThat(quick.espIn(0x22, 1)).isEqualTo(copies(B, A));
  }

  private static Gateway bothInMainMode() {
    Gateway both = new Gateway(Settings.standard());
    both.now = 1000;
    for (Address host : List.of(A, B)) {
      both.ikeOut(host, Wire.v1(cookie(host), 0, Ike.MAIN_MODE, 0, Wire.LONG));
      both.ikeIn(Wire.v1(cookie(host), answered(host), Ike.MAIN_MODE, 0, Wire.LONG));
    }
    return both;
  }

  @Test
  void quickModesThirdMessageWaitsToo() {
    Gateway held = bothInMainMode();
    held.ask(A, Ike.CREATE_CHILD_SA, 2, Ike.NOTIFY_PAYLOAD, Wire.LONG);
    Ike message = Wire.v1(cookie(B), answered(B), Ike.QUICK_MODE, 77, Wire.LONG);
    Ike third = Wire.v1(cookie(B), answered(B), Ike.QUICK_MODE, 77, Wire.SHORT);
    held.ikeOut(B, message);
    held.ikeIn(message);
    assertThat(held.ikeOut(B, third)).isInstanceOf(Verdict.Hold.class);

    held.engine.goesOn(Wire.ike(B, REMOTE, third), held.now);

    assertThat(held.espIn(0x22, 1)).isEqualTo(copies(B, A));
  }

  /** A remote asks a host for new SAs, and the host answers. */
  private static Ike childSa(Address host, boolean answers) {
    int inner = answers ? Ike.SA_PAYLOAD : Ike.NOTIFY_PAYLOAD;
    return Wire.v2(cookie(host), answered(host), Ike.CREATE_CHILD_SA, 0, answers, inner, Wire.LONG);
  }

  @Test
  void nobodyIsHeldForever() {
    Gateway held = new Gateway(Settings.standard());
    held.now = 1000;
    held.saInit(C);
    held.saInit(B);
    for (int i = 0; i < 5; i++) {
      // A makes one SA after the other, and no traffic comes.
      held.logon(A);
      held.now += 100;
      held.rekey(A, 2 + i);
    }
    assertThat(held.ask(B, Ike.AUTH, 1, 35, Wire.LONG)).isInstanceOf(Verdict.Hold.class);
    long began = held.now;
    while (!held.ask(B, Ike.AUTH, 1, 35, Wire.LONG).equals(FORWARD)) {
      held.now += 20;
      held.rekey(A, (int) held.now);
      assertThat(held.now - began).isLessThanOrEqualTo(440);
    }
  }

  @Test
  void anExchangeExplainsNothingThatBeganBeforeIt() {
    g.saInit(A);
    g.ask(A, Ike.AUTH, 1, 35, Wire.LONG); // its answer goes another way
    g.begins(0x11);
    g.now = 70_000;
    g.engine.tick(g.now);
    g.rekey(A, 2);
    g.espIn(0x11, 3);
    assertThat(g.engine.status().bindings()).isEmpty();

    g.logon(B);
    assertThat(g.begins(0x112)).as("A's, of its rekey").isEqualTo(copies(B, A));
  }

  @Test
  void whatIsLookedAtAnewBeganWhenItBegan() {
    g.logon(A);
    g.logon(B);
    g.espIn(0x11, 1);
    g.espIn(0x22, 1);
    assertThat(g.engine.register(A, REMOTE, 0xa1, 0)).isEmpty();
    assertThat(g.engine.register(B, REMOTE, 0xb1, 0)).isEmpty();
    g.now = 1000;
    g.logon(C);

    g.espIn(0x11, 2);
    g.espIn(0x11, 3);
    assertThat(g.engine.status().bindings())
        .as("C's exchange is younger")
        .noneMatch(binding -> binding.spi() == 0x11);
    assertThat(g.begins(0x33)).isEqualTo(to(C));
  }

  @Test
  void quickModesThirdMessageMayBeLost() {
    Ike offer = Wire.v1(cookie(A), answered(A), Ike.QUICK_MODE, 7, Wire.LONG);
    g.ikeOut(A, Wire.v1(cookie(A), 0, Ike.MAIN_MODE, 0, Wire.LONG));
    g.ikeIn(offer);
    g.ikeOut(A, offer);
    assertThat(g.begins(0x11)).isEqualTo(to(A));
    assertThat(g.engine.status().bindings()).isEmpty();

    g.now = 600;
    assertThat(g.espIn(0x11, 3)).isEqualTo(to(A));
    expectBound(0x11, A, Evidence.EXCHANGE);
  }
}
