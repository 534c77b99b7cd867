package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.LocalMachine;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Changes of a kernel's namespace that others use too. */
class ApplyIT {
  @TempDir Path temp;
  private Namespace namespace;

  @BeforeEach
  void create() {
    namespace = Namespace.create().withForeignEntries();
  }

  @AfterEach
  void end() {
    namespace.close();
  }

  private Applier applier() {
    return new Applier(
        namespace.machine, namespace.prefix(), directories(), Clock.systemUTC(), Map.of());
  }

  private Directories directories() {
    return new Directories(temp.resolve("state"), temp.resolve("run"));
  }

  static Request request(Ruleset ruleset, OptionalInt confirmWithin) {
    return new Request(
        ruleset,
        "version: 1\n",
        "office.yaml",
        "gatehouse apply",
        confirmWithin,
        Optional.empty(),
        false);
  }

  private Outcome apply(Ruleset ruleset) {
    return applier().apply(request(ruleset, OptionalInt.empty()));
  }

  private static void done(Outcome outcome) {
    assertThat(outcome.kind()).as(String.join("\n", outcome.lines())).isEqualTo(Outcome.Kind.DONE);
  }

  private void same(String state) {
    String now = namespace.everything();
    assertThat(Namespace.difference(state, now)).isEmpty();
  }

  @Test
  void removeGivesBackTheHostAsItWas() {
    String before = namespace.everything();

    done(apply(Rulesets.office()));
    String office = namespace.everything();
    done(applier().remove("gatehouse remove"));

    assertThat(office)
        .isNotEqualTo(before)
        .contains(
            "from_staff",
            "/proc/sys/net/ipv4/ip_forward:1\n",
            "10.0.1.60 dev eth1 proxy proto 171");
    assertThat(namespace.everything()).isEqualTo(before);
  }

  @Test
  void rollbackGivesBackTheGenerationBefore() {
    String before = namespace.everything();
    done(apply(Rulesets.office()));
    String office = namespace.everything();
    done(apply(Rulesets.moved()));
    assertThat(namespace.everything()).isNotEqualTo(office);

    done(applier().rollback("gatehouse rollback"));
    same(office);

    done(applier().rollback("gatehouse rollback"));
    same(before);
  }

  @Test
  void theSameAgainIsNothingToDo() {
    done(apply(Rulesets.office()));
    String office = namespace.everything();

    assertThat(applier().plan(Rulesets.office()).changes()).isEmpty();
    assertThat(applier().plan(Rulesets.office()).different()).isFalse();
    Outcome again = apply(Rulesets.office());

    assertThat(again.lines()).last().asString().contains("nothing to do");
    same(office);
  }

  /** Nothing else differs, so that only who reads all elements of all sets finds it. */
  @Test
  void theSameAgainTakesOutAnElementOfSomebodyElses() {
    done(apply(Rulesets.office()));
    namespace.sh("nft add element inet gatehouse far4 '{ 10.66.0.0/16 }'");
    assertThat(applier().plan(Rulesets.office()).different()).isTrue();

    done(apply(Rulesets.office()));

    assertThat(namespace.sh("nft list set inet gatehouse far4")).doesNotContain("10.66.0.0/16");
  }

  /** The daemon puts back what it found standing; an operator's later word counts more. */
  @Test
  void aWishThatRestsOnAGenerationIsRefusedWhereAnotherStands() {
    done(apply(Rulesets.office()));
    int first = applier().now();
    done(apply(Rulesets.moved()));
    String moved = namespace.everything();

    Outcome late = applier().apply(resting(first));

    assertThat(late.kind()).isEqualTo(Outcome.Kind.REFUSED);
    assertThat(late.lines()).last().isEqualTo("nothing was touched");
    same(moved);

    namespace.sh("nft delete table inet gatehouse");
    done(applier().remove("gatehouse remove"));
    String removed = namespace.everything();
    assertThat(applier().apply(resting(first)).kind()).isEqualTo(Outcome.Kind.REFUSED);
    same(removed);
  }

