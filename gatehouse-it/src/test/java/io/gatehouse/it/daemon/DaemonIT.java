package io.gatehouse.it.daemon;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.OwnNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** `gatehouse run` as a process on the running kernel; the test says what charon says. */
@Timeout(180)
class DaemonIT {
  private static final String ANNA = "anna@fin.example.org";
  private static final Duration SOON = Duration.ofSeconds(40);

  private static final String INTERFACES =
      OwnNamespace.TWO_LINKS
          + """
          ip addr add 203.0.113.2/24 dev eth0
          ip addr add 10.0.1.1/24 dev eth1
          """;

  @TempDir Path directory;

  private Path vici() {
    return directory.resolve("charon.vici");
  }

  private interface Story {
    void tell(Gatehouse gatehouse, PlayedCharon charon) throws Exception;
  }

  private void told(Story story) {
    OwnNamespace.in(() -> {
      sh(INTERFACES);
      Gatehouse gatehouse =
          new Gatehouse(directory, vici(), Lab.HOME.resolve("examples/groups.yaml"));
      try (PlayedCharon charon = new PlayedCharon(vici())) {
        story.tell(gatehouse, charon);
      } finally {
        gatehouse.end();
      }
    });
  }

  private static String maps() throws Exception {
    return sh(
        "nft list map inet gatehouse in_staff.groups4; nft list map inet gatehouse from_staff.groups4");
  }

  private static void soonInItsGroup(int number) {
    await()
        .pollInSameThread() // which is in the namespace
        .atMost(SOON)
        .untilAsserted(() ->
            assertThat(maps())
                .containsPattern("10.0.3." + number + " [^:,]*: goto in_staff.finance")
                .containsPattern("10.0.3." + number + " [^:,]*: goto from_staff.finance"));
  }

  private static void soonNobody(int number) {
    await()
        .pollInSameThread() // which is in the namespace
        .atMost(SOON)
        .untilAsserted(() -> assertThat(maps()).doesNotContain("10.0.3." + number + " "));
  }

  @Test
  void clientsAreInTheirGroupsWhileTheyAreThereAndCharonSaysSo() {
    told((gatehouse, charon) -> {
      charon.comes(5, ANNA); // before anybody listens
      gatehouse.run();
      soonInItsGroup(5);
      charon.comes(6, ANNA);
      charon.comes(7, "eve@elsewhere");
      soonInItsGroup(6);
      assertThat(maps()).doesNotContain("10.0.3.7");
      assertThat(gatehouse.ask("sessions"))
          .contains("staff  " + ANNA + "  10.0.3.6", "group finance", "3 sessions");
      assertThat(gatehouse.ask("status"))
          .contains("the daemon follows 3 sessions, IKE daemon: connected");
      assertThat(answerFor("0")).startsWith("generation=1&");
      assertThat(answerFor("65534")).as("another user").isEmpty();
      charon.leaves(5);
      soonNobody(5);
      soonInItsGroup(6);

      charon.close();
      soonNobody(6);
      assertThat(gatehouse.ask("status")).contains("IKE daemon: there is no " + vici());
      hook(gatehouse);
      try (PlayedCharon back = new PlayedCharon(vici())) {
        back.comes(8, ANNA);
        soonInItsGroup(8);
        assertThat(back.lists()).isPositive();
        assertThat(maps()).doesNotContain("10.0.3.6 ");
      }
    });
  }

  /** What the control socket answers a user whom the modes of files would let through. */
  private String answerFor(String user) throws Exception {
    return sh(
        """
        chmod 711 %1$s %1$s/run; chmod 666 %1$s/run/control
        setpriv --reuid=%2$s --clear-groups /usr/bin/perl -MIO::Socket::UNIX -e '
          my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "not even reached: $!";
          $SIG{PIPE} = "IGNORE";
          $socket->print("status\\n"); $socket->flush;
          print while <$socket>;
        ' %1$s/run/control
        """
            .formatted(directory, user));
  }

  /** An updown hook tells of somebody, but no EAP identity: he is there, and in no group. */
  private void hook(Gatehouse gatehouse) throws IOException, InterruptedException {
    ProcessBuilder hook = gatehouse.command("updown");
    hook.environment().put("PLUTO_VERB", "up-client");
    hook.environment().put("PLUTO_CONNECTION", "staff");
    hook.environment().put("PLUTO_REQID", "16389");
    hook.environment().put("PLUTO_UNIQUEID", "30");
    hook.environment().put("PLUTO_PEER_CLIENT", "10.0.3.9/32");
    hook.environment().put("PLUTO_PEER_ID", "bob@fin.example.org");
    hook.redirectOutput(directory.resolve("hook").toFile());
    assertThat(hook.start().waitFor()).isZero();
    await()
        .pollInSameThread()
        .atMost(SOON)
        .untilAsserted(
            () -> assertThat(gatehouse.ask("sessions")).contains("staff  bob@fin.example.org"));
  }

