package io.gatehouse.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Sessions broken in every way that has a name, and whole ones. */
class DiagnosisTest {
  private static final int UDP = 17;
  private static final int TCP = 6;
  private static final int ICMP = 1;
  private static final int GRE = 47;
  private static final int ESP = 50;
  private static final int AH = 51;
  private static final int ALL = Path.ALL;
  private static final int SPI = 0x1000;

  /** A break: what happens, which finding names it, and between which points it is. */
  record Break(String name, Kind kind, int from, int to, Consumer<Path> what) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final List<Break> BREAKS = new ArrayList<>();

  private static void at(String name, Kind kind, int from, int to, Consumer<Path> what) {
    BREAKS.add(new Break(name, kind, from, to, what));
  }

  /** A break that no two points have between them. */
  private static void ends(String name, Kind kind, Consumer<Path> what) {
    BREAKS.add(new Break(name, kind, -1, -1, what));
  }

  private static void repeat(int times, Runnable what) {
    for (int i = 0; i < times; i++) {
      what.run();
    }
  }

  private static byte[] firstMessage() {
    return Path.udp(500, 500, Path.clear2(7, 0, 8, 33, new byte[200]));
  }

  static {
    at(
        "UDP 500 blocked by the client's firewall",
        Kind.UDP_500_LOST,
        0,
        1,
        p -> repeat(3, () -> p.forth(1, UDP, firstMessage()).pause(4)));
    at(
        "UDP 500 blocked in the internet",
        Kind.UDP_500_LOST,
        1,
        2,
        p -> repeat(3, () -> p.forth(2, UDP, firstMessage()).pause(4)));
    at(
        "UDP 500 blocked by the server's firewall",
        Kind.UDP_500_LOST,
        2,
        3,
        p -> repeat(3, () -> p.forth(3, UDP, firstMessage()).pause(4)));
    at(
        "answers blocked by the client's firewall",
        Kind.UDP_500_LOST,
        1,
        0,
        p ->
            repeat(
                3,
                () ->
                    p.forth(ALL, UDP, firstMessage())
                        .back(3, UDP, Path.udp(500, 500, Path.clear2(7, 8, 0x20, 33, new byte[9])))
                        .pause(4)));
    ends(
        "nobody listens and nobody says so",
        Kind.NO_ANSWER,
        p -> repeat(4, () -> p.forth(ALL, UDP, firstMessage()).pause(4)));
    at(
        "UDP 4500 blocked",
        Kind.UDP_4500_LOST,
        1,
        2,
        p -> {
          p.init(7);
          repeat(4, () -> p.request(2, true, 7, 35, 1, 35, 400).pause(4));
        });
    at(
        "ESP blocked by the client's firewall",
        Kind.ESP_LOST,
        0,
        1,
        p -> {
          p.logon(7, false);
          for (int i = 1; i < 9; i++) {
            p.ping(1, false, SPI, i, 120).pause(1);
          }
        });
    at(
        "ESP blocked in the internet",
        Kind.ESP_LOST,
        1,
        2,
        p -> {
          p.logon(7, false);
          for (int i = 1; i < 9; i++) {
            p.ping(2, false, SPI, i, 120).pause(1);
          }
        });
    at(
        "ESP of the server blocked",
        Kind.ESP_LOST,
        3,
        2,
        p -> {
          p.logon(7, false);
          for (int i = 1; i < 9; i++) {
            p.ping(ALL, false, SPI, i, 120).pong(1, false, SPI + 1, i, 120).pause(1);
          }
        });
    at(
        "only ESP in UDP is blocked",
        Kind.ESP_IN_UDP_LOST,
        1,
        2,
        p -> {
          p.logon(7, true);
          for (int i = 1; i < 9; i++) {
            p.ping(2, true, SPI, i, 120).pause(1);
          }
        });
    at(
        "forwarding off on the server's firewall",
        Kind.EVERYTHING_LOST,
        2,
        3,
        p -> {
          for (int i = 1; i < 5; i++) {
            p.forth(3, UDP, firstMessage()).ping(3, false, SPI, i, 120).pause(2);
          }
        });
    ends(
        "the client's address is not translated",
        Kind.NOT_TRANSLATED,
        p -> {
          p.untranslated = true;
          repeat(3, () -> p.forth(2, UDP, firstMessage()).pause(4));
        });
    ends(
        "AH behind NAT",
        Kind.AH_BEHIND_NAT,
        p -> {
          p.logon(7, false);
          for (int i = 1; i < 6; i++) {
            p.forth(ALL, AH, Path.ah(SPI, i)).pause(1);
          }
        });
    ends(
        "ESP arrives and is never answered",
        Kind.ESP_UNANSWERED,
        p -> {
          p.logon(7, false);
          for (int i = 1; i < 9; i++) {
            p.ping(ALL, false, SPI, i, 120).pause(1);
          }
        });
    ends(
        "the client has no way into the tunnel",
        Kind.ESP_UNANSWERED,
        p -> {
          p.logon(7, true);
          for (int i = 1; i < 9; i++) {
            p.pong(ALL, true, SPI, i, 120).pause(1);
          }
        });
    ends(
        "no common proposal",
        Kind.NO_PROPOSAL,
        p ->
            p.forth(ALL, UDP, firstMessage())
                .back(
                    ALL,
                    UDP,
                    Path.udp(500, 500, Path.clear2(7, 8, 0x20, 41, Path.notification(14))))
                .pause(20));
    ends(
        "no common proposal in IKEv1",
        Kind.NO_PROPOSAL,
        p ->
            p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 0, 2, 0, 0, 1, 200)))
                .back(ALL, UDP, Path.udp(500, 500, Path.notify1(7, 8, 14)))
                .pause(20));
    ends(
        "another group is asked for again and again",
        Kind.WRONG_GROUP,
        p ->
            repeat(
                3,
                () ->
                    p.forth(ALL, UDP, firstMessage())
                        .back(
                            ALL,
                            UDP,
                            Path.udp(500, 500, Path.clear2(7, 8, 0x20, 41, Path.notification(17))))
                        .pause(2)));
    ends(
        "the cookie never satisfies",
        Kind.COOKIE_LOOP,
        p ->
            repeat(
                7,
                () ->
                    p.forth(ALL, UDP, firstMessage())
                        .back(
                            ALL,
                            UDP,
                            Path.udp(
                                500, 500, Path.clear2(7, 0, 0x20, 41, Path.notification(16390))))
                        .pause(2)));
    ends(
        "another version",
        Kind.WRONG_VERSION,
        p ->
            p.forth(ALL, UDP, firstMessage())
                .back(
                    ALL,
                    UDP,
                    Path.udp(500, 500, Path.clear2(7, 8, 0x20, 41, Path.notification(5)))));
    ends(
        "the password is wrong",
        Kind.AUTH_REFUSED,
        p -> {
          p.init(7);
          p.request(ALL, true, 7, 35, 1, 35, 400).answer(ALL, true, 7, 35, 1, 41, 80).pause(20);
        });
    ends(
        "the client does not believe the server",
        Kind.AUTH_REFUSED,
        p -> {
          p.logon(7, true);
          p.request(ALL, true, 7, 37, 2, 41, 80).pause(20);
        });
    ends(
        "the selectors have nothing in common",
        Kind.DELETED_AT_ONCE,
        p -> {
          p.logon(7, true);
          p.request(ALL, true, 7, 37, 2, 42, 80).answer(ALL, true, 7, 37, 2, 0, 80).pause(20);
        });
    ends(
        "the second exchange is not answered",
        Kind.AUTH_UNANSWERED,
        p -> {
          p.logon(9, true);
          p.pings(3, true, SPI, 1);
          p.init(7);
          repeat(4, () -> p.request(ALL, true, 7, 35, 1, 35, 400).pause(4));
        });
    at(
        "fragments are dropped",
        Kind.FRAGMENTS_LOST,
        1,
        2,
        p -> {
          p.init(7);
          byte[] large = Path.onPort(true, Path.ike2(7, 8, 35, 8, 1, 35, 1900));
          repeat(4, () -> p.fragments(ALL, 2, UDP, large).pause(4));
        });
    at(
        "fragments that are made on the way are dropped",
        Kind.FRAGMENTS_LOST,
        2,
        3,
        p -> {
          p.logon(7, false).pings(4, false, SPI, 1);
          for (int i = 5; i < 12; i++) {
            p.split(3, ESP, Path.esp(SPI, i, 1400));
          }
        });
    at(
        "large packets vanish",
        Kind.MTU,
        1,
        2,
        p -> {
          p.logon(7, true);
          p.pings(4, true, SPI, 1);
          for (int i = 5; i < 12; i++) {
            p.ping(2, true, SPI, i, 1440).pause(1);
          }
          p.pings(4, true, SPI, 12);
        });
    ends(
        "the policies meet nothing",
        Kind.NO_ESP,
        p -> {
          p.logon(7, true);
          p.pause(30);
          p.request(ALL, true, 7, 37, 2, 0, 80).answer(ALL, true, 7, 37, 2, 0, 80);
        });
    ends(
        "a rekeying is refused",
        Kind.CHILD_REFUSED,
        p -> {
          p.logon(7, true);
          p.pings(4, true, SPI, 1);
          p.request(ALL, true, 7, 36, 2, 33, 300).answer(ALL, true, 7, 36, 2, 41, 80);
          p.pings(4, true, SPI, 5);
        });
    ends(
        "the server has gone",
        Kind.DEAD_PEER,
        p -> {
          p.logon(7, true);
          p.pings(4, true, SPI, 1);
          repeat(5, () -> p.request(ALL, true, 7, 37, 2, 0, 80).pause(4));
        });
    ends(
        "ESP is not answered any more",
        Kind.DEAD_PEER,
        p -> {
          p.logon(7, false);
          p.pings(4, false, SPI, 1);
          for (int i = 5; i < 30; i++) {
            p.ping(ALL, false, SPI, i, 120).pause(1);
          }
        });
    ends(
        "the server does not know the session",
        Kind.UNKNOWN_COOKIE,
        p -> {
          p.logon(7, true);
          p.pings(3, true, SPI, 1);
          p.request(ALL, true, 7, 37, 2, 0, 80);
          p.back(ALL, UDP, Path.onPort(true, Path.clear2(7, 8, 0x20, 41, Path.notification(4))));
        });
    ends(
        "the server does not know the SA",
        Kind.UNKNOWN_SPI,
        p -> {
          p.logon(7, true);
          p.pings(3, true, SPI, 1);
          p.back(ALL, UDP, Path.onPort(true, Path.clear2(7, 8, 0, 41, Path.notification(11))));
        });
    ends(
        "cookies of zero",
        Kind.ZERO_COOKIE,
        p -> {
          p.logon(7, false);
          p.pings(3, false, SPI, 1);
          repeat(3, () -> p.back(ALL, UDP, Path.udp(500, 500, Path.ike1(0, 5, 5, 1, 3, 8, 76))));
        });
    ends(
        "pre-shared keys differ in IKEv1",
        Kind.PHASE_1_STUCK,
        p -> {
          p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 0, 2, 0, 0, 1, 200)));
          p.back(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 2, 0, 0, 1, 120)));
          p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 2, 0, 0, 4, 228)));
          p.back(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 2, 0, 0, 4, 229)));
          repeat(
              4,
              () ->
                  p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 2, 1, 0, 5, 100))).pause(4));
        });
    ends(
        "selectors differ in IKEv1",
        Kind.PHASE_2_STUCK,
        p -> {
          mainMode(p);
          repeat(
              4,
              () ->
                  p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 32, 1, 5, 8, 180)))
                      .pause(4));
        });
    at(
        "a rekeying's SPI is not known to the firewall",
        Kind.NEW_SPI_LOST,
        1,
        0,
        p -> {
          p.logon(7, false);
          p.pings(5, false, SPI, 1);
          for (int i = 1; i < 8; i++) {
            p.ping(ALL, false, SPI + 16, i, 120).pong(3, false, SPI + 17, i, 120).pause(1);
          }
        });
    at(
        "the firewall has forgotten an idle session",
        Kind.ASSOCIATION_EXPIRED,
        1,
        0,
        p -> {
          p.logon(7, true);
          p.pings(5, true, SPI, 1);
          p.pause(200);
          for (int i = 6; i < 12; i++) {
            p.pong(3, true, SPI + 1, i, 120).pause(1);
          }
        });
    at(
        "the server rekeys after the firewall has forgotten",
        Kind.ASSOCIATION_EXPIRED,
        1,
        0,
        p -> {
          p.logon(7, true);
          p.pings(2, true, SPI, 1);
          p.pause(300);
          repeat(
              4,
              () -> p.back(3, UDP, Path.onPort(true, Path.ike2(7, 8, 36, 0, 0, 33, 300))).pause(4));
          p.other();
        });
    ends(
        "a second client's session ends the first one's",
        Kind.SECOND_SESSION,
        p -> {
          p.logon(7, false);
          p.pings(5, false, SPI, 1);
          p.client = "10.0.1.8";
          p.logon(99, false);
          for (int i = 1; i < 12; i++) {
            p.client = "10.0.1.7";
            p.ping(ALL, false, SPI, i + 5, 120).pong(3, false, SPI + 1, i + 5, 120);
            p.client = "10.0.1.8";
            p.ping(ALL, false, SPI + 64, i, 120).pong(ALL, false, SPI + 65, i, 120).pause(1);
          }
        });
    at(
        "a second client's very first ESP is dropped, and nobody captured IKE",
        Kind.SECOND_SESSION,
        0,
        1,
        p -> {
          for (int i = 1; i < 12; i++) {
            p.client = "10.0.1.7";
            p.ping(ALL, false, SPI, i, 120).pong(ALL, false, SPI + 1, i, 120);
            p.client = "10.0.1.8";
            p.ping(1, false, SPI + 64, i, 120).pause(1);
          }
        });
    ends(
        "packets of one client go to the other",
        Kind.MISDELIVERED,
        p -> {
          p.logon(7, false);
          p.pings(5, false, SPI, 1);
          p.client = "10.0.1.8";
          p.pong(ALL, false, SPI + 1, 6, 120).pong(ALL, false, SPI + 1, 7, 120);
        });
    ends(
        "the server answers from another address",
        Kind.OTHER_SOURCE,
        p -> {
          repeat(
              3,
              () -> {
                p.forth(ALL, UDP, firstMessage());
                p.server = "203.0.113.77";
                p.inner = "192.168.9.3";
                p.back(ALL, UDP, Path.udp(500, 500, Path.clear2(7, 8, 0x20, 33, new byte[9])));
                p.server = "203.0.113.2";
                p.inner = "192.168.9.2";
                p.pause(4);
              });
        });
    ends(
        "the server refuses the port",
        Kind.REFUSED,
        p ->
            repeat(
                3,
                () -> {
                  p.forth(ALL, UDP, firstMessage());
                  byte[] asked = Path.ip(p.client, p.server, UDP, 60, firstMessage(), 0);
                  p.only(0, p.server, p.client, ICMP, Path.icmp(3, 3, 0, asked)).pause(4);
                }));
    ends(
        "a route goes in a circle",
        Kind.LOOP,
        p ->
            repeat(
                3,
                () -> {
                  p.forth(2, UDP, firstMessage());
                  byte[] asked = Path.ip(p.outside, p.server, UDP, 1, firstMessage(), 0);
                  p.only(1, "192.0.2.1", p.outside, ICMP, Path.icmp(11, 0, 0, asked)).pause(4);
                }));
    at(
        "TCP 1723 blocked",
        Kind.TCP_1723_LOST,
        2,
        3,
        p -> repeat(3, () -> p.forth(3, TCP, Path.tcp(3000, 1723, 9, 2, new byte[0])).pause(4)));
    ends(
        "no PPTP server",
        Kind.REFUSED,
        p ->
            p.forth(ALL, TCP, Path.tcp(3000, 1723, 9, 2, new byte[0]))
                .back(ALL, TCP, Path.tcp(1723, 3000, 9, 0x14, new byte[0])));
    at(
        "GRE blocked",
        Kind.GRE_LOST,
        1,
        2,
        p -> {
          pptp(p, 1);
          for (int i = 1; i < 6; i++) {
            p.forth(2, GRE, Path.gre(21, i, Path.ppp(0xc021, 1, 1, 4, 5, 6))).pause(3);
          }
        });
    ends(
        "GRE is never answered",
        Kind.GRE_UNANSWERED,
        p -> {
          pptp(p, 1);
          for (int i = 1; i < 6; i++) {
            p.forth(ALL, GRE, Path.gre(21, i, Path.ppp(0xc021, 1, 1, 4, 5, 6))).pause(3);
          }
        });
    ends("the call is refused", Kind.CALL_REFUSED, p -> pptp(p, 4));
    ends(
        "MPPE is refused",
        Kind.MPPE_REFUSED,
        p -> {
          pptp(p, 1);
          for (int i = 1; i < 5; i++) {
            p.forth(ALL, GRE, Path.gre(21, i, Path.ppp(0x80fd, 1, 18, 6, 0, 0, 0, 64)));
            p.back(ALL, GRE, Path.gre(22, i, Path.ppp(0x80fd, 4, 18, 6, 0, 0, 0, 64))).pause(3);
          }
        });
    ends(
        "MPPE is refused once, and the link ended",
        Kind.MPPE_REFUSED,
        p -> {
          pptp(p, 1);
          mppeIsUnknown(p);
          p.back(ALL, GRE, Path.gre(22, 3, Path.ppp(0xc021, 5, 'M', 'P', 'P', 'E')));
        });
    ends(
        "the VPN password is wrong",
        Kind.PASSWORD_REFUSED,
        p -> {
          pptp(p, 1);
          for (int i = 1; i < 5; i++) {
            p.forth(ALL, GRE, Path.gre(21, i, Path.ppp(0xc223, 2, 1, 2, 3, 4)));
            p.back(ALL, GRE, Path.gre(22, i, Path.ppp(0xc223, 4, 69, 61, 54, 57)));
          }
        });
    at(
        "one message vanishes",
        Kind.MESSAGES_LOST,
        1,
        2,
        p -> {
          p.logon(7, true);
          p.pings(5, true, SPI, 1);
          repeat(3, () -> p.request(2, true, 7, 36, 2, 33, 300).pause(1));
          p.pings(5, true, SPI, 6);
        });
    at(
        "AH blocked between addresses that nobody translates",
        Kind.AH_LOST,
        1,
        2,
        p -> {
          p.client = p.outside;
          for (int i = 1; i < 6; i++) {
            p.forth(2, AH, Path.ah(SPI, i)).pause(1);
          }
        });
    at(
        "L2TP blocked",
        Kind.UDP_1701_LOST,
        0,
        1,
        p -> repeat(3, () -> p.forth(1, UDP, Path.udp(1701, 1701, new byte[20]))));
    ends(
        "L2TP without IPsec",
        Kind.L2TP_IN_CLEAR,
        p ->
            repeat(
                3,
                () ->
                    p.forth(ALL, UDP, Path.udp(1701, 1701, new byte[20]))
                        .back(ALL, UDP, Path.udp(1701, 1701, new byte[20]))));
    ends(
        "an SPI of zero",
        Kind.ZERO_SPI,
        p -> {
          p.logon(7, false);
          p.pings(5, false, SPI, 1);
          p.ping(ALL, false, 0, 1, 120);
        });
  }

  private static void mainMode(Path p) {
    int[] lengths = {200, 120, 228, 229, 100, 101};
    for (int i = 0; i < 6; i++) {
      byte[] message =
          Path.udp(
              500,
              500,
              Path.ike1(
                  7, i == 0 ? 0 : 8, 2, i > 3 ? 1 : 0, 0, i > 3 ? 5 : i > 1 ? 4 : 1, lengths[i]));
      if (i % 2 == 0) {
        p.forth(ALL, UDP, message);
      } else {
        p.back(ALL, UDP, message);
      }
    }
  }

  /** A control connection and a call, with the server's result code. */
  private static void pptp(Path p, int result) {
    p.forth(ALL, TCP, Path.tcp(3000, 1723, 9, 2, new byte[0]));
    p.back(ALL, TCP, Path.tcp(1723, 3000, 90, 0x12, new byte[0]));
    p.forth(ALL, TCP, Path.tcp(3000, 1723, 10, 0x18, Path.control(156, 1)));
    p.back(ALL, TCP, Path.tcp(1723, 3000, 91, 0x18, Path.control(156, 2)));
    p.forth(ALL, TCP, Path.tcp(3000, 1723, 166, 0x18, Path.control(168, 7)));
    p.back(ALL, TCP, Path.tcp(1723, 3000, 247, 0x18, Path.callReply(result)));
  }

  /** The server asks for MPPE, and the client does not know what compresses or encrypts. */
  private static void mppeIsUnknown(Path p) {
    p.back(ALL, GRE, Path.gre(22, 1, Path.ppp(0x80fd, 1, 18, 6, 0, 0, 0, 64)));
    p.forth(ALL, GRE, Path.gre(21, 1, Path.ppp(0xc021, 8, 0x80, 0xfd, 1, 1, 0, 10)));
  }

  static Stream<Break> breaks() {
    return BREAKS.stream();
  }

  private static Set<Kind> kinds(Diagnosis diagnosis) {
    Set<Kind> kinds = EnumSet.noneOf(Kind.class);
    diagnosis.findings().forEach(finding -> kinds.add(finding.kind()));
    return kinds;
  }

  @ParameterizedTest
  @MethodSource("breaks")
  void namesTheBreakFirst(Break broken) {
    Path path = new Path();
    broken.what().accept(path);

    Diagnosis diagnosis = path.diagnosis(0, 1, 2, 3);

    assertThat(diagnosis.findings()).isNotEmpty();
    Finding verdict = diagnosis.findings().getFirst();
    assertThat(verdict.kind()).as(verdict.text()).isEqualTo(broken.kind());
    assertThat(verdict.next()).isNotEmpty();
    if (broken.from() >= 0) {
      assertThat(verdict.from()).contains(Path.POINTS.get(broken.from()));
      assertThat(verdict.to()).contains(Path.POINTS.get(broken.to()));
    }
  }

  /** With a capture on both sides of it, others are not needed. */
  @ParameterizedTest
  @MethodSource("breaks")
  void twoPointsAroundABreakAreEnough(Break broken) {
    if (broken.from() < 0) {
      return;
    }
    Path path = new Path();
    broken.what().accept(path);
    int low = Math.min(broken.from(), broken.to());

    assertThat(kinds(path.diagnosis(low, low + 1))).contains(broken.kind());
  }

  @Test
  void everyKindIsDocumented() throws java.io.IOException {
    String table =
        java.nio.file.Files.readString(
            java.nio.file.Path.of(System.getProperty("gatehouse.home", ".."), "docs/diagnose.md"));

    assertThat(Kind.values()).allMatch(kind -> table.contains("`" + kind.word() + "`"));
  }

  @Test
  void everyKindIsShown() {
    Set<Kind> shown = EnumSet.of(Kind.NOTHING_SEEN);
    BREAKS.forEach(broken -> shown.add(broken.kind()));

    assertThat(shown).containsExactlyInAnyOrder(Kind.values());
  }

  // ---- whole sessions

  static Stream<Arguments> whole() {
    return Stream.of(
        Arguments.of("raw ESP", wholly(p -> p.logon(7, false).pings(20, false, SPI, 1))),
        Arguments.of("NAT-T", wholly(p -> p.logon(7, true).pings(20, true, SPI, 1))),
        Arguments.of(
            "rekeyed",
            wholly(p -> {
              p.logon(7, false).pings(5, false, SPI, 1);
              p.request(ALL, false, 7, 36, 2, 33, 400).answer(ALL, false, 7, 36, 2, 33, 380);
              p.pings(5, false, SPI + 8, 1);
              p.request(ALL, false, 7, 37, 3, 42, 80).answer(ALL, false, 7, 37, 3, 42, 80);
            })),
        Arguments.of(
            "idle and alive",
            wholly(p -> p.logon(7, true).pings(5, true, SPI, 1).pause(300).pings(5, true, SPI, 6))),
        Arguments.of(
            "large and small",
            wholly(p -> {
              p.logon(7, true);
              for (int i = 1; i < 20; i++) {
                p.ping(ALL, true, SPI, i, 1400).pong(ALL, true, SPI + 1, i, 80).pause(0.1);
              }
            })),
        Arguments.of(
            "fragmented on the way",
            wholly(p -> {
              p.logon(7, false).pings(4, false, SPI, 1);
              for (int i = 5; i < 12; i++) {
                p.split(ALL, ESP, Path.esp(SPI, i, 1400)).pong(ALL, false, SPI + 1, i, 80);
              }
            })),
        Arguments.of(
            "two clients",
            wholly(p -> {
              p.logon(7, true).pings(5, true, SPI, 1);
              p.client = "10.0.1.8";
              p.logon(99, true).pings(5, true, SPI + 64, 1);
              p.client = "10.0.1.7";
              p.pings(5, true, SPI, 6);
            })),
        Arguments.of(
            "asked twice",
            wholly(p -> {
              p.forth(2, UDP, firstMessage()).pause(4);
              p.logon(7, true).pings(5, true, SPI, 1);
            })),
        Arguments.of(
            "IKEv1",
            wholly(p -> {
              mainMode(p);
              p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 32, 1, 5, 8, 180)));
              p.back(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 32, 1, 5, 8, 181)));
              p.forth(ALL, UDP, Path.udp(500, 500, Path.ike1(7, 8, 32, 1, 5, 8, 60)));
              p.pings(9, false, SPI, 1);
            })),
        Arguments.of(
            "PPTP",
            wholly(p -> {
              pptp(p, 1);
              for (int i = 1; i < 9; i++) {
                p.forth(ALL, GRE, Path.gre(21, i, Path.ppp(0x21, 0x45, 0, 0)));
                p.back(ALL, GRE, Path.gre(22, i, Path.ppp(0x21, 0x45, 0, 0)));
              }
            })),
        Arguments.of(
            "PPTP without MPPE, to its end",
            wholly(p -> {
              pptp(p, 1);
              mppeIsUnknown(p);
              for (int i = 2; i < 9; i++) {
                p.forth(ALL, GRE, Path.gre(21, i, Path.ppp(0x21, 0x45, 0, 0)));
                p.back(ALL, GRE, Path.gre(22, i, Path.ppp(0x21, 0x45, 0, 0)));
              }
              p.forth(ALL, GRE, Path.gre(21, 9, Path.ppp(0xc021, 5, 'b', 'y', 'e')));
              p.back(ALL, TCP, Path.tcp(1723, 3000, 300, 0x14, new byte[0]));
            })),
        Arguments.of(
            "the end of a PPTP session",
            wholly(p -> {
              p.forth(ALL, TCP, Path.tcp(3000, 1723, 166, 0x18, Path.control(16, 12)));
              p.back(ALL, TCP, Path.tcp(1723, 3000, 300, 0x14, new byte[0]));
            })),
        Arguments.of(
            "mistaken group",
            wholly(p -> {
              p.forth(ALL, UDP, firstMessage());
              p.back(
                  ALL, UDP, Path.udp(500, 500, Path.clear2(7, 8, 0x20, 41, Path.notification(17))));
              p.logon(7, true).pings(5, true, SPI, 1);
            })));
  }

  private static Consumer<Path> wholly(Consumer<Path> what) {
    return what;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("whole")
  void raisesNothingOnAWholeSession(String name, Consumer<Path> what) {
    Path path = new Path();
    what.accept(path);

    for (int bits = 1; bits < 16; bits++) {
      int chosen = bits;
      int[] which =
          java.util.stream.IntStream.range(0, 4).filter(i -> (chosen & 1 << i) != 0).toArray();
      assertThat(path.diagnosis(which).findings()).as(java.util.Arrays.toString(which)).isEmpty();
    }
  }

  @Test
  void countsEachKindAtEachPoint() {
    Path path = new Path();
    path.logon(7, true).pings(3, true, SPI, 1);

    Diagnosis diagnosis = path.diagnosis(0, 2);

    assertThat(diagnosis.points()).containsExactly(Point.CLIENT_LAN, Point.SERVER_ISP);
    Diagnosis.Table table = diagnosis.tables().getFirst();
    assertThat(table.clients()).containsExactly("10.0.1.7");
    assertThat(table.server()).isEqualTo("203.0.113.2");
    assertThat(table.rows())
        .containsExactly(
            new Diagnosis.Row(Channel.UDP_500, List.of(1L, 1L), List.of(1L, 1L)),
            new Diagnosis.Row(Channel.UDP_4500, List.of(1L, 1L), List.of(1L, 1L)),
            new Diagnosis.Row(Channel.ESP_IN_UDP, List.of(3L, 3L), List.of(3L, 3L)));
    assertThat(table.sessions())
        .contains("IKEv2 0000000000000007: SA_INIT 2, AUTH 2")
        .anyMatch(line -> line.startsWith("ESP in UDP → 0x00001000: 3 packets, numbers 1 to 3"));
  }

  @Test
  void guessesWhereCapturesWereTaken() {
    Path path = new Path();
    path.logon(7, true).pings(3, true, SPI, 1);
    List<Watch> shuffled = List.of(path.watch(2), path.watch(0), path.watch(3), path.watch(1));

    assertThat(Diagnosis.guess(shuffled))
        .contains(List.of(Point.SERVER_ISP, Point.CLIENT_LAN, Point.SERVER_DMZ, Point.CLIENT_ISP));
    assertThat(Diagnosis.guess(List.of(path.watch(1), path.watch(0))))
        .contains(List.of(Point.CLIENT_ISP, Point.CLIENT_LAN));
    assertThat(Diagnosis.guess(List.of(path.watch(3), path.watch(2))))
        .contains(List.of(Point.SERVER_DMZ, Point.SERVER_ISP));
    assertThat(Diagnosis.guess(List.of(path.watch(0)))).contains(List.of(Point.CLIENT_LAN));
    assertThat(Diagnosis.guess(List.of(path.watch(0), new Watch()))).isEmpty();
  }

  @Test
  void nothingOfAVpn() {
    assertThat(Diagnosis.of(List.of(new Watch()), List.of(Point.CLIENT_LAN)).findings())
        .extracting(Finding::kind)
        .containsExactly(Kind.NOTHING_SEEN);
  }

  @Test
  void manySessionsStayWithinTheirLimit() {
    Watch watch = new Watch();
    for (int i = 0; i < 10_000; i++) {
      String from = "10.%d.%d.1".formatted(i / 250, i % 250);
      watch.packet(
          i,
          io.gatehouse.packet.Packet.parse(
              io.gatehouse.packet.Bytes.copyOf(
                  Path.ip(from, "203.0.113.2", ESP, 64, Path.esp(SPI + i, 1, 60), 0))));
    }

    assertThat(watch.talks()).hasSizeLessThanOrEqualTo(4096);
    assertThat(watch.ignored()).isEqualTo(10_000 - watch.talks().size());
  }
}
