package io.gatehouse.compile;

import static io.gatehouse.compile.Office.WAN;
import static io.gatehouse.compile.Office.esp;
import static io.gatehouse.compile.Office.l2tp;
import static io.gatehouse.compile.Office.outside;
import static io.gatehouse.compile.Office.site;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.MssReckoning.Term;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Esp.Encapsulation;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.CsvSource;

class MssReckoningTest {
  private static final Peer ANYBODY = new Peer.Anybody();

  private static MssReckoning over(Interface on, Esp esp) {
    return MssReckoning.of(site(List.of(on), ANYBODY, esp, "10.20.0.0/16"));
  }

  @Test
  void everyTermIsShownAndTheyAddUp() {
    MssReckoning reckoning = over(WAN, esp(Encapsulation.AUTO, "aes256-sha256-x25519"));
    assertThat(reckoning.arithmetic(Family.V4))
        .isEqualTo(
            "MSS 1382: 1500 MTU of wan − 20 outer IP − 8 UDP − 8 ESP − 16 IV − 16 ICV − 8 padding"
                + " to 16 − 2 trailer − 20 inner IP − 20 TCP");
    assertThat(reckoning.arithmetic(Family.V6))
        .startsWith("MSS 1362: ")
        .endsWith("− 40 inner IP − 20 TCP");
    assertThat(reckoning.pathMtu() - reckoning.terms().stream().mapToInt(Term::bytes).sum())
        .isEqualTo(reckoning.innerMtu());
    assertThat(reckoning.notes()).isEmpty();
  }

  /** What a kernel allows, measured over links of 1500 bytes. */
  @ParameterizedTest
  @CsvFileSource(resources = "/io/gatehouse/compile/kernel-esp-mtu.csv", numLinesToSkip = 1)
  void theKernelReckonsTheSame(
      String proposal, String mode, String outer, boolean encapsulated, int kernel) {
    Interface on = outside("wan", 1500, outer.equals("ip") ? "203.0.113.9/24" : "2001:db8::9/64");
    Esp esp = esp(encapsulated ? Encapsulation.ALWAYS : Encapsulation.NEVER, proposal);
    if (mode.equals("tunnel")) {
      assertThat(over(on, esp).innerMtu()).isEqualTo(kernel);
    } else {
      // In transport mode the kernel counts the packet's IP header, which stays outside, and knows
      // nothing of L2TP.
      MssReckoning reckoning = MssReckoning.of(l2tp(on, esp));
      assertThat(reckoning.innerMtu() + 8 + 12 + 4)
          .isEqualTo(kernel - (outer.equals("ip") ? 20 : 40));
    }
  }

  @Property
  void thePacketThatFitsIsTheLargestOne(
      @ForAll("proposals") String proposal,
      @ForAll @IntRange(min = 600, max = 9000) int mtu,
      @ForAll Encapsulation encapsulation,
      @ForAll Family outer) {
    Interface on = outside("wan", mtu, outer == Family.V4 ? "203.0.113.9/24" : "2001:db8::9/64");
    MssReckoning reckoning = over(on, esp(encapsulation, proposal));
    int before = (outer == Family.V4 ? 20 : 40) + (encapsulation == Encapsulation.NEVER ? 0 : 8);
    EspSuite suite = EspSuite.of(l2tp(esp(encapsulation, proposal)), new ArrayList<>()).getFirst();
    assertThat(before + sealed(suite, reckoning.innerMtu())).isLessThanOrEqualTo(mtu);
    assertThat(before + sealed(suite, reckoning.innerMtu() + 1)).isGreaterThan(mtu);
  }

  /** What becomes of an inner packet: the sender's side of RFC 4303. */
  private static int sealed(EspSuite suite, int inner) {
    int encrypted = inner + 2;
    while (encrypted % Math.max(4, suite.block()) != 0) {
      encrypted++;
    }
    return 4 + 4 + suite.iv() + encrypted + suite.icv();
  }

  @Provide
  Arbitrary<String> proposals() {
    return Arbitraries.of(
        "aes128gcm16",
        "aes256ccm8",
        "chacha20poly1305",
        "aes256-sha512",
        "aes128ctr-sha1",
        "3des-md5",
        "null-sha384",
        "aes256gmac");
  }

