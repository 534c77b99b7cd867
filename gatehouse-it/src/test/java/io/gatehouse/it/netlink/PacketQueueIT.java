package io.gatehouse.it.netlink;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.it.lab.OwnNamespace;
import io.gatehouse.model.Family;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.PacketQueue;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.PacketSender;
import io.gatehouse.netlink.QueuedPacket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Packets that the kernel keeps for us: by iptables' NFQUEUE, which more kernels have than
 * nftables'.
 */
class PacketQueueIT {
  private static final int QUEUE = 7171;
  private static final Duration SOON = Duration.ofSeconds(5);

  /** ESP from here to here; the kernel makes the checksum. */
  private static final Bytes ESP =
      Bytes.of(
          HexFormat.of()
              .parseHex(
                  "4500002000010000"
                      + "40320000"
                      + "7f000001"
                      + "7f000001"
                      + "00c0ffee00000001"
                      + "01020304"));

  /** The host's own, or that of the lab's tools. */
  private static String iptables() {
    Path lab =
        Path.of(
                System.getenv()
                    .getOrDefault(
                        "GATEHOUSE_LAB_CACHE",
                        System.getProperty("user.home") + "/.cache/gatehouse/lab"))
            .resolve("root-tools/usr");
    if (Files.isExecutable(Path.of("/usr/sbin/iptables"))) {
      return "iptables";
    }
    Path tool = lab.resolve("sbin/xtables-nft-multi");
    assumeTrue(Files.isExecutable(tool), "the host lacks iptables, and the lab's tools");
    Path libraries =
        lab.resolve("lib")
            .resolve(
                System.getProperty("os.arch").equals("amd64")
                    ? "x86_64-linux-gnu"
                    : "aarch64-linux-gnu");
    return "LD_LIBRARY_PATH=%s XTABLES_LIBDIR=%s/xtables %s iptables"
        .formatted(libraries, libraries, tool);
  }

  private static void prepared() throws Exception {
    String iptables = iptables();
    sh(
        """
        ip link set lo up
        %1$s -A OUTPUT -p esp -j NFQUEUE --queue-num 7171
        %1$s -A INPUT -p esp
        """
            .formatted(iptables));
  }

  private static int arrived() throws Exception {
    return Integer.parseInt(
        sh(iptables() + " -nvxL INPUT | awk '$1 ~ /^[0-9]+$/ { print $1; exit }'").strip());
  }

  private static <T> T told(Answer<T> answer) {
    return switch (answer) {
      case Answer.Told<T>(T value) -> value;
      case Answer.Failed<T>(Failure why) -> throw new AssertionError(why.toString());
    };
  }

  private static QueuedPacket next(PacketQueue queue) {
    List<QueuedPacket> packets = told(queue.next(SOON));
    assertThat(packets).hasSize(1);
    return packets.getFirst();
  }

  @Test
  void aPacketGoesOnGoesNowhereOrComesAgain() {
    OwnNamespace.in(() -> {
      prepared();
      try (PacketQueue queue = told(PacketQueue.open(QUEUE, 2));
          PacketSender sender = told(PacketSender.open(Family.V4))) {
        assertThat(sender.send(ESP)).isZero();
        QueuedPacket first = next(queue);
        assertThat(first.queue()).isEqualTo(QUEUE);
        assertThat(first.whole()).isTrue();
        assertThat(first.payload().length()).isEqualTo(ESP.length());
        assertThat(first.payload().from(12)).isEqualTo(ESP.from(12));
        assertThat(arrived()).isZero();

        queue.rule(first, Ruling.REPEAT);
        QueuedPacket again = next(queue);
        assertThat(again.id()).isNotEqualTo(first.id());
        assertThat(again.payload()).isEqualTo(first.payload());

        queue.rule(again, Ruling.ACCEPT);
        assertThat(arrived()).isEqualTo(1);

        assertThat(sender.send(ESP)).isZero();
        queue.rule(next(queue), Ruling.DROP);
        assertThat(arrived()).isEqualTo(1);
        assertThat(told(queue.next(Duration.ZERO))).isEmpty();
      }
    });
  }

  @Test
  void aQueueHasOneListener() {
    OwnNamespace.in(() -> {
      prepared();
      try (PacketQueue queue = told(PacketQueue.open(QUEUE, 2))) {
        assertThat(queue).isNotNull();
        assertThat(PacketQueue.open(QUEUE + 1, 1)).isInstanceOf(Answer.Failed.class);
      }
      told(PacketQueue.open(QUEUE + 1, 1)).close();
    });
  }
}
