package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Calls of PPTP that the daemon translates, played without PPP: those that the kernel's helper
 * loses, {@link PptpIT}, among them.
 */
class PptpCallsIT {
  private static void in(BiConsumer<Network, Gate> story) {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    try (Network net = lab.network(PptpIT.PLAYED)) {
      Gate gate = new Gate(lab, net.host("gw"));
      gate.run(described());
      story.accept(net, gate);
    }
  }

  private static String described() {
    try {
      return Files.readString(Lab.HOME.resolve("examples/pptp-calls.yaml"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void everyCallHasItsOwnHoweverManyAndWhoeverChooses() {
    in((net, gate) -> {
      Map<String, String> came =
          PptpIT.played(
              net,
              """
              serve far
              A call a 203.0.113.1 id=7
              B call b 203.0.113.1 id=7
              again again A id=8
              parted again B id=9 parted=13
              a-out out A
              a-back back A
              b-out out B
              b-back back B
              again-out out again
              again-back back again
              parted-out out parted
              parted-back back parted
              serve s first=7
              S call far 203.0.113.2 id=9
              R call road 203.0.113.2 id=9
              s-out out S
              s-back back S
              r-out out R
              r-back back R
              a-still-back back A
              end S
              s-over out S brief
              r-still-out out R
              end A
              a-over-out out A brief
              a-over-back back A brief
              b-still-back back B
              """);
      assertThat(came)
          .as(gate::state)
          .containsEntry("A", "far/203.0.113.2")
          .containsEntry("again", "far/203.0.113.2")
          .containsEntry("parted", "far/203.0.113.2")
          .containsEntry("a-out", "far/203.0.113.2 A")
          .containsEntry("a-back", "a/203.0.113.1 A")
          .containsEntry("b-out", "far/203.0.113.2 B")
          .containsEntry("b-back", "b/203.0.113.1 B")
          .containsEntry("again-out", "far/203.0.113.2 again")
          .containsEntry("again-back", "a/203.0.113.1 again")
          .containsEntry("parted-out", "far/203.0.113.2 parted")
          .containsEntry("parted-back", "b/203.0.113.1 parted")
          .as("the server inside has chosen a host's ID")
          .containsEntry("S", "s/203.0.113.1")
          .containsEntry("s-out", "s/203.0.113.1 S")
          .containsEntry("s-back", "far/203.0.113.2 S")
          .containsEntry("r-out", "s/203.0.113.9 R")
          .containsEntry("r-back", "road/203.0.113.2 R")
          .containsEntry("a-still-back", "a/203.0.113.1 A")
          .as("behind its end")
          .containsEntry("s-over", "nowhere")
          .containsEntry("r-still-out", "s/203.0.113.9 R")
          .containsEntry("a-over-out", "nowhere")
          .containsEntry("a-over-back", "nowhere")
          .containsEntry("b-still-back", "b/203.0.113.1 B");
      assertThat(
              net.probe(
                      """
                      other ip from=a to=far dst=203.0.113.1 proto=47
                      back ip from=far to=b dst=203.0.113.2 proto=47
                      """)
                  .of("other")
                  .arrived())
          .as("GRE that belongs to no call")
          .isFalse();
    });
  }

  @Test
  @Tag("full")
  void callsOutliveTheDaemonAndItsSuccessorKnowsThem() {
    in((net, gate) -> {
      try (Played played = Played.in(net, "gw")) {
        played.says("serve far");
        assertThat(played.says("A call a 203.0.113.1 id=7")).isEqualTo("far/203.0.113.2");
        assertThat(played.says("B call b 203.0.113.1 id=7")).isEqualTo("far/203.0.113.2");
        gate.kill();
        assertThat(played.says("a-back back A")).isEqualTo("a/203.0.113.1 A");
        assertThat(played.says("b-out out B")).isEqualTo("far/203.0.113.2 B");
        assertThat(played.says("C call b 203.0.113.1 id=8")).as("closed").isEqualTo("nowhere");

        gate.run(described());
        assertThat(gate.masquerade("status"))
            .contains("2 calls of PPTP in 0 control connections")
            .contains("call 7 from 203.0.113.1 is for 10.0.1.11, which calls it 7");
        assertThat(played.says("b-back back B")).isEqualTo("b/203.0.113.1 B");
        assertThat(played.says("again again A id=9")).isEqualTo("far/203.0.113.2");
        assertThat(played.says("again-back back again")).isEqualTo("a/203.0.113.1 again");
        assertThat(gate.masquerade("status")).contains("3 calls of PPTP in 1 control connections");
        played.says("end A");
        assertThat(played.says("again-over back again")).isEqualTo("nowhere");
        gate.masquerade("release 10.0.1.11 203.0.113.1");
        assertThat(played.says("a-over back A"))
            .as("whose connection was not known")
            .isEqualTo("nowhere");
        gate.masquerade("release 10.0.1.12 203.0.113.1");
        assertThat(played.says("b-over back B")).as("released").isEqualTo("nowhere");
        assertThat(gate.masquerade("status")).contains("0 calls of PPTP");
      }
    });
  }
}