  @ParameterizedTest
  @CsvSource({
    "aes128-sha1,                       16, 16, 12",
    "aes256-aesxcbc-modp2048,           16, 16, 12",
    "camellia192-aescmac,               16, 16, 12",
    "aes128-sha2_256-esn,               16, 16, 16",
    "aes-sha256_96,                     16, 16, 12",
    "serpent256-sha384,                 16, 16, 24",
    "twofish-sha512-noesn,              16, 16, 32",
    "3des-md5,                           8,  8, 12",
    "blowfish128-md5_128,                8,  8, 16",
    "cast128-sha1_160,                   8,  8, 20",
    "null-sha256,                        0,  1, 16",
    "aes256ctr-sha1,                     8,  1, 12",
    "camellia256ctr-sha256,              8,  1, 16",
    "aes128gcm,                          8,  1, 16",
    "aes256gcm64,                        8,  1,  8",
    "aes256gcm8-x25519-ke1_mlkem768,     8,  1,  8",
    "aes192gcm12,                        8,  1, 12",
    "aes128gcm128,                       8,  1, 16",
    "aes128ccm96,                        8,  1, 12",
    "camellia128ccm8,                    8,  1,  8",
    "chacha20poly1305-prfsha256-ecp256,  8,  1, 16",
    "aes256gmac,                         8,  1, 16",
    "aes256gcm16-sha512,                 8,  1, 16",
  })
  void aProposalCostsWhatItsRfcSays(String proposal, int iv, int block, int icv) {
    List<Note> notes = new ArrayList<>();
    List<EspSuite> suites = EspSuite.of(l2tp(esp(Encapsulation.NEVER, proposal)), notes);
    assertThat(suites).hasSize(1);
    EspSuite suite = suites.getFirst();
    assertThat(List.of(suite.iv(), suite.block(), suite.icv())).containsExactly(iv, block, icv);
    assertThat(notes).isEmpty();
  }

  @Test
  void theCostliestOfEverythingThatMayBeNegotiatedCounts() {
    assertThat(
            over(WAN, esp(Encapsulation.NEVER, "aes128gcm16", "aes128-sha1-sha512", "null-md5"))
                .suite())
        .isEqualTo("aes128-sha512");
    Interface narrow = outside("dsl", 1492, "198.51.100.2/24");
    MssReckoning reckoning =
        MssReckoning.of(
            site(
                List.of(WAN, narrow),
                ANYBODY,
                esp(Encapsulation.NEVER, "aes128gcm16"),
                "10.20.0.0/16"));
    assertThat(reckoning.path()).isEqualTo("dsl");
    assertThat(reckoning.pathMtu()).isEqualTo(1492);
  }

  @Test
  void withoutProposalsStrongSwansOwnAreReckonedWith() {
    for (Esp esp : List.of(esp(Encapsulation.NEVER), esp(Encapsulation.NEVER, "default"))) {
      MssReckoning reckoning = over(WAN, esp);
      assertThat(reckoning.suite()).isEqualTo("aes256-sha512 (of strongSwan's default)");
      assertThat(reckoning.innerMtu())
          .isEqualTo(over(WAN, esp(Encapsulation.NEVER, "aes256-sha512")).innerMtu());
      assertThat(reckoning.notes()).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "aes256gcm17,        '`aes256gcm17` is no ESP algorithm known to strongSwan'",
    "camellia128gcm,     '`camellia128gcm` is no ESP algorithm known to strongSwan'",
    "aes128-sha3-rot13,  '`sha3`, `rot13` is no ESP algorithm known to strongSwan'",
    "'',                 '`` is no ESP algorithm known to strongSwan'",
    "x25519-esn,         'The proposal `x25519-esn` names no cipher'",
  })
  void whatIsNotUnderstoodIsNotedAndTheWorstAssumed(String proposal, String complaint) {
    Esp esp = esp(Encapsulation.NEVER, "aes128gcm16", proposal);
    MssReckoning reckoning = over(WAN, esp);
    assertThat(reckoning.suite()).isEqualTo("aes256-sha512");
    assertThat(reckoning.notes())
        .containsExactly(
            new Note(
                complaint + ": the MSS is reckoned for the costliest, aes256-sha512.",
                esp.proposals().get(1).origin()));
  }

  @Test
  void udpCountsUnlessTheDescriptionExcludesIt() {
    assertThat(over(WAN, esp(Encapsulation.AUTO, "aes128gcm16")).innerMtu()).isEqualTo(1438);
    assertThat(over(WAN, esp(Encapsulation.ALWAYS, "aes128gcm16")).innerMtu()).isEqualTo(1438);
    assertThat(over(WAN, esp(Encapsulation.NEVER, "aes128gcm16")).innerMtu()).isEqualTo(1446);
  }