  private Request resting(int generation) {
    Request request = request(Rulesets.office(), OptionalInt.empty());
    return new Request(
        request.ruleset(),
        request.description(),
        request.file(),
        "gatehouse run",
        request.confirmWithin(),
        request.ssh(),
        request.atBoot(),
        OptionalInt.of(generation));
  }

  @Test
  void whatStandsAsExpectedIsPutBack() {
    done(apply(Rulesets.office()));
    namespace.sh("nft delete table inet gatehouse");
    assertThat(namespace.everything()).doesNotContain("from_staff");

    done(applier().apply(resting(applier().now())));

    assertThat(namespace.everything()).contains("from_staff");
  }

  @Test
  void liveElementsStayWhereTheyMay() {
    done(apply(Rulesets.office()));
    namespace.sh(
        "nft add element inet gatehouse groups4"
            + " '{ 10.0.3.7 timeout 1h : goto group_finance, 10.0.3.8 : goto group_finance }'");

    done(apply(Rulesets.grown()));
    assertThat(live()).contains("10.0.3.7 timeout 1h", "10.0.3.8");

    done(applier().rollback("gatehouse rollback"));
    assertThat(live()).contains("10.0.3.7 timeout 1h", "10.0.3.8");

    // Another pool: the contract allows neither any more.
    done(apply(Rulesets.moved()));
    assertThat(live()).contains("map groups4").doesNotContain("10.0.3.7", "10.0.3.8");
  }

  private String live() {
    return namespace.sh("nft list map inet gatehouse groups4");
  }

  @Test
  void statusNamesWhatHasChangedAndApplyMendsIt() {
    done(apply(Rulesets.office()));
    String office = namespace.everything();
    assertThat(applier().status().drift()).isEmpty();

    namespace.sh(
        """
        nft -a list chain inet gatehouse input > "$0.rules"
        handle=$(sed -n '/dport 22/s/.*# handle //p' "$0.rules"); rm "$0.rules"
        nft delete rule inet gatehouse input handle "$handle"
        nft insert rule inet gatehouse forward udp dport 4711 accept
        nft add element inet gatehouse far4 '{ 10.66.0.0/16 }'
        ip rule del from 10.8.0.2/32 lookup 7100 priority 5000 protocol 171
        ip -6 rule del priority 5001
        ip rule add from 10.8.0.99/32 lookup 7100 priority 5003 protocol 171
        ip route del 10.0.3.0/24 dev eth0 proto 171
        ip neigh del proxy 10.0.1.60 dev eth1
        ip xfrm policy delete dir fwd src 10.0.3.0/24 dst 0.0.0.0/0
        echo 1 > /proc/sys/net/ipv4/conf/eth1/send_redirects
        """
            .replace("$0", temp.resolve("list").toString()));
    List<String> drift = applier().status().drift();

    assertThat(drift)
        .as(String.join("\n", drift))
        .hasSize(10)
        .anyMatch(line -> line.matches("chain input lacks: .*dport 22 .*office.yaml:12.*"))
        .anyMatch(line -> line.startsWith("chain forward has, not ours: udp dport 4711"))
        .anyMatch(line -> line.equals("set far4 has, not ours: 10.66.0.0/16"))
        .anyMatch(line -> line.matches("lacks: rule ip priority 5000 .*office.yaml:30.*"))
        .anyMatch(line -> line.matches("lacks: rule ip6 priority 5001 .*office.yaml:31.*"))
        .anyMatch(line -> line.matches("has, .* not ours: rule ip priority 5003 .*"))
        .anyMatch(line -> line.matches("lacks: route ip 10.0.3.0/24 .*office.yaml:12.*"))
        .anyMatch(line -> line.matches("lacks: neigh ip proxy 10.0.1.60 .*office.yaml:14.*"))
        .anyMatch(line -> line.matches("lacks: xfrm policy add .* dir fwd .*office.yaml:12.*"))
        .anyMatch(line ->
            line.matches("net/ipv4/conf/eth1/send_redirects is 1 and is to be 0 .*yaml:4.*"));

    done(apply(Rulesets.office()));
    assertThat(applier().status().drift()).isEmpty();
    // All but the number of the generation.
    assertThat(Namespace.difference(office, namespace.everything()))
        .allMatch(line -> line.matches("[-+]\\s+elements = \\{ 0x0000000[12] }"));

    namespace.sh("nft flush ruleset");
    assertThat(applier().status().drift()).singleElement().asString().contains("flushed");
  }

