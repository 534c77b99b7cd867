package io.gatehouse.it.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.capture.Capture;
import io.gatehouse.capture.Frame;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Udp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Wireshark's reader finds the same addresses, ports, SPIs, numbers and cookies in real captures.
 */
@Tag("full")
class TsharkIT {
  private static final List<String> FIELDS =
      List.of(
          "frame.number",
          "ip.src",
          "ip.dst",
          "udp.srcport",
          "udp.dstport",
          "esp.spi",
          "esp.sequence",
          "isakmp.ispi",
          "isakmp.rspi",
          "isakmp.exchangetype",
          "isakmp.length");

  @TempDir private Path directory;

  @Test
  void findsTheSame() throws IOException, InterruptedException {
    String corpus = System.getenv().getOrDefault("GATEHOUSE_CORPUS", "");
    assumeTrue(!corpus.isEmpty(), "needs GATEHOUSE_CORPUS, a directory with captures");
    List<Path> files;
    try (Stream<Path> all = Files.list(Path.of(corpus, "captures"))) {
      files = all.sorted().toList();
    }
    assertThat(files).isNotEmpty();
    List<String> theirs = tshark(files);
    List<String> ours = new ArrayList<>();
    for (Path file : files) {
      for (Frame frame : Capture.read(Bytes.copyOf(Files.readAllBytes(file))).frames()) {
        // What one of us calls broken is no matter of agreement.
        line(frame).ifPresent(line -> ours.add(file.getFileName() + "|" + line));
      }
    }
    assertThat(ours).hasSizeGreaterThan(30).isSubsetOf(theirs);
  }

  private List<String> tshark(List<Path> files) throws IOException, InterruptedException {
    StringBuilder script = new StringBuilder("set -e\n");
    for (Path file : files) {
      script.append(
          "tshark -n -r '%s' -T fields -E 'separator=|' -E occurrence=f -e %s 2>/dev/null | sed 's/^/%s|/'\n"
              .formatted(file, String.join(" -e ", FIELDS), file.getFileName()));
    }
    Path told = Files.writeString(directory.resolve("tshark.sh"), script);
    Process process =
        new ProcessBuilder(
                Lab.HOME.resolve("lab/inside").toString(), "--layers", "tshark", told.toString())
            .redirectErrorStream(false)
            .start();
    process.getOutputStream().close();
    List<String> lines = process.inputReader().lines().toList();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();
    return lines;
  }

  private static Optional<String> line(Frame frame) {
    if (!(frame.packet().orElse(new Malformed(0, "no IP")) instanceof Ip ip)) {
      return Optional.empty();
    }
    String ends = frame.number() + "|" + ip.source() + "|" + ip.destination() + "|";
    return switch (ip.body()) {
      case Esp esp -> Optional.of(ends + "||" + words(esp) + "||||");
      case Udp udp -> {
        String ports = udp.sourcePort() + "|" + udp.destinationPort() + "|";
        yield switch (udp.content()) {
          case Esp esp -> Optional.of(ends + ports + words(esp) + "||||");
          case Ike ike ->
              Optional.of(
                  ends
                      + ports
                      + "||%016x|%016x|%d|%d"
                          .formatted(
                              ike.initiator(), ike.responder(), ike.exchange(), ike.length()));
          default -> Optional.empty();
        };
      }
      default -> Optional.empty();
    };
  }

  private static String words(Esp esp) {
    return "0x%08x|%d".formatted(esp.spi(), esp.sequenceNumber());
  }
}