  @Test
  void theOuterFamilyIsTheCostliestThatBothEndsHave() {
    Esp esp = esp(Encapsulation.NEVER, "aes128gcm16");
    Interface six = outside("wan", 1500, "2001:db8::9/64");
    Interface both = outside("wan", 1500, "203.0.113.9/24", "2001:db8::9/64");
    Interface followed = outside("wan", 1500);
    Interface dhcp =
        new Interface(
            "wan",
            "wan0",
            Set.of(Interface.Role.OUTSIDE),
            List.of(),
            List.of(),
            1500,
            true,
            false,
            List.of(),
            Office.origin(2));
    Interface advertised =
        new Interface(
            "wan",
            "wan0",
            Set.of(Interface.Role.OUTSIDE),
            List.of(),
            List.of(),
            1500,
            true,
            true,
            List.of(),
            Office.origin(2));
    Peer four = new Peer.At(Prefix.of("198.51.100.7"));
    Peer named = new Peer.Named("branch.example");
    assertThat(outer(WAN, ANYBODY, esp)).isEqualTo(20);
    assertThat(outer(six, ANYBODY, esp)).isEqualTo(40);
    assertThat(outer(both, named, esp)).isEqualTo(40);
    assertThat(outer(both, four, esp)).isEqualTo(20);
    assertThat(outer(followed, ANYBODY, esp)).isEqualTo(40);
    assertThat(outer(followed, four, esp)).isEqualTo(20);
    assertThat(outer(dhcp, ANYBODY, esp)).isEqualTo(20);
    assertThat(outer(advertised, ANYBODY, esp)).isEqualTo(40);
    assertThat(outer(six, four, esp)).isEqualTo(20);
  }

  private static int outer(Interface on, Peer peer, Esp esp) {
    return MssReckoning.of(site(List.of(on), peer, esp, "10.20.0.0/16")).terms().getFirst().bytes();
  }

  @Test
  void l2tpPaysForItsOwnHeadersInsideTransportMode() {
    MssReckoning reckoning = MssReckoning.of(l2tp(esp(Encapsulation.AUTO, "aes256-sha1")));
    assertThat(reckoning.arithmetic(Family.V4))
        .isEqualTo(
            "MSS 1358: 1500 MTU of wan − 20 outer IP − 8 UDP − 8 ESP − 16 IV − 12 ICV − 12 padding"
                + " to 16 − 2 trailer − 8 UDP of L2TP − 12 L2TP − 4 PPP − 20 inner IP − 20 TCP");
  }

  @Test
  void neverBelowWhatEveryHostTakes() {
    Interface narrow = outside("wan", 576, "203.0.113.9/24");
    MssReckoning reckoning =
        MssReckoning.of(
            site(
                List.of(narrow),
                ANYBODY,
                esp(Encapsulation.AUTO, "aes128gcm16"),
                "10.20.0.0/16",
                "2001:db8:20::/64"));
    assertThat(reckoning.clamp(Family.V4)).hasValue(536);
    assertThat(reckoning.clamp(Family.V6)).hasValue(1220);
    assertThat(reckoning.arithmetic(Family.V6)).endsWith(", raised to the least that IPv6 allows");
    assertThat(reckoning.notes())
        .extracting(Note::text)
        .hasSize(2)
        .allMatch(text -> text.contains("576 bytes"));
  }

  @Test
  void theDescriptionMayFixItOrLeaveItAlone() {
    Tunnel.L2tp tunnel = l2tp(esp(Encapsulation.AUTO, "aes256-sha1"));
    assertThat(MssReckoning.of(with(tunnel, new Mss.Fixed(1300))).clamp(Family.V6)).hasValue(1300);
    assertThat(MssReckoning.of(with(tunnel, new Mss.Unclamped())).clamp(Family.V4))
        .isEqualTo(OptionalInt.empty());
    assertThat(MssReckoning.of(with(tunnel, new Mss.Fixed(1300))).reckoned(Family.V4))
        .isEqualTo(1358);
  }

  private static Tunnel with(Tunnel.L2tp tunnel, Mss mss) {
    return new Tunnel.L2tp(
        tunnel.name(),
        tunnel.on(),
        tunnel.peers(),
        tunnel.ike(),
        tunnel.esp(),
        mss,
        tunnel.services(),
        tunnel.origin());
  }
}
