package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Family;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Table;
import java.time.Duration;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What ipset save prints, and iptables' rules that ask for it. */
class IpsetSaveTest {
  private static final String SAVED =
      """
      create hosts hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xa1b2c3d4
      add hosts 192.0.2.7
      add hosts 192.0.2.9
      create nets hash:net family inet hashsize 1024 maxelem 65536 counters comment
      add nets 10.9.0.0/16 packets 5 bytes 420 comment "a \\"guest\\" network"
      add nets 10.9.5.0/24 nomatch packets 0 bytes 0
      add nets 10.9.5.8/32 packets 0 bytes 0
      create pairs hash:ip,port family inet hashsize 1024 maxelem 65536
      add pairs 192.0.2.7,tcp:80
      add pairs 192.0.2.9,tcp:80
      add pairs 192.0.2.9,udp:53
      create masked hash:ip family inet hashsize 1024 maxelem 65536 netmask 24
      add masked 192.0.2.0
      create six hash:net family inet6 hashsize 1024 maxelem 65536
      add six 2001:db8:9::/48
      create ports bitmap:port range 0-1024
      add ports 22
      create area bitmap:ip range 192.0.2.0-192.0.2.255
      add area 192.0.2.3
      create between hash:net,net family inet hashsize 1024 maxelem 65536
      add between 10.1.0.0/16,10.2.0.0/16
      create three hash:ip,port,net family inet hashsize 1024 maxelem 65536
      add three 192.0.2.7,tcp:443,10.0.0.0/8
      create soon hash:ip family inet hashsize 1024 maxelem 65536 timeout 600
      add soon 192.0.2.7 timeout 512
      create all list:set size 8
      add all hosts
      create cards hash:mac hashsize 1024 maxelem 65536
      add cards 02:00:00:00:00:01
      create odd hash:ip,port family inet hashsize 1024 maxelem 65536
      add odd 192.0.2.7,icmp:echo-request
      """;

  private static Table table(String line, Family family, Set<String> changed) {
    IpsetSave.Read read = IpsetSave.read("ipset-save.txt", SAVED, changed);
    String text = "*filter\n:FORWARD ACCEPT\n-A FORWARD " + line + "\nCOMMIT\n";
    return IptablesSave.read("save", text, family, read.sets()).tables().getFirst();
  }

  private static Rule rule(Table table) {
    return table.chains().getFirst().rules().getFirst();
  }

