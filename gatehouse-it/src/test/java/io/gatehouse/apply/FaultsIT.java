package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.model.Numbers;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.snapshot.LocalMachine;
import io.gatehouse.snapshot.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What may go wrong beside a change, or in the middle of one, and must not let anything through.
 */
class FaultsIT {
  private static final int KILLED = 137;

  @TempDir Path temp;
  private Namespace namespace;
  private final List<AutoCloseable> more = new ArrayList<>();

  @BeforeEach
  void create() {
    namespace = Namespace.create().withForeignEntries();
  }

  @AfterEach
  void end() throws Exception {
    for (AutoCloseable one : more.reversed()) {
      one.close();
    }
    namespace.close();
  }

  private Namespace another() {
    Namespace another = Namespace.create();
    more.add(another);
    return another;
  }

  private Directories directories(Namespace in) {
    return new Directories(temp.resolve("state"), temp.resolve("run-" + in.prefix().getLast()));
  }

  private Applier applier(Namespace in, Map<String, String> environment) {
    return new Applier(in.machine, in.prefix(), directories(in), Clock.systemUTC(), environment);
  }

  private Applier applier() {
    return applier(namespace, Map.of());
  }

  private static Request request(Ruleset ruleset, OptionalInt within) {
    return new Request(
        ruleset,
        "version: 1\n",
        "office.yaml",
        "gatehouse apply",
        within,
        Optional.empty(),
        /* atBoot= */ true);
  }

  private Outcome apply(Ruleset ruleset) {
    return applier().apply(request(ruleset, OptionalInt.empty()));
  }

  private Outcome remove() {
    return applier().remove("gatehouse remove");
  }

  private Outcome rollback() {
    return applier().rollback("gatehouse rollback");
  }

