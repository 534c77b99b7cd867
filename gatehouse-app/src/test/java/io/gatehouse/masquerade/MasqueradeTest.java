package io.gatehouse.masquerade;

import static io.gatehouse.masquerade.Gateway.A;
import static io.gatehouse.masquerade.Gateway.B;
import static io.gatehouse.masquerade.Gateway.C;
import static io.gatehouse.masquerade.Gateway.FORWARD;
import static io.gatehouse.masquerade.Gateway.OTHER;
import static io.gatehouse.masquerade.Gateway.PUBLIC;
import static io.gatehouse.masquerade.Gateway.REMOTE;
import static io.gatehouse.masquerade.Gateway.answered;
import static io.gatehouse.masquerade.Gateway.cookie;
import static io.gatehouse.masquerade.Gateway.drop;
import static io.gatehouse.masquerade.Gateway.to;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Ah;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Gre;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Udp;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions, limits, lifetimes and what is refused. */
class MasqueradeTest {
  private static final Settings.Limits LIMITS = Settings.Limits.standard();

  private static Settings settings(
      boolean parallel, List<Settings.Server> servers, Settings.Limits limits) {
    return new Settings(
        Method.EVIDENCE, Duration.ofMinutes(10), parallel, Duration.ZERO, servers, limits);
  }

  private final Gateway g = new Gateway(settings(true, List.of(), LIMITS));

  @Test
  void everyHostKeepsPort500AndIsToldByItsCookie() {
    for (Address host : List.of(A, B, C)) {
      assertThat(g.ikeOut(host, Wire.v2(cookie(host), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG)))
          .isEqualTo(FORWARD);
    }
    for (Address host : List.of(B, C, A)) {
      assertThat(g.ikeIn(Wire.v2(cookie(host), answered(host), Ike.SA_INIT, 0, true, 0, Wire.LONG)))
          .isEqualTo(to(host));
    }
  }

  @Test
  void theSameCookieOfAnotherHostWaits() {
    g.ikeOut(A, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG));

