package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse masquerade replay}. */
class MasqueradeReplayTest {
  private static final String ONE = "0a000101";
  private static final String TWO = "0a000102";
  private static final String REMOTE = "c6336401";

  @TempDir private Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final StringBuilder file =
      new StringBuilder("a1b2c3d4 00020004 00000000 00000000 0000ffff 00000065");
  private int seconds;

  private void packet(String from, String to, int protocol, String body) {
    int length = 20 + body.replace(" ", "").length() / 2;
    file.append(
        "%08x00000000%08x%08x 4500%04x0000000040%02x0000%s%s%s"
            .formatted(++seconds, length, length, length, protocol, from, to, body));
  }

  private void esp(String from, String to, int spi, int number) {
    packet(from, to, 50, "%08x%08x0000000000000000".formatted(spi, number));
  }

  /** IKEv2 on port 500: a header, and for encrypted messages a payload of 300 bytes behind it. */
  private void ike(
      String from, String to, long cookie, long responder, String kind, int message, int inner) {
    int length = inner == 0 ? 28 : 328;
    packet(
        from,
        to,
        17,
        "01f401f4%04x0000%016x%016x%s%08x%08x"
                .formatted(8 + length, cookie, responder, kind, message, length)
            + (inner == 0 ? "" : "%02x00012c".formatted(inner) + "00".repeat(296)));
  }

  private void logon(String host, long cookie) {
    ike(host, REMOTE, cookie, 0, "00202208", 0, 0);
    ike(REMOTE, host, cookie, cookie + 1, "00202220", 0, 0);
    ike(host, REMOTE, cookie, cookie + 1, "2e202308", 1, 35);
    ike(REMOTE, host, cookie, cookie + 1, "2e202320", 1, 36);
  }

  @BeforeEach
  void twoHostsLogOn() {
    logon(ONE, 0x10);
    esp(REMOTE, ONE, 0xa1, 1);
    esp(REMOTE, ONE, 0xa1, 2);
    logon(TWO, 0x20);
    esp(TWO, REMOTE, 0x2, 1);
    esp(REMOTE, TWO, 0xa2, 1);
    esp(REMOTE, TWO, 0xa2, 2);
    packet(ONE, REMOTE, 17, "0400003500080000");
    packet(ONE, REMOTE, 51, "320400000000010000000007000000000000000000000000");
  }

  private int run(String... args) throws IOException {
    Files.write(
        directory.resolve("lan.pcap"), HexFormat.of().parseHex(file.toString().replace(" ", "")));
    Surroundings surroundings =
        new Surroundings(Map.of(), directory, new BareHost(true), () -> false);
    return Main.commandLine(surroundings, new PrintWriter(out), new PrintWriter(err)).execute(args);
  }

  @Test
  void withoutADaemonNobodyKnowsWhoseIsWhat() {
    Surroundings surroundings =
        new Surroundings(
            Map.of("GATEHOUSE_RUN", directory.toString()),
            directory,
            new BareHost(true),
            () -> false);
    for (String[] words :
        new String[][] {
          {"masquerade", "status"},
          {"masquerade", "release", "10.0.1.7", "192.0.2.1"},
          {"masquerade", "register", "10.0.1.7", "192.0.2.1", "0xc0ffee01"}
        }) {
      assertThat(
              Main.commandLine(surroundings, new PrintWriter(out), new PrintWriter(err))
                  .execute(words))
          .isEqualTo(ExitStatus.NO);
    }
    assertThat(err.toString()).contains("no daemon decides");
  }

  @Test
  void decisionsWithTheirEvidence() throws IOException {
    assertThat(run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24")).isZero();

    assertThat(out.toString())
        .contains(
            "session of 10.0.1.1 begins",
            "    5.000  198.51.100.1 -> 10.0.1.1  ESP 0x000000a1, number 2",
            "bound: 0x000000a1 to 10.0.1.1, its host alone had finished an exchange",
            "bound: 0x000000a2 to 10.0.1.2",
            "refused: AH covers the addresses",
            "15 packets, 14 of them for the masquerade. From outside: 8 to their host,",
            "0 with copies to others, 0 to a wrong host; 1 refused in all.")
        .doesNotContain("number 3");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void aWrongDeliveryIsNamedAndTheAnswerIsNo() throws IOException {
    logon(ONE, 0x30);
    esp(REMOTE, TWO, 0xa3, 1); // of a session that the capture does not show

    assertThat(run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24"))
        .isEqualTo(ExitStatus.NO);
    assertThat(out.toString()).contains("to 10.0.1.1, which is wrong", "1 to a wrong host");
  }

  @Test
  void inJson() throws IOException {
    run("masquerade", "replay", "--json", "lan.pcap", "--inside", "10.0.1.0/24");

    JsonNode answer = JsonMapper.builder().build().readTree(out.toString());
    assertThat(answer.get("fine").asBoolean()).isTrue();
    assertThat(answer.get("right").asInt()).isEqualTo(8);
    assertThat(answer.get("bindings").get(0).get("evidence").asString()).isEqualTo("exchange");
  }

  /** The first SPI of each remote goes to who waits; that nobody asked makes no difference. */
  @Test
  void byTheBaselines() throws IOException {
    esp(ONE, REMOTE, 0x3, 1);
    esp(TWO, REMOTE, 0x4, 1);
    esp(REMOTE, ONE, 0xa3, 1);

    assertThat(
            run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24", "--method", "fifo"))
        .isEqualTo(ExitStatus.FINE);
    assertThat(out.toString()).contains("bound: 0x000000a2 to 10.0.1.2, ");
    out.getBuffer().setLength(0);
    run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24", "--method", "serialised");
    assertThat(out.toString())
        .contains("refused: another first packet to this remote is outstanding");
    out.getBuffer().setLength(0);
    run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24", "--method", "evidence");
    assertThat(out.toString())
        .contains("bound: 0x000000a2 to 10.0.1.2, its host alone had finished an exchange");

    assertThat(
            run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24", "--method", "luck"))
        .isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString()).contains("--method is evidence, serialised, fifo, not luck");
  }

  @Test
  void badInput() throws IOException {
    assertThat(run("masquerade", "replay", "nothing.pcap", "--inside", "10.0.1.0/24"))
        .isEqualTo(ExitStatus.NO);
    assertThat(run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.7/24"))
        .isEqualTo(ExitStatus.USAGE);
    assertThat(run("masquerade", "replay", "lan.pcap")).isEqualTo(ExitStatus.USAGE);
    assertThat(run("masquerade")).isEqualTo(ExitStatus.USAGE);
    assertThat(run("masquerade", "release", "10.0.1.7")).isEqualTo(ExitStatus.USAGE);
    assertThat(run("masquerade", "register", "10.0.1.7", "192.0.2.1")).isEqualTo(ExitStatus.USAGE);
    Files.writeString(directory.resolve("text"), "no capture at all");
    assertThat(run("masquerade", "replay", "text", "--inside", "10.0.1.0/24"))
        .isEqualTo(ExitStatus.NO);
    assertThat(err.toString())
        .contains(
            "cannot read nothing.pcap", "10.0.1.7/24 is no prefix", "neither pcap nor pcapng");
  }

  @Test
  void aCaptureThatIsCutOff() throws IOException {
    file.append("00000001");

    assertThat(run("masquerade", "replay", "lan.pcap", "--inside", "10.0.1.0/24")).isZero();
    assertThat(out.toString()).contains("The capture ends early, at byte");
  }
}