  @Test
  void whatSomebodyElseDoesToTheKernelIsMended() {
    told((gatehouse, charon) -> {
      charon.comes(5, ANNA);
      gatehouse.run();
      soonInItsGroup(5);
      sh(
          """
          nft delete element inet gatehouse in_staff.groups4 '{ 10.0.3.5 }'
          nft add element inet gatehouse in_staff.groups4 '{ 10.0.3.66 : goto in_staff.admins }'
          """);
      soonInItsGroup(5);
      soonNobody(66);
      sh("nft flush ruleset");
      await()
          .pollInSameThread()
          .atMost(SOON)
          .untilAsserted(() -> assertThat(sh("nft list ruleset")).contains("table inet gatehouse"));
      soonInItsGroup(5);
    });
  }

  @Test
  void aDaemonThatWasKilledIsFollowedByOneThatFindsWhatHappenedMeanwhile() {
    told((gatehouse, charon) -> {
      Process first = gatehouse.run();
      charon.comes(5, ANNA);
      charon.comes(6, ANNA);
      soonInItsGroup(6);
      first.destroyForcibly().waitFor();
      assertThat(maps()).as("the kernel goes on").contains("10.0.3.5 ", "10.0.3.6 ");
      charon.vanishes(5);
      charon.comes(8, ANNA);
      Process second = gatehouse.run();
      soonInItsGroup(8);
      soonInItsGroup(6);
      soonNobody(5);

      second.destroy(); // SIGTERM
      assertThat(second.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(maps()).contains("10.0.3.8 ", "10.0.3.6 ");
      assertThat(Files.exists(directory.resolve("run/control"))).isFalse();
    });
  }

  /** A new namespace stands for the kernel after a reboot, an empty directory for its /run. */
  @Test
  void aRebootIsClosedBeforeInterfacesRiseAndThenThoseWhoAreThereAreInTheirGroups() {
    told((gatehouse, charon) -> {
      Process first = gatehouse.run();
      String nobody = standing();
      charon.comes(5, ANNA);
      charon.comes(6, ANNA);
      soonInItsGroup(6);
      first.destroyForcibly().waitFor();
      charon.vanishes(5);
      OwnNamespace.in(() -> {
        sh("rm -rf " + directory + "/run");
        boot("boot");
        assertThat(standing()).as("without interfaces").isEqualTo(nobody);
        sh(INTERFACES);
        boot("late");
        assertThat(standing()).isEqualTo(nobody);

        gatehouse.run();
        soonInItsGroup(6);
        charon.comes(8, ANNA);
        soonInItsGroup(8);
        assertThat(maps()).doesNotContain("10.0.3.5 ");
        assertThat(gatehouse.ask("status"))
            .contains("generation 1 stands", "the daemon follows 2 sessions")
            .doesNotContain("differences");
      });
    });
  }

  /** Each is killed in the middle of a burst of events, somewhere else each time. */
  @Test
  @Tag("full")
  void whoeverIsKilledAmidstEventsIsFollowedByOneThatAgreesWithKernelAndCharon() {
    told((gatehouse, charon) -> {
      for (int each = 0; each < 6; each++) {
        Process daemon = gatehouse.run();
        for (int event = 0; event < 50; event++) {
          int number = 10 + (7 * event + each) % 30;
          if (charon.has(number)) {
            charon.leaves(number);
          } else {
            charon.comes(number, ANNA);
          }
          if (event == 8 * each + 5) {
            daemon.destroyForcibly(); // and is not waited for
          }
        }
        daemon.waitFor();
      }
      gatehouse.run();
      for (int number = 10; number < 40; number++) {
        if (charon.has(number)) {
          soonInItsGroup(number);
        } else {
          soonNobody(number);
        }
      }
    });
  }

  /** The rules with what is in their maps, and the backstop. */
  private static String standing() throws Exception {
    return sh("nft -s list table inet gatehouse; ip -o xfrm policy list | sort");
  }

  /** As the unit does, with nothing of the environment and no Java. */
  private void boot(String command) throws Exception {
    sh(
        """
        exec env -i GATEHOUSE_STATE=%1$s/state GATEHOUSE_RUN=%1$s/run PATH=/usr/sbin:/usr/bin \
          /bin/sh %1$s/state/boot.sh %2$s
        """
            .formatted(directory, command));
  }
}