    assertThat(g.ikeOut(B, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG)))
        .isEqualTo(drop(Reason.COOKIE_COLLISION));
    assertThat(g.ikeIn(Wire.v1(7, 8, Ike.MAIN_MODE, 0, Wire.LONG))).isEqualTo(to(A));
    assertThat(g.out(Wire.ike(B, OTHER, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG))))
        .as("with another remote it is no collision")
        .isEqualTo(FORWARD);
  }

  @Test
  void anUnansweredCookieIsFreeAgainAfterAMinute() {
    g.ikeOut(A, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG));
    g.now = 62_000;
    g.engine.tick(g.now);

    assertThat(g.ikeOut(B, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG))).isEqualTo(FORWARD);
    assertThat(g.engine.changes()).contains(new Change.UnbindCookie(REMOTE, 7));
  }

  /** A limit: the kernel's map has the initiator's cookie alone. */
  @Test
  void anAnsweredSessionKeepsItsCookieFromOthersAsLongAsItLasts() {
    g.ikeOut(A, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG));
    g.ikeIn(Wire.v1(7, 8, Ike.MAIN_MODE, 0, Wire.LONG));
    g.now = 62_000;
    g.engine.tick(g.now);

    assertThat(g.ikeOut(B, Wire.v1(7, 0, Ike.MAIN_MODE, 0, Wire.LONG)))
        .isEqualTo(drop(Reason.COOKIE_COLLISION));
    assertThat(g.ikeOut(B, Wire.v1(7, 9, Ike.MAIN_MODE, 0, Wire.LONG)))
        .as("whatever responder's cookie it has")
        .isEqualTo(drop(Reason.COOKIE_COLLISION));
    assertThat(g.ikeIn(Wire.v1(7, 8, Ike.MAIN_MODE, 0, Wire.LONG))).isEqualTo(to(A));
    g.now = 663_000;
    g.engine.tick(g.now);
    assertThat(g.ikeOut(B, Wire.v1(7, 9, Ike.MAIN_MODE, 0, Wire.LONG))).isEqualTo(FORWARD);
  }

  /** A limit: which of several that got copies says the truth, nobody can see. */
  @Test
  void whoSendsFirstUnderCookiesThatSeveralGotCopiesOfKeepsThem() {
    g.logon(A);
    g.logon(B);
    Ike unknown = Wire.v2(0xa2, 0xa3, Ike.INFORMATIONAL, 0, false, 0, Wire.SHORT);
    Ike answer = Wire.v2(0xa2, 0xa3, Ike.INFORMATIONAL, 0, true, 0, Wire.SHORT);
    assertThat(g.ikeIn(unknown)).isInstanceOf(Verdict.Copies.class);

    assertThat(g.ikeOut(B, answer)).as("whose they are not").isEqualTo(FORWARD);

    assertThat(g.ikeOut(A, answer)).isEqualTo(drop(Reason.COOKIE_COLLISION));
    assertThat(g.ikeIn(unknown)).isEqualTo(to(B));
    assertThat(g.ikeOut(A, Wire.v2(0xa4, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG)))
        .as("it begins a session anew")
        .isEqualTo(FORWARD);
    g.engine.release(B, REMOTE, g.now);
    assertThat(g.ikeOut(A, answer)).isEqualTo(FORWARD);
    assertThat(g.ikeIn(unknown)).isEqualTo(to(A));
  }

  @Test
  void unknownCookiesGoToWhoJustMadeANewIkeSa() {
    g.logon(A);
    g.logon(B);
    g.ask(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);
    g.answer(B, Ike.CREATE_CHILD_SA, 2, Ike.SA_PAYLOAD, Wire.LONG);

    assertThat(g.ikeIn(Wire.v2(0xb2, 0xb3, Ike.INFORMATIONAL, 0, false, 0, Wire.SHORT)))
        .isEqualTo(to(B));
  }

  @Test
  void unknownCookiesThatSeveralMayOwnAreCopiedUntilOneAnswers() {
    g.logon(A);
    g.logon(B);
    Ike unknown = Wire.v2(0xb2, 0xb3, Ike.INFORMATIONAL, 0, false, 0, Wire.SHORT);
    assertThat(g.ikeIn(unknown)).isInstanceOf(Verdict.Copies.class);

    g.ikeOut(B, Wire.v2(0xb2, 0xb3, Ike.INFORMATIONAL, 0, true, 0, Wire.SHORT));

    assertThat(g.ikeIn(unknown)).isEqualTo(to(B));
  }

  @Test
  void aRemoteThatBeginsAnewIsTriedOnOneHostAfterTheOther() {
    g.logon(A);
    g.logon(B);
    Ike first = Wire.v1(0xee, 0, Ike.MAIN_MODE, 0, Wire.LONG);

    Verdict one = g.ikeIn(first);
    Verdict two = g.ikeIn(first);

    assertThat(List.of(one, two)).containsExactlyInAnyOrder(to(A), to(B));
    g.ikeOut(A, Wire.v1(0xee, 0xef, Ike.MAIN_MODE, 0, Wire.LONG));
    assertThat(g.ikeIn(Wire.v1(0xee, 0xef, Ike.MAIN_MODE, 0, Wire.LONG))).isEqualTo(to(A));
  }

  @Test
  void aServerInsideByRemoteWhileClientsGoOn() {
    Gateway s =
        new Gateway(
            settings(
                true,
                List.of(
                    new Settings.Server(Prefix.of("0.0.0.0/0"), B),
                    new Settings.Server(Prefix.of("198.51.100.2/32"), C)),
                LIMITS));
    s.logon(A);
    s.begins(0x11);

    assertThat(s.ikeIn(Wire.v2(0xe1, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG))).isEqualTo(to(B));
    assertThat(s.in(Wire.ike(OTHER, PUBLIC, Wire.v2(0xe2, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG))))
        .isEqualTo(to(C));
    s.ikeOut(B, Wire.v2(0xe1, 0xf1, Ike.SA_INIT, 0, true, 0, Wire.LONG));
    s.ikeIn(Wire.v2(0xe1, 0xf1, Ike.AUTH, 1, false, 35, Wire.LONG));
    s.ikeOut(B, Wire.v2(0xe1, 0xf1, Ike.AUTH, 1, true, Ike.IDR_PAYLOAD, Wire.LONG));
    assertThat(s.begins(0x22)).isEqualTo(to(B));
    assertThat(s.espIn(0x11, 2)).isEqualTo(to(A));
  }

  @Test
  void whatIsNeverLetThrough() {
    assertThat(g.espOut(A, 0, 1)).isEqualTo(drop(Reason.ZERO_SPI));
    assertThat(g.espIn(0, 1)).isEqualTo(drop(Reason.ZERO_SPI));
    assertThat(g.out(Wire.ip(A, REMOTE, Ip.AH, new Ah(50, 24, 1, 1))))
        .isEqualTo(drop(Reason.AUTHENTICATION_HEADER));
    assertThat(g.in(Wire.ip(REMOTE, PUBLIC, Ip.ESP, new Malformed(24, "cut"))))
        .isEqualTo(drop(Reason.MALFORMED));
    assertThat(g.engine.status().refused())
        .containsEntry(Reason.ZERO_SPI, 2L)
        .containsEntry(Reason.AUTHENTICATION_HEADER, 1L)
        .containsEntry(Reason.MALFORMED, 1L);
    assertThat(g.engine.status().refusals())
        .contains(new Refusal(0, Reason.AUTHENTICATION_HEADER, A, REMOTE));
    assertThat(g.engine.size()).isZero();
  }

  @Test
  void whatIsConntracks() {
    Verdict notOurs = new Verdict.NotOurs();
    Esp encapsulated = new Esp(1, 1, 50);
    assertThat(
            g.out(Wire.ip(A, REMOTE, Ip.UDP, new Udp(4500, 4500, 58, Bytes.EMPTY, encapsulated))))
        .isEqualTo(notOurs);
    assertThat(
            g.out(Wire.ip(A, REMOTE, Ip.UDP, new Udp(40000, 53, 58, Bytes.EMPTY, new Udp.Plain()))))
        .isEqualTo(notOurs);
    assertThat(
            g.out(
                Wire.ip(
                    A,
                    REMOTE,
                    Ip.GRE,
                    new Gre(0x800, OptionalLong.empty(), OptionalLong.empty(), Bytes.EMPTY))))
        .isEqualTo(notOurs);
    Address six = Address.of("2001:db8::1");
    assertThat(g.out(Wire.ip(six, six, Ip.ESP, encapsulated))).isEqualTo(notOurs);
    assertThat(g.engine.size()).isZero();
  }

  @Test
  void parallelSessionsForbiddenAndADeadOneReleased() {
    Gateway alone = new Gateway(settings(false, List.of(), LIMITS));
    alone.logon(A);
    alone.begins(0x11);

    Ike hello = Wire.v2(cookie(B), 0, Ike.SA_INIT, 0, false, 0, Wire.LONG);
    assertThat(alone.ikeOut(B, hello)).isEqualTo(drop(Reason.PARALLEL));
    assertThat(alone.espOut(B, 5, 1)).isEqualTo(drop(Reason.PARALLEL));
    assertThat(alone.out(Wire.ike(B, OTHER, hello))).as("another remote").isEqualTo(FORWARD);
    assertThat(alone.engine.status().refusals())
        .contains(new Refusal(0, Reason.PARALLEL, B, REMOTE));

    alone.engine.changes();
    alone.engine.release(A, REMOTE, alone.now);

    assertThat(alone.engine.changes())
        .containsExactlyInAnyOrder(
            new Change.Unbind(REMOTE, 0x11), new Change.UnbindCookie(REMOTE, cookie(A)));
    assertThat(alone.ikeOut(B, hello)).isEqualTo(FORWARD);
  }

  @Test
  void whereSeveralHaveSessionsBeforeItWasForbiddenTheFirstGoesOn() {
    Gateway alone = new Gateway(settings(false, List.of(), LIMITS));
    alone.engine.recall(REMOTE, 0x11, A, 0);
    alone.engine.recall(REMOTE, 0x22, B, 0);
    alone.engine.recallCookie(REMOTE, cookie(C), C, 0);

    assertThat(alone.espIn(0x22, 2)).as("what stands goes on").isEqualTo(to(B));
    assertThat(alone.espOut(A, 5, 1)).isEqualTo(FORWARD);
    assertThat(alone.espOut(B, 6, 1)).isEqualTo(drop(Reason.PARALLEL));
    assertThat(alone.espOut(C, 7, 1)).isEqualTo(drop(Reason.PARALLEL));
    assertThat(alone.engine.first(REMOTE, 0)).contains(A);

    alone.engine.release(B, REMOTE, 0);
    assertThat(alone.espOut(C, 7, 1)).isEqualTo(drop(Reason.PARALLEL));
    alone.engine.release(A, REMOTE, 0);
    assertThat(alone.espOut(C, 7, 1)).as("who is left").isEqualTo(FORWARD);
    assertThat(alone.espOut(A, 5, 1)).isEqualTo(drop(Reason.PARALLEL));
  }

  @Test
  void aFirstThatIsSilentTooLongIsNoneAnyMore() {
    Gateway alone = new Gateway(settings(false, List.of(), LIMITS));
    alone.engine.recall(REMOTE, 0x11, A, 0);
    alone.engine.recall(REMOTE, 0x22, B, 0);
    alone.now = 500_000;
    alone.engine.used(REMOTE, 0x22, alone.now);
    alone.now = 700_000;
    alone.engine.tick(alone.now);

    assertThat(alone.espOut(B, 6, 1)).isEqualTo(FORWARD);
  }

  @Test
  void aSecondHostCannotRegisterItselfIntoASession() {
    Gateway alone = new Gateway(settings(false, List.of(), LIMITS));
    alone.logon(A);
    alone.begins(0x11);

    assertThat(alone.engine.register(B, REMOTE, 0x22, 0)).contains(Reason.PARALLEL);

    assertThat(alone.engine.status().bindings()).hasSize(1);
    assertThat(alone.espOut(A, 5, 1)).isEqualTo(FORWARD);
    assertThat(alone.engine.register(A, REMOTE, 0x11, 0)).isEmpty();
  }

  @Test
  void registeredSpis() {
    assertThat(g.engine.register(A, REMOTE, 0x11, 0)).isEmpty();
    assertThat(g.begins(0x11)).isEqualTo(to(A));

    assertThat(g.engine.register(B, REMOTE, 0x11, 0)).contains(Reason.SPI_COLLISION);
    assertThat(g.espIn(0x11, 2)).as("the first keeps it").isEqualTo(to(A));
    assertThat(g.engine.status().collisions()).isEqualTo(1);
    assertThat(g.engine.register(B, REMOTE, 0, 0)).contains(Reason.ZERO_SPI);
  }

  @Test
  void whatAHostSaysItselfOutweighsWhatWasLearned() {
    g.logon(A);
    g.begins(0x11);

    assertThat(g.engine.register(B, REMOTE, 0x11, 0)).isEmpty();

    assertThat(g.espIn(0x11, 2)).isEqualTo(to(B));
    assertThat(g.engine.status().revised()).isEqualTo(1);
  }

  @Test
  void aRegistrationThatIsRefusedLeavesTheBindingThatStands() {
    for (Settings.Limits limits :
        List.of(
            new Settings.Limits(2, 4, 3, 4, 2, 1000), // SPIs of a host
            new Settings.Limits(100, 4, 1, 4, 2, 1000), // hosts of a remote
            new Settings.Limits(100, 4, 100, 4, 2, 1))) { // entries of the tables
      Gateway small = new Gateway(settings(true, List.of(), limits));
      small.engine.recall(REMOTE, 0x11, A, 0);
      small.engine.register(B, OTHER, 0x51, 0);
      small.engine.register(B, OTHER, 0x52, 0);
      small.engine.changes();

      assertThat(small.engine.register(B, REMOTE, 0x11, 0)).isPresent();

      assertThat(small.espIn(0x11, 2)).isEqualTo(to(A));
      assertThat(small.engine.changes()).isEmpty();
      assertThat(small.engine.status().revised()).isZero();
    }
  }

  @Test
  void aHostAtItsLimitMayRegisterWhatItHas() {
    Gateway small =
        new Gateway(settings(true, List.of(), new Settings.Limits(2, 4, 3, 4, 2, 1000)));
    small.engine.recall(REMOTE, 0x11, A, 0);
    small.engine.recall(REMOTE, 0x12, A, 0);

    assertThat(small.engine.register(A, REMOTE, 0x11, 0)).isEmpty();

    assertThat(small.engine.register(B, REMOTE, 0x11, 0)).contains(Reason.SPI_COLLISION);
  }

  @Test
  void ownSpisAreNeverRedirected() {
    g.logon(A);
    g.engine.own(REMOTE, 0x77);

    assertThat(g.begins(0x77)).isEqualTo(new Verdict.Own());
    assertThat(g.engine.register(B, REMOTE, 0x77, 0)).contains(Reason.OWN_SPI);
    assertThat(g.begins(0x11)).as("A's exchange was not used up").isEqualTo(to(A));

    g.engine.own(REMOTE, 0x11);
    assertThat(g.espIn(0x11, 2)).as("even one that was bound").isEqualTo(new Verdict.Own());
    assertThat(g.engine.changes()).contains(new Change.Unbind(REMOTE, 0x11));
  }

  @Test
  void entriesLiveAsLongAsTheirTraffic() {
    g.logon(A);
    g.begins(0x11);
    g.espOut(A, 0xa, 1);
    g.now = 400_000;
    g.engine.used(REMOTE, 0x11, g.now);
    g.now = 900_000;
    g.engine.tick(g.now);
    assertThat(g.engine.status().bindings()).hasSize(1);
    assertThat(g.engine.size()).as("the outbound one is over").isEqualTo(1);

    g.now = 1_100_000;
    g.engine.tick(g.now);

    assertThat(g.engine.size()).isZero();
    assertThat(g.engine.changes()).contains(new Change.Unbind(REMOTE, 0x11));
  }

  @Test
  void timeGoesForwardOnly() {
    g.logon(A);
    g.now = 500_000;
    g.begins(0x11);
    g.now = 1000;
    g.espIn(0x11, 2);

    assertThat(g.engine.status().bindings())
        .singleElement()
        .satisfies(b -> assertThat(b.seen()).isBetween(499_000L, 500_000L));
  }

  @Test
  void noHostTakesTheTableFromTheOthers() {
    Gateway small =
        new Gateway(settings(true, List.of(), new Settings.Limits(8, 4, 3, 4, 2, 1000)));
    for (int spi = 1; spi <= 8; spi++) {
      assertThat(small.espOut(A, spi, 1)).isEqualTo(FORWARD);
    }
    assertThat(small.espOut(A, 9, 1)).isEqualTo(drop(Reason.HOST_LIMIT));
    assertThat(small.espOut(B, 9, 1)).isEqualTo(FORWARD);

    for (int i = 1; i <= 4; i++) {
      small.ikeOut(A, Wire.v2(i, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG));
    }
    assertThat(small.ikeOut(A, Wire.v2(5, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG)))
        .isEqualTo(drop(Reason.HOST_LIMIT));
    assertThat(small.ikeOut(B, Wire.v2(5, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG)))
        .isEqualTo(FORWARD);

    small.espOut(C, 1, 1);
    assertThat(small.espOut(Address.of("10.0.1.4"), 1, 1)).isEqualTo(drop(Reason.REMOTE_LIMIT));
  }

  @Test
  void theTablesAreFull() {
    Gateway small =
        new Gateway(settings(true, List.of(), new Settings.Limits(100, 4, 100, 4, 2, 5)));
    for (int spi = 1; spi <= 5; spi++) {
      assertThat(small.espOut(A, spi, 1)).isEqualTo(FORWARD);
    }
    assertThat(small.espOut(A, 6, 1)).isEqualTo(drop(Reason.FULL));
    assertThat(small.engine.size()).isEqualTo(5);
  }

  @Test
  void forgeriesNeitherFillTheTableNorKeepTheTrueOneOut() {
    g.logon(A);
    g.begins(0x11);
    g.logon(B);
    g.begins(0x22);
    for (int i = 0; i < 10_000; i++) {
      g.now += 1;
      g.espIn(0x1000 + i, 5_000_000 + i);
    }
    assertThat(g.engine.status().bindings()).hasSize(2);
    assertThat(g.engine.status().undecided()).hasSizeLessThanOrEqualTo(LIMITS.undecided());
    g.rekey(B, 2);
    assertThat(g.begins(0x23)).isEqualTo(to(B));
  }

  @ParameterizedTest
  @EnumSource(
      value = Method.class,
      names = {"SERIALISED", "FIFO"})
  void theBaselinesBindTheFirstAnswerToWhoWaits(Method method) {
    Gateway b = new Gateway(Settings.standard().with(method));
    b.espOut(A, 0xa, 1);
    assertThat(b.begins(0x11)).isEqualTo(to(A));
    b.espOut(B, 0xb, 1);
    assertThat(b.begins(0x22)).isEqualTo(to(B));
    assertThat(b.espIn(0x11, 2)).isEqualTo(to(A));
  }

  @Test
  void theSeedsAlgorithmBlocksAndKeepsOut() {
    Gateway b = new Gateway(Settings.standard().with(Method.SERIALISED));
    b.espOut(A, 0xa, 1);
    assertThat(b.espOut(B, 0xb, 1)).isEqualTo(drop(Reason.BLOCKED));
    for (int retry = 1; retry <= 5; retry++) {
      assertThat(b.espOut(A, 0xa, 1 + retry)).isEqualTo(FORWARD);
    }
    assertThat(b.espOut(A, 0xa, 7)).as("the sixth").isEqualTo(drop(Reason.BLOCKED));
    assertThat(b.espOut(B, 0xb, 2)).as("B's turn").isEqualTo(FORWARD);
    assertThat(b.begins(0x11)).as("A's late answer is taken for B's").isEqualTo(to(B));
  }

  @Test
  void theSeedsAlgorithmSendsWhatIsUnknownToWhoNegotiatedLast() {
    Gateway b = new Gateway(Settings.standard().with(Method.SERIALISED));
    b.logon(A);
    b.logon(B);

    assertThat(b.begins(0x11)).isEqualTo(to(B));
    assertThat(b.engine.status().bindings()).isEmpty();
  }

  @Test
  void aReleasedHostIsOutstandingNoLonger() {
    Gateway b = new Gateway(Settings.standard().with(Method.SERIALISED));
    b.logon(A);
    b.espOut(A, 0xa, 1);
    assertThat(b.espOut(B, 0xb, 1)).isEqualTo(drop(Reason.BLOCKED));

    b.engine.release(A, REMOTE, b.now);

    assertThat(b.begins(0x11)).as("nor is it who negotiated last").isEqualTo(drop(Reason.NO_HOST));
    assertThat(b.espOut(B, 0xb, 1)).isEqualTo(FORWARD);
    assertThat(b.begins(0x22)).isEqualTo(to(B));
  }

  @Test
  void aReleasedHostWaitsNoLonger() {
    Gateway b = new Gateway(Settings.standard().with(Method.FIFO));
    b.espOut(A, 0xa, 1);
    b.espOut(B, 0xb, 1);

    b.engine.release(A, REMOTE, b.now);

    assertThat(b.begins(0x22)).isEqualTo(to(B));
  }

  @Test
  void theBaselinesForgetToo() {
    Settings settings = settings(true, List.of(), LIMITS);
    Ledger ledger = new Ledger();
    Flows flows = new Flows(settings, ledger, 0);
    Serialised serialised = new Serialised(flows, ledger);
    Fifo fifo = new Fifo(flows, ledger);
    int host = (int) A.low();
    Ike negotiates = Wire.v2(1, 2, Ike.AUTH, 1, false, 35, Wire.LONG);
    for (int remote = 1; remote <= 1000; remote++) {
      flows.addOutbound(host + remote, remote, 0xa, 0);
      serialised.ike(host + remote, remote, negotiates, true, 0);
      for (Association each : List.of(serialised, fifo)) {
        each.outbound(host + remote, remote, new Esp(0xa, 1, 100), true, 0);
      }
    }
    assertThat(serialised.size()).isEqualTo(2000);
    assertThat(fifo.size()).isEqualTo(2000);

    serialised.tick(60_000);
    fifo.tick(60_000);
    assertThat(serialised.size()).as("not before its time").isEqualTo(2000);
    assertThat(fifo.size()).isEqualTo(2000);
    flows.expire(700_000);
    serialised.tick(700_000);
    fifo.tick(700_000);
    assertThat(serialised.size()).isZero();
    assertThat(fifo.size()).isZero();
  }

  // ---- transport mode, which can only be suspected ----

  /** Hosts make SAs, ten seconds apart; then each second all that the remote still uses is told. */
  private void takingTurns(boolean olderGoOn, Address... hosts) {
    for (int turn = 0; turn < hosts.length; turn++) {
      g.engine.register(hosts[turn], REMOTE, turn + 1, g.now);
      for (int second = 0; second < 10; second++) {
        g.now += 1000;
        for (int spi = olderGoOn ? 1 : turn + 1; spi <= turn + 1; spi++) {
          g.engine.used(REMOTE, spi, g.now);
        }
        g.engine.tick(g.now);
      }
    }
    for (int second = 0; second < 120; second++) {
      g.now += 1000;
      g.engine.used(REMOTE, hosts.length, g.now);
      g.engine.tick(g.now);
    }
  }

  @Test
  void aRemoteThatServesOneHostAtATimeIsSuspected() {
    takingTurns(false, A, B, A);

    assertThat(g.engine.status().suspected())
        .singleElement()
        .satisfies(suspected -> {
          assertThat(suspected.remote()).isEqualTo(REMOTE);
          assertThat(suspected.hosts()).containsExactly(A, B);
          assertThat(suspected.times()).isEqualTo(2);
          assertThat(suspected.since()).isBetween(10_000L, 12_000L);
        });
  }

  @Test
  void aRemoteThatServesSeveralAtOnceIsNot() {
    takingTurns(true, A, B, A, C);

    assertThat(g.engine.status().suspected()).isEmpty();
  }

  @Test
  void oneHostWhoseNewSasFollowItsOldOnesIsNot() {
    takingTurns(false, A, A, A, A);

    assertThat(g.engine.status().suspected()).isEmpty();
  }

  @Test
  void aHostThatWasSilentBeforeTheOtherCameIsNot() {
    takingTurns(false, A);
    g.now += 20_000; // nothing is used
    takingTurns(false, B);

    assertThat(g.engine.status().suspected()).isEmpty();
  }

  @Test
  void theSuspicionEndsWhereAnOlderSpiIsUsedAgain() {
    takingTurns(false, A, B, A);
    g.engine.used(REMOTE, 2, g.now);

    assertThat(g.engine.status().suspected()).isEmpty();
  }
}