  @Test
  void theSecondOfTwoIsToldWhoHoldsTheLock() throws Exception {
    String before = namespace.everything();
    Hand.Attempt first =
        Hand.open(directories(), namespace.prefix(), Map.of(), "gatehouse apply first.yaml");
    assertThat(first).isInstanceOf(Hand.Attempt.Taken.class);
    try (Hand hand = ((Hand.Attempt.Taken) first).hand()) {
      for (Outcome second :
          List.of(
              apply(Rulesets.office()),
              applier().confirm("gatehouse confirm"),
              applier().rollback("gatehouse rollback"),
              applier().remove("gatehouse remove"))) {
        assertThat(second.kind()).isEqualTo(Outcome.Kind.REFUSED);
        assertThat(second.lines().getFirst())
            .contains(
                "`gatehouse apply first.yaml`",
                "process " + ProcessHandle.current().pid(),
                "holds the lock");
      }
      assertThat(hand.tell("recover").status()).isZero();
    }
    same(before);

    done(apply(Rulesets.office()));
  }

  private Outcome applyOver(String ssh, OptionalInt confirmWithin) {
    return applier()
        .apply(
            new Request(
                Rulesets.office(),
                "version: 1\n",
                "office.yaml",
                "gatehouse apply",
                confirmWithin,
                Optional.of(ssh),
                false));
  }

  @Test
  void whatRefusesTheAdministratorNeedsConfirm() {
    String before = namespace.everything();
    // By eth0, where the new rules let nobody in; by whichever device; not to be read.
    for (String ssh :
        List.of("198.51.100.7 40000 192.0.2.2 22", "10.0.1.9 40000 192.0.2.2 22", "who knows")) {
      Outcome outcome = applyOver(ssh, OptionalInt.empty());
      assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REFUSED);
      assertThat(outcome.lines()).first().asString().contains("your own");
      assertThat(outcome.lines()).last().asString().contains("--confirm 60s");
    }
    same(before);
    assertThat(directories().generation(1)).doesNotExist();

    done(applyOver("198.51.100.7 40000 192.0.2.2 22", OptionalInt.of(600)));
    done(applier().rollback("gatehouse rollback"));
    same(before);
    done(applyOver("10.0.1.9 40000 10.0.1.1 22", OptionalInt.empty()));
  }

  @Test
  void everyToolThatIsMissingIsNamedBeforeAnythingIsTouched() {
    String before = namespace.everything();
    String hide = "for t in conntrack setsid; do mount --bind /dev/null \"$(command -v $t)\"; done";
    List<String> without =
        Stream.concat(
                namespace.prefix().stream(),
                Stream.of("unshare", "-m", "sh", "-c", hide + "; exec \"$@\"", "sh"))
            .toList();

    Outcome outcome =
        new Applier(new LocalMachine(without), without, directories(), Clock.systemUTC(), Map.of())
            .apply(request(Rulesets.office(), OptionalInt.empty()));

    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.LACKING);
    assertThat(outcome.lines())
        .satisfiesExactlyInAnyOrder(
            line -> assertThat(line).startsWith("missing: conntrack (package conntrack)"),
            line -> assertThat(line).startsWith("missing: setsid (package util-linux)"),
            line -> assertThat(line).isEqualTo("nothing was touched"));
    same(before);
    assertThat(directories().state()).doesNotExist();
  }
}
