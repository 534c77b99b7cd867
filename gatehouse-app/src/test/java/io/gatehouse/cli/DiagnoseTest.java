package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.diagnose.Path;
import io.gatehouse.packet.Bytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse diagnose} on files. */
class DiagnoseTest {
  private static final List<String> POINTS =
      List.of("client-lan", "client-isp", "server-isp", "server-dmz");

  @TempDir private java.nio.file.Path directory;

  private Session.Answer run(String... args) {
    return new Session(directory, new BareHost(true)).run(args);
  }

  private static byte[] pcap(List<Path.Seen> packets) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(Bytes.ofHex("a1b23c4d 00020004 00000000 00000000 0000ffff 00000065").toArray());
    for (Path.Seen seen : packets) {
      int length = seen.bytes().length();
      file.writeBytes(
          ByteBuffer.allocate(16)
              .putInt((int) (seen.time() / 1_000_000_000))
              .putInt((int) (seen.time() % 1_000_000_000))
              .putInt(length)
              .putInt(length)
              .array());
      file.writeBytes(seen.bytes().toArray());
    }
    return file.toByteArray();
  }

  private void write(Path path) throws IOException {
    for (int i = 0; i < 4; i++) {
      Files.write(directory.resolve(POINTS.get(i) + ".pcap"), pcap(path.seen(i)));
    }
  }

  private static Path blocked() {
    Path path = new Path().logon(7, false);
    for (int i = 1; i <= 41; i++) {
      path.ping(3, false, 0x1000, i, 120).pause(1);
    }
    return path;
  }

  private static Path whole() {
    return new Path().logon(7, true).pings(12, true, 0x1000, 1);
  }

  private static Path large() {
    Path path = new Path().logon(7, true).pings(4, true, 0x1000, 1);
    for (int i = 5; i < 12; i++) {
      path.ping(2, true, 0x1000, i, 1440).pause(1);
    }
    return path.pings(4, true, 0x1000, 12);
  }

  @ParameterizedTest
  @CsvSource({
    "esp-blocked, blocked, client-lan=client-lan.pcap client-isp=client-isp.pcap server-dmz=server-dmz.pcap",
    "esp-blocked-guessed, blocked, client-isp.pcap client-lan.pcap server-dmz.pcap server-isp.pcap",
    "whole, whole, --sessions lan=client-lan.pcap dmz=server-dmz.pcap",
    "mtu, large, client-lan.pcap client-isp.pcap server-isp.pcap",
    "one-point, blocked, inside=client-lan.pcap",
  })
  void says(String name, String made, String line) throws IOException {
    write(made.equals("blocked") ? blocked() : made.equals("whole") ? whole() : large());
    String[] args = ("diagnose " + line).split(" ", -1);
    Session.Answer answer = run(args);

    assertThat(answer.out().lines()).allMatch(l -> l.length() <= 80);
    assertThat(answer.status()).isEqualTo(made.equals("whole") ? ExitStatus.FINE : ExitStatus.NO);
    Golden.same("diagnose-" + name, answer.text(args));
  }

  @Test
  void readsGzip() throws IOException {
    write(blocked());
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(Files.readAllBytes(directory.resolve("client-isp.pcap")));
    }
    Files.write(directory.resolve("client-isp.pcap.gz"), packed.toByteArray());

    assertThat(run("diagnose", "isp=client-isp.pcap.gz").out())
        .isEqualTo(run("diagnose", "isp=client-isp.pcap").out());
    byte[] cut = Arrays.copyOf(packed.toByteArray(), packed.size() / 2);
    Files.write(directory.resolve("cut.pcap.gz"), cut);
    assertThat(run("diagnose", "isp=cut.pcap.gz").out()).contains("cut.pcap.gz ends early");
  }

  @Test
  void inJson() throws IOException {
    write(blocked());
    JsonNode answer =
        new JsonMapper()
            .readTree(
                run("diagnose", "--json", "server-isp=server-isp.pcap", "dmz=server-dmz.pcap")
                    .out());

    assertThat(answer.path("fine").asBoolean()).isFalse();
    JsonNode verdict = answer.path("findings").path(0);
    assertThat(verdict.path("finding").asString()).isEqualTo("esp-lost");
    assertThat(verdict.path("from").asString()).isEqualTo("server-isp");
    assertThat(verdict.path("to").asString()).isEqualTo("server-dmz");
    JsonNode rows = answer.path("stories").path(0).path("rows");
    assertThat(rows.findValuesAsString("channel")).containsExactly("udp-500", "esp");
    assertThat(rows.path(1).path("toServer")).extracting(JsonNode::asInt).containsExactly(41, 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "diagnose",
        "diagnose lan=a lan=b",
        "diagnose lan=a b",
        "diagnose a b c d e",
        "diagnose --jsno a",
        "diagnose --live lo a",
        "diagnose --live lan=lo --live lan=eth0",
        "diagnose --live lo --seconds 0"
      })
  void wrongUsage(String line) {
    Session.Answer answer = run(line.split(" ", -1));

    assertThat(answer.status()).isEqualTo(ExitStatus.USAGE);
    assertThat(answer.out()).isEmpty();
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    Session.Answer answer = run("diagnose", "--live", "lan=gatehouse-no0");

    assertThat(answer.status()).isEqualTo(ExitStatus.NO);
    assertThat(answer.err()).contains("there is no device gatehouse-no0");
  }

  @Test
  void badInputIsLocated() throws IOException {
    write(blocked());
    Files.writeString(directory.resolve("text"), "no capture at all");
    Files.write(directory.resolve("empty.pcap"), pcap(List.of()));
    byte[] file = Files.readAllBytes(directory.resolve("client-lan.pcap"));
    Files.write(directory.resolve("cut.pcap"), Arrays.copyOf(file, file.length - 5));

    assertThat(run("diagnose", "absent.pcap").err()).contains("cannot read absent.pcap");
    assertThat(run("diagnose", "text").err()).contains("text: neither pcap nor pcapng");
    assertThat(run("diagnose", "text").status()).isEqualTo(ExitStatus.NO);
    assertThat(run("diagnose", "lan=cut.pcap").out())
        .contains("cut.pcap ends early, at byte", "bytes is cut off; the");
    assertThat(run("diagnose", "empty.pcap").out()).contains("nothing-seen");
    assertThat(run("diagnose", "client-lan.pcap", "empty.pcap").err())
        .contains("such as client-lan=client-lan.pcap");
  }
}
