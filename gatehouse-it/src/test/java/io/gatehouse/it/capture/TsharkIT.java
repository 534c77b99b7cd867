package io.gatehouse.it.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.capture.Frame;
import io.gatehouse.capture.FrameStream;
import io.gatehouse.diagnose.Diagnosis;
import io.gatehouse.diagnose.Point;
import io.gatehouse.diagnose.Watch;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Udp;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

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

  private static List<Frame> frames(Path file) throws IOException {
    List<Frame> frames = new ArrayList<>();
    try (InputStream in = Files.newInputStream(file)) {
      // What stood before a mistake counts.
      FrameStream.read(in, Integer.MAX_VALUE, frames::add)
          .ifPresent(end -> System.out.println(file.getFileName() + ": " + end));
    }
    return frames;
  }

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
      for (Frame frame : frames(file)) {
        // What one of us calls broken is no matter of agreement.
        line(frame).ifPresent(line -> ours.add(file.getFileName() + "|" + line));
      }
    }
    assertThat(ours).hasSizeGreaterThan(30).isSubsetOf(theirs);
  }

  /** Sessions as `diagnose` tells them: cookies, exchanges, SPIs and how many packets of each. */
  @Test
  void findsTheSameSessions() throws IOException, InterruptedException {
    String corpus = System.getenv().getOrDefault("GATEHOUSE_CORPUS", "");
    assumeTrue(!corpus.isEmpty(), "needs GATEHOUSE_CORPUS, a directory with captures");
    List<Path> files;
    try (Stream<Path> all = Files.list(Path.of(corpus, "captures"))) {
      // What is malformed is told otherwise by each of us.
      files =
          all.filter(file -> !file.toString().matches(".*(truncated|pointer-loop).*"))
              .sorted()
              .toList();
    }
    int compared = 0;
    for (Path file : files) {
      Map<String, Integer> theirs = theirSessions(file);
      Map<String, Integer> ours = ourSessions(file);
      assertThat(ours).as(file.getFileName().toString()).isEqualTo(theirs);
      compared += ours.size();
    }
    assertThat(compared).isGreaterThan(10);
  }

  private Map<String, Integer> theirSessions(Path file) throws IOException, InterruptedException {
    Path told =
        Files.writeString(
            directory.resolve("tshark-json.sh"),
            "tshark -n -r '%s' -T json 2>/dev/null\n".formatted(file));
    Process process =
        new ProcessBuilder(
                Lab.HOME.resolve("lab/inside").toString(), "--layers", "tshark", told.toString())
            .start();
    process.getOutputStream().close();
    JsonNode packets = new JsonMapper().readTree(process.getInputStream().readAllBytes());
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
    Map<String, Integer> sessions = new TreeMap<>();
    for (JsonNode packet : packets) {
      JsonNode layers = packet.path("_source").path("layers");
      JsonNode ike = layers.path("isakmp");
      if (ike.has("isakmp.ispi")) {
        String cookie = ike.path("isakmp.ispi").asString().replace(":", "");
        sessions.merge(
            "IKE " + cookie + " " + ike.path("isakmp.exchangetype").asString(), 1, Integer::sum);
      }
      JsonNode esp = layers.path("esp");
      if (esp.has("esp.spi")) {
        sessions.merge("ESP " + esp.path("esp.spi").asString(), 1, Integer::sum);
      }
    }
    return sessions;
  }

  private static Map<String, Integer> ourSessions(Path file) throws IOException {
    Map<String, Integer> numbers =
        Map.of(
            "Main Mode",
            2,
            "Aggressive Mode",
            4,
            "Transaction",
            6,
            "Quick Mode",
            32,
            "SA_INIT",
            34,
            "AUTH",
            35,
            "CREATE_CHILD_SA",
            36);
    Watch watch = new Watch();
    for (Frame frame : frames(file)) {
      frame.packet().ifPresent(packet -> watch.packet(frame.time(), packet));
    }
    Map<String, Integer> sessions = new TreeMap<>();
    for (Diagnosis.Table table : Diagnosis.of(List.of(watch), List.of(Point.CLIENT_ISP)).tables()) {
      for (String line : table.sessions()) {
        String[] halves = line.split(": ", 2);
        if (line.startsWith("IKEv")) {
          for (String part : halves[1].split(", ", -1)) {
            int blank = part.lastIndexOf(' ');
            String name = part.substring(0, blank);
            int informational = line.startsWith("IKEv1") ? 5 : 37;
            sessions.merge(
                "IKE " + halves[0].substring(6) + " " + numbers.getOrDefault(name, informational),
                Integer.valueOf(part.substring(blank + 1)),
                Integer::sum);
          }
        } else if (line.startsWith("ESP")) {
          sessions.merge(
              "ESP " + halves[0].substring(halves[0].lastIndexOf(' ') + 1),
              Integer.valueOf(halves[1].substring(0, halves[1].indexOf(' '))),
              Integer::sum);
        }
      }
    }
    return sessions;
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