  private static String spelled(Table table) {
    return rule(table).statements().stream()
            .map(NftText::statement)
            .collect(Collectors.joining(" "))
        + table.sets().stream()
            .map(set -> " {" + String.join(", ", NftText.elements(set)) + "}")
            .collect(Collectors.joining());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          hosts src | ip saddr @hosts accept {192.0.2.7, 192.0.2.9}
          hosts dst | ip daddr @hosts accept {192.0.2.7, 192.0.2.9}
          hosts src,dst | ip saddr @hosts accept {192.0.2.7, 192.0.2.9}
          pairs src,dst | ip saddr . meta l4proto . th dport @pairs accept {{ 192.0.2.7, 192.0.2.9 } . tcp . 80, 192.0.2.9 . udp . 53}
          pairs dst,src | ip daddr . meta l4proto . th sport @pairs accept {{ 192.0.2.7, 192.0.2.9 } . tcp . 80, 192.0.2.9 . udp . 53}
          pairs src | ip saddr @(nothing) accept {}
          masked src | ip saddr @masked accept {192.0.2.0/24}
          six src | ip saddr @(nothing) accept {}
          ports dst | meta l4proto . th dport @ports accept {{ tcp, udp } . 22}
          area dst | ip daddr @area accept {192.0.2.3}
          between src,dst | ip saddr . ip daddr @between accept {10.1.0.0/16 . 10.2.0.0/16}
          three src,src,dst | ip saddr . meta l4proto . th sport . ip daddr @three accept {192.0.2.7 . tcp . 443 . 10.0.0.0/8}
          """)
  void aSetHasNftsWords(String asked, String text) {
    Table table = table("-m set --match-set " + asked + " -j ACCEPT", Family.V4, Set.of());

    assertThat(Unclear.texts(rule(table))).isEmpty();
    assertThat(spelled(table)).isEqualTo(text);
  }

  @Test
  void negationAndTheOtherFamilyToo() {
    assertThat(spelled(table("-m set ! --match-set hosts src -j DROP", Family.V4, Set.of())))
        .startsWith("ip saddr != @hosts drop");
    assertThat(spelled(table("-m set --match-set six dst -j DROP", Family.V6, Set.of())))
        .isEqualTo("ip6 daddr @six drop {2001:db8:9::/48}");
    assertThat(spelled(table("-m set ! --match-set hosts src -j DROP", Family.V6, Set.of())))
        .isEqualTo("ip6 saddr != @(nothing) drop {}");
  }

  @Test
  void exceptionsAreHolesAndNarrowerOnesAreNot() {
    NftSet nets =
        table("-m set --match-set nets src -j DROP", Family.V4, Set.of()).sets().getFirst();

    assertThat(NftText.elements(nets))
        .contains("10.9.0.0/22", "10.9.4.0/24", "10.9.6.0/23", "10.9.128.0/17", "10.9.5.8")
        .doesNotContain("10.9.5.0/24", "10.9.0.0/16")
        .hasSize(9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--match-set absent src",
        "--match-set all src",
        "--match-set cards src",
        "--match-set odd src,dst",
        "--match-set hosts up",
        "--match-set hosts src --return-nomatch",
        "--match-set nets src ! --update-subcounters --packets-gt 3",
        "! --match-set pairs src,dst",
        "--match-set hosts"
      })
  void whatHasNoWordsIsACondition(String asked) {
    Rule rule = rule(table("-m set " + asked + " -j ACCEPT", Family.V4, Set.of()));

    assertThat(Unclear.texts(rule)).isNotEmpty();
  }

  @Test
  void whatTimeOrPacketsChangeHoldsAnything() {
    assertThat(table("-m set --match-set soon src -j DROP", Family.V4, Set.of()).sets())
        .allMatch(set -> set.flags().contains(NftSet.Flag.DYNAMIC));
    assertThat(table("-m set --match-set hosts src -j DROP", Family.V4, Set.of("hosts")).sets())
        .allMatch(set -> set.flags().contains(NftSet.Flag.DYNAMIC));
    assertThat(table("-m set --match-set hosts src -j DROP", Family.V4, Set.of()).sets())
        .noneMatch(set -> set.flags().contains(NftSet.Flag.DYNAMIC));
  }

  @Test
  void whereverALineIsCutOffEverySetIsOpenAndItIsSaid() {
    for (int end = 1; end < SAVED.length(); end++) {
      String text = SAVED.substring(0, end);
      IpsetSave.Read read = IpsetSave.read("ipset-save.txt", text, Set.of());

      if (!text.endsWith("\n")) {
        assertThat(read.remarks())
            .as("cut at %d", end)
            .anyMatch(remark -> remark.kind() == Remark.Kind.UNREADABLE);
        assertThat(read.sets().values()).allMatch(set -> set.unclear().isPresent());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "destroy hosts",
        "add nobody 192.0.2.1",
        "create hosts hash:net family inet",
        "create (nothing) hash:ip family inet",
        "-N old iphash",
        "\u0000"
      })
  void aLineOfAnotherKindLeavesNothingCertain(String line) {
    IpsetSave.Read read = IpsetSave.read("ipset-save.txt", SAVED + line + "\n", Set.of());

    assertThat(read.remarks()).anyMatch(remark -> remark.kind() == Remark.Kind.UNREADABLE);
    assertThat(read.sets().values()).allMatch(set -> set.unclear().isPresent());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "192.0.2.300",
        "host.example",
        "2001:db8::1",
        "192.0.2.1/33",
        "192.0.2.9-192.0.2.1",
        "192.0.2.1,80",
        "192.0.2.1 whatever",
        "192.0.2.1 nomatch nomatch2"
      })
  void anElementOfAnotherKindLeavesItsSetOpen(String element) {
    IpsetSave.Read read =
        IpsetSave.read("ipset-save.txt", SAVED + "add hosts " + element + "\n", Set.of());

    assertThat(read.sets().get("hosts").unclear()).isPresent();
    assertThat(read.sets().get("area").unclear()).isEmpty();
  }

  @Test
  void whatSomebodyBrokeNeverThrows() {
    Random lot = new Random(5);
    String noise = "-!\"\\*:/,. \n\u0000[]+x9\uffff";
    for (int i = 0; i < 1000; i++) {
      StringBuilder text = new StringBuilder(SAVED);
      for (int n = lot.nextInt(8); n >= 0; n--) {
        int at = lot.nextInt(text.length());
        if (lot.nextBoolean()) {
          text.setCharAt(at, noise.charAt(lot.nextInt(noise.length())));
        } else {
          text.delete(at, Math.min(text.length(), at + lot.nextInt(20)));
        }
      }
      IpsetSave.Read read = IpsetSave.read("ipset-save.txt", text.toString(), Set.of());
      for (Ipset set : read.sets().values()) {
        assertThat(set.set(Family.V4).elements()).isNotNull();
      }
    }
  }

  @Test
  void anEnormousOneEndsAndIsOpen() {
    StringBuilder text = new StringBuilder("create many hash:net family inet\n");
    for (int i = 0; i < 400_000; i++) {
      text.append("add many 10.").append(i >> 16).append('.').append(i >> 8 & 255).append('.');
      text.append(i & 255).append(i % 3 == 0 ? " nomatch\n" : "\n");
    }

    IpsetSave.Read read =
        Assertions.assertTimeoutPreemptively(
            Duration.ofMinutes(2), () -> IpsetSave.read("many", text.toString(), Set.of()));

    assertThat(read.sets().get("many").unclear()).isPresent();
    assertThat(read.sets().get("many").elements()).isEmpty();
  }
}