  private static void done(Outcome outcome) {
    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.DONE);
  }

  private void same(String state) {
    assertThat(Namespace.difference(state, namespace.everything())).isEmpty();
  }

  private Machine.Answer hand(Namespace in, int killAt, String script, String command) {
    return in.machine.run(
        List.of(
            "sh",
            "-c",
            "export GATEHOUSE_STATE='%s' GATEHOUSE_RUN='%s' GATEHOUSE_KILL_AT=%s; exec sh '%s' %s"
                .formatted(
                    directories(in).state(),
                    directories(in).run(),
                    killAt == 0 ? "" : killAt,
                    script,
                    command)),
        "",
        Duration.ofSeconds(60));
  }

  private Machine.Answer boot(Namespace in, int killAt, String command) {
    return hand(in, killAt, temp.resolve("state").resolve("boot.sh").toString(), command);
  }

  private void sed(String script, String file) {
    namespace.sh("sed -i '%s' '%s'".formatted(script, temp.resolve("state").resolve(file)));
  }

  // ---- address translation ----

  /** The namespace as a router: a LAN host behind eth1, a counter of what leaves by eth0. */
  private Namespace routed() {
    Namespace lan = another();
    namespace.sh(
        """
        nft delete table inet firewall
        ip link set far1 name pc0
        ip link set pc0 netns %s
        ip neigh replace 192.0.2.1 lladdr $(cat /sys/class/net/far0/address) dev eth0
        echo 0 > /proc/sys/net/ipv4/ip_forward
        nft -f - << 'N'
        table inet watch {
          counter private { }
          counter public { }
          chain arrives {
            type filter hook prerouting priority -400;
            iifname != "far0" return
            ip saddr 10.0.1.0/24 counter name private drop
            ip daddr 198.51.100.1 counter name public
            drop
          }
        }
        N
        """
            .formatted(lan.prefix().getLast()));
    lan.sh(
        """
        ip link del eth0; ip link del eth1; ip addr add 10.0.1.20/24 dev pc0; ip link set pc0 up
        ip route add default via 10.0.1.1
        """);
    return lan;
  }

  /** Sends without end, from more and more ports, each of which goes on. */
  private void flows(Namespace lan, int ports) throws IOException {
    List<String> command = new ArrayList<>(lan.prefix());
    command.addAll(
        List.of(
            "bash",
            "-c",
            """
            ports=()
            while :; do
              if [ ${#ports[@]} -lt $1 ]; then exec {port}> /dev/udp/198.51.100.1/9; ports+=($port); fi
              for port in "${ports[@]}"; do echo x >&$port; done 2> /dev/null
              sleep 0.01
            done
            """,
            "bash",
            Integer.toString(ports)));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    more.add(() -> process.destroyForcibly().waitFor());
  }

  private long packets(String counter) {
    return Long.parseLong(
        namespace
            .sh("nft list counter inet watch " + counter)
            .replaceAll("(?s).*packets (\\d+).*", "$1"));
  }

  private void more(String counter) {
    long before = packets(counter);
    await().atMost(Duration.ofMinutes(1)).until(() -> packets(counter) > before + 100);
  }

  @Test
  void nothingLeavesUntranslatedWhileTheFirstRulesetComesOrComesBack() throws IOException {
    flows(routed(), 1);

    done(apply(Rulesets.office()));
    more("public");
    assertThat(packets("private")).isZero();

    done(remove());
    namespace.sh("conntrack -F");
    done(rollback());
    more("public");
    assertThat(packets("private")).isZero();
  }

  private static Ruleset withoutNat() {
    Ruleset office = Rulesets.office();
    Table table = office.tables().getFirst();
    return office.withTables(
        List.of(
            new Table(
                table.family(),
                table.name(),
                table.sets(),
                table.chains().stream().filter(c -> !c.name().equals("nat_out")).toList())));
  }

  @Test
  void connectionsThatBeginDuringTheChangeAreTranslatedAfterIt() throws IOException {
    Namespace lan = routed();
    done(apply(withoutNat()));
    flows(lan, 1000);
    more("private");

    done(apply(Rulesets.office()));
    namespace.sh("nft reset counters table inet watch");

    more("public");
    assertThat(packets("private")).isZero();
  }

  // ---- boot ----

  @Test
  void aBootWhoseRulesAreRefusedIsClosedAndTheNextOneTriesAgain() {
    done(apply(Rulesets.office()));
    Namespace after = another();
    after.sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
    String fresh = after.everything();
    sed("$ a bogus", "generations/1/boot/final.nft");

    Machine.Answer failed = boot(after, 0, "boot");

    assertThat(failed.status()).as(failed.toString()).isEqualTo(1);
    assertThat(failed.out()).contains("not loaded");
    // Devices that come later change nothing: without rules nothing is forwarded.
    assertThat(boot(after, 0, "late").status()).isEqualTo(1);
    assertThat(after.sh("cat /proc/sys/net/ipv4/ip_forward")).isEqualTo("0\n");
    assertThat(after.sh("nft list table inet gatehouse")).contains("hook forward", "policy drop");
    assertThat(after.sh("ip xfrm policy list")).contains("dst 10.0.3.0/24", "action block");
    assertThat(applier(after, Map.of()).atBoot()).isEqualTo(1);
    assertThat(applier(after, Map.of()).status().isFine()).isFalse();
    done(applier(after, Map.of()).remove("gatehouse remove"));
    assertThat(Namespace.difference(fresh, after.everything())).isEmpty();
    done(applier(after, Map.of()).rollback("gatehouse rollback"));
    assertThat(applier(after, Map.of()).atBoot()).isEqualTo(1);

    sed("/bogus/d", "generations/1/boot/final.nft");
    Namespace next = another();
    assertThat(boot(next, 0, "boot").status()).isZero();
    assertThat(applier(next, Map.of()).status().drift()).isEmpty();
  }

  @Test
  void aBootThatWasCutOffGoesOn() {
    done(apply(Rulesets.office()));
    String table = namespace.sh("nft -s list table inet gatehouse");
    for (int step : List.of(2, 3, 6, 12, 17)) {
      Namespace after = another();
      assertThat(boot(after, step, "boot").status()).isEqualTo(KILLED);

      Machine.Answer recovered = boot(after, 0, step % 2 == 0 ? "recover" : "boot");

      assertThat(recovered.status()).as(recovered.toString()).isZero();
      assertThat(after.sh("nft -s list table inet gatehouse")).isEqualTo(table);
      Status status = applier(after, Map.of()).status();
      assertThat(status.drift()).as("killed at step " + step).isEmpty();
      assertThat(status.atBoot()).isEqualTo(1);
    }
  }

  @Test
  void rollbackAfterRemoveGivesBackWhatABootLoads() {
    done(apply(Rulesets.office()));
    done(remove());
    assertThat(applier().atBoot()).isZero();

    Outcome back = rollback();

    done(back);
    assertThat(applier().atBoot()).isEqualTo(1);
    assertThat(back.lines()).contains("the next boot loads generation 1");
    done(apply(Rulesets.moved()));
    done(rollback());
    assertThat(applier().atBoot()).isEqualTo(1);
    done(rollback());
    assertThat(applier().atBoot()).isZero();
  }

  @Test
  void lateForgetsNothingOfAGenerationThatWasApplied() {
    namespace.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    String before = namespace.everything();
    done(apply(Rulesets.office()));
    String office = namespace.everything();
    done(apply(Rulesets.moved()));
    String moved = namespace.everything();

    assertThat(boot(namespace, 0, "late").status()).isZero();

    same(moved);
    done(rollback());
    same(office);
    done(apply(Rulesets.moved()));
    assertThat(boot(namespace, 0, "late").status()).isZero();
    done(remove());
    same(before);
  }

  @Test
  void whatIsToldOfANamespaceThatHadTheSameNumberIsNotBelieved() {
    done(apply(Rulesets.office()));
    Namespace after = another();
    sed(
        "s/^namespace .*/namespace " + after.sh("readlink /proc/self/ns/net").strip() + "/",
        "journal");

    Machine.Answer booted = boot(after, 0, "boot");

    assertThat(booted.status()).as(booted.toString()).isZero();
    assertThat(booted.out()).contains("another namespace");
    assertThat(applier(after, Map.of()).status().drift()).isEmpty();
  }

  // ---- numbers and owners ----

  private static Ruleset numbered(int protocol, long backstop) {
    Ruleset office = Rulesets.office();
    Numbers usual = Numbers.DEFAULT;
    return new Ruleset(
        office.gateway(),
        office.tables(),
        office.backstop().stream()
            .map(p ->
                new XfrmPolicy(
                    p.direction(), p.source(), p.destination(), backstop, p.block(), p.origin()))
            .toList(),
        office.rules(),
        office.routes(),
        office.neighbours(),
        office.sysctls(),
        new Numbers(
            usual.rulePriorities(),
            usual.routeTables(),
            protocol,
            backstop,
            usual.saMarkMask(),
            usual.identityMarkMask(),
            usual.transportZones(),
            usual.masqueradeZones(),
            usual.queue()));
  }

  @Test
  void otherNumbersTakeTheirPlaceAndLeaveNothing() {
    String before = namespace.everything();
    done(apply(Rulesets.office()));
    String office = namespace.everything();

    Outcome changed = apply(numbered(190, 4294967000L));

    done(changed);
    assertThat(changed.lines()).noneMatch(line -> line.contains("dst 10.0.3.0/24"));
    assertThat(namespace.sh("ip xfrm policy list")).contains("priority 4294967000");
    assertThat(namespace.sh("ip -N rule; ip -N route show table all; ip -N neigh show proxy"))
        .contains("proto 190")
        .doesNotContain("proto 171");
    // Somebody else has the selector, and keeps it.
    assertThat(applier().status().drift()).allMatch(line -> line.contains("src 10.77.0.0/16"));
    done(rollback());
    same(office);
    done(apply(numbered(190, 4294967000L)));
    done(remove());
    same(before);
  }

  @Test
  void aPolicyInThePlaceOfTheBackstopThatHoldsNothingIsAConflict() {
    namespace.sh(
        "ip xfrm policy add dir out src 0.0.0.0/0 dst 10.0.3.0/24 action allow priority 100");
    String before = namespace.everything();

    Outcome outcome = apply(Rulesets.office());

    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.REFUSED);
    assertThat(outcome.lines()).anyMatch(line -> line.contains("has its place"));
    same(before);
  }

  @Test
  void aPolicyWithAMarkOrAnInterfaceIsAnotherOne() {
    namespace.sh(
        """
        ip xfrm policy add dir out src 0.0.0.0/0 dst 10.0.3.0/24 if_id 7 action allow priority 100
        ip xfrm policy add dir in src 10.0.3.0/24 dst 0.0.0.0/0 mark 5 action allow priority 100
        ip xfrm policy add dir fwd src 10.0.3.0/24 dst 0.0.0.0/0 proto udp action allow priority 100
        """);
    String before = namespace.everything();

    done(apply(Rulesets.office()));

    assertThat(namespace.sh("ip xfrm policy list | grep -A1 10.0.3.0/24 | grep -c block"))
        .isEqualTo("3\n");
    done(remove());
    same(before);
  }

  // ---- the lock ----

  /** Writes a generation down without beginning with it. */
  private void prepare(Ruleset ruleset) {
    Outcome outcome =
        applier(namespace, Map.of("GATEHOUSE_KILL_AT", "1"))
            .apply(request(ruleset, OptionalInt.empty()));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
  }

  private Hand open(Map<String, String> environment) throws IOException {
    Hand.Attempt attempt =
        Hand.open(directories(namespace), namespace.prefix(), environment, "gatehouse apply");
    assertThat(attempt).isInstanceOf(Hand.Attempt.Taken.class);
    Hand hand = ((Hand.Attempt.Taken) attempt).hand();
    more.add(hand);
    return hand;
  }

  @Test
  void whoeverIsStoppedAfterAChangeDoesNotKeepItFromBeingTakenBack() throws IOException {
    done(apply(Rulesets.office()));
    String office = namespace.everything();
    prepare(Rulesets.moved());
    Hand hand = open(Map.of());

    assertThat(hand.tell("redo 2 1").status()).isZero();

    // The one that gave the command is still there, and says nothing more.
    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> Journal.read(directories(namespace)).orElseThrow().waiting().isEmpty());
    same(office);
  }

  @Test
  void whoeverIsStoppedBeforeAChangeLosesTheLock() throws IOException {
    open(Map.of("GATEHOUSE_IDLE", "1"));
    Directories directories = directories(namespace);

    await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> {
          Hand.Attempt attempt = Hand.open(directories, namespace.prefix(), Map.of(), "gatehouse");
          if (attempt instanceof Hand.Attempt.Taken taken) {
            taken.hand().close();
            return true;
          }
          return false;
        });
  }

  // ---- settings ----

  private List<String> readOnly() {
    return Stream.concat(
            namespace.prefix().stream(),
            Stream.of(
                "sh",
                "-c",
                "mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys && exec \"$@\"",
                "sh"))
        .toList();
  }

  @Test
  void aSettingThatCannotBeWrittenIsNamedBeforeAnythingIsTouched() {
    namespace.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    String before = namespace.everything();
    Applier applier =
        new Applier(
            new LocalMachine(readOnly()),
            readOnly(),
            directories(namespace),
            Clock.systemUTC(),
            Map.of());

    Outcome outcome = applier.apply(request(Rulesets.office(), OptionalInt.empty()));

    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.LACKING);
    assertThat(outcome.lines()).anyMatch(line -> line.contains("/proc/sys/net/ipv4/ip_forward"));
    same(before);
  }

  @Test
  void aSettingThatIsNotWrittenTakesTheChangeBack() {
    namespace.sh("echo 0 > /proc/sys/net/ipv4/ip_forward");
    String before = namespace.everything();
    // Writable when we looked, and not any more when it came to it.
    Applier applier =
        new Applier(
            namespace.machine, readOnly(), directories(namespace), Clock.systemUTC(), Map.of());

    Outcome outcome = applier.apply(request(Rulesets.office(), OptionalInt.empty()));

    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.REFUSED);
    assertThat(outcome.lines()).contains("cannot write net/ipv4/ip_forward");
    assertThat(applier().atBoot()).isZero();
    same(before);
  }

  @Test
  void aFenceThatWouldBeRefusedIsSeenBeforeAnythingIsTouched() {
    done(apply(Rulesets.office()));
    String stands = namespace.everything();
    Applier applier =
        new Applier(
            mute("nft -c", "table inet gatehouse_fence {"),
            namespace.prefix(),
            directories(namespace),
            Clock.systemUTC(),
            Map.of());

    Outcome outcome = applier.apply(request(Rulesets.grown(), OptionalInt.empty()));

    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.FAILED);
    assertThat(outcome.lines())
        .containsExactly("nft refuses the fence:", "Dump terminated", "nothing was touched");
    same(stands);
    assertThat(applier().status().isFine()).isTrue();
  }

  @Test
  void aFenceThatIsRefusedAfterAllTakesTheChangeBack() throws IOException {
    done(apply(Rulesets.office()));
    String stands = namespace.everything();
    Path shim = Files.createDirectory(temp.resolve("shim")).resolve("nft");
    Files.writeString(
        shim,
        """
        #!/bin/sh
        case "$1 $2" in
          '-f '*/2/fence.nft) echo 'Error: Could not process rule: Cannot allocate memory' >&2; exit 1 ;;
        esac
        PATH=${PATH#*:}
        exec nft "$@"
        """);
    assertThat(shim.toFile().setExecutable(true)).isTrue();
    Map<String, String> path = Map.of("PATH", shim.getParent() + ":" + System.getenv("PATH"));

    Outcome outcome =
        applier(namespace, path).apply(request(Rulesets.grown(), OptionalInt.empty()));

    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.REFUSED);
    assertThat(outcome.lines())
        .anyMatch(line -> line.contains("Cannot allocate memory"))
        .endsWith("the kernel has what it had before");
    same(stands);
    assertThat(applier().status().isFine()).isTrue();
  }

  /** A machine whose commands that begin so fail. */
  private Machine mute(String words) {
    return mute(words, "");
  }

  private Machine mute(String words, String text) {
    Machine real = namespace.machine;
    return new Machine() {
      @Override
      public Answer run(List<String> command, String stdin, Duration limit) {
        return String.join(" ", command).startsWith(words) && stdin.contains(text)
            ? new Answer(2, "", "Dump terminated\n")
            : real.run(command, stdin, limit);
      }

      @Override
      public Optional<String> read(String path) {
        return real.read(path);
      }

      @Override
      public List<String> list(String directory) {
        return real.list(directory);
      }

      @Override
      public Optional<String> link(String path) {
        return real.link(path);
      }
    };
  }

  @ParameterizedTest
  @ValueSource(strings = {"ip -N -j -4 route", "ip -N -j -4 rule", "ip xfrm policy list"})
  void whatCannotBeReadIsNotTakenForGone(String words) {
    done(apply(Rulesets.office()));
    String stands = namespace.everything();
    Applier applier =
        new Applier(
            mute(words), namespace.prefix(), directories(namespace), Clock.systemUTC(), Map.of());

    Outcome changed = applier.apply(request(Rulesets.grown(), OptionalInt.empty()));
    // Whoever has no policies at all lacks something.
    assertThat(changed.kind())
        .as(changed.toString())
        .isIn(Outcome.Kind.FAILED, Outcome.Kind.LACKING);
    assertThat(changed.lines()).contains("nothing was touched");
    same(stands);

    Outcome removed = applier.remove("gatehouse remove");
    assertThat(removed.kind()).as(removed.toString()).isEqualTo(Outcome.Kind.FAILED);
    assertThat(removed.lines()).anyMatch(line -> line.contains(words));
    same(stands);
    assertThat(applier.status().isFine()).isFalse();
  }

  @Test
  void whatUndoCannotTakeBackIsSaid() throws IOException {
    done(apply(Rulesets.office()));
    Path shim = Files.createDirectory(temp.resolve("shim")).resolve("ip");
    Files.writeString(
        shim,
        """
        #!/bin/sh
        real=$(PATH=${PATH#*:} command -v ip)
        case "$1 $2" in
          '-batch '*)
            text=$(cat ${2#-})
            case $text in
              *'xfrm policy delete'*) echo 'RTNETLINK answers: Operation not permitted' >&2; exit 1 ;;
            esac
            printf '%s\\n' "$text" | exec "$real" -batch -
            ;;
        esac
        exec "$real" "$@"
        """);
    assertThat(shim.toFile().setExecutable(true)).isTrue();
    Map<String, String> path = Map.of("PATH", shim.getParent() + ":" + System.getenv("PATH"));

    Outcome outcome = applier(namespace, path).rollback("gatehouse rollback");

    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.FAILED);
    assertThat(outcome.lines())
        .anyMatch(line -> line.startsWith("not taken back: xfrm policy delete "))
        .endsWith("but for what is said above: mend that by hand");
    assertThat(namespace.machine.run("ip", "xfrm", "policy", "list").out()).contains("block");
  }

  @Test
  void nothingIsLoadedAtBootFromADirectoryThatAUnitCannotName() throws IOException {
    Path units = Files.createDirectory(temp.resolve("units"));
    Machine systemd =
        new Machine() {
          @Override
          public Answer run(List<String> command, String stdin, Duration limit) {
            return new Answer(0, "5 1\n5 1\n", ""); // of files of one namespace
          }

          @Override
          public Optional<String> read(String path) {
            return Optional.empty();
          }

          @Override
          public List<String> list(String directory) {
            return List.of("system");
          }

          @Override
          public Optional<String> link(String path) {
            return Optional.of("net:[1]");
          }
        };

    List<String> said =
        new BootUnits(systemd, new Directories(temp.resolve("a b"), temp), units).install();

    assertThat(said).singleElement().asString().startsWith("! not loaded at boot");
    assertThat(units).isEmptyDirectory();
  }
}
