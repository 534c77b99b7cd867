package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse snapshot DIR}. */
class CollectTest {
  @TempDir private Path directory;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(Map<String, String> words, String... args) {
    Surroundings surroundings =
        new Surroundings(Map.of(), directory, new Saying(words), () -> false);
    return Main.commandLine(surroundings, new PrintWriter(out), new PrintWriter(err)).execute(args);
  }

  private static final Map<String, String> HOST =
      Map.of(
          "nft -j list ruleset", "{\"nftables\": []}",
          "ip xfrm state list",
              """
              src 192.0.2.1 dst 192.0.2.2
              \tproto esp spi 0x00000001 reqid 1 mode tunnel
              \tenc cbc(aes) 0x00112233445566778899aabbccddeeff
              """,
          "/proc/sys/net/ipv4/ip_forward", "1",
          "/proc/net/ip_tables_names", "");

  @Test
  void whatTheToolsSayIsWrittenWithoutKeys() throws IOException {
    int status = run(HOST, "snapshot", "made");

    assertThat(status).isEqualTo(ExitStatus.FINE);
    assertThat(directory.resolve("made/nft.json")).hasContent("{\"nftables\": []}");
    assertThat(directory.resolve("made/sysctl.txt")).hasContent("net/ipv4/ip_forward = 1");
    assertThat(Files.readString(directory.resolve("made/xfrm-state.txt")))
        .contains("spi 0x00000001", "enc cbc(aes) <key>")
        .doesNotContain("0x0011");
    assertThat(out.toString().lines())
        .anyMatch(line -> line.contains("ip-route.json"))
        .allMatch(line -> line.length() <= 80);
  }

  @Test
  void programsGetItAsJson() {
    run(HOST, "snapshot", "made", "--json");

    JsonNode answer = new JsonMapper().readTree(out.toString());
    assertThat(answer.path("files").has("nft.json")).isTrue();
    assertThat(answer.path("remarks").size()).isPositive();
  }

  @Test
  void aHostWithoutAnyFirewallToReadLacksSomething() {
    assertThat(run(Map.of(), "snapshot", "made")).isEqualTo(ExitStatus.LACKING);
    assertThat(out.toString()).contains("nft: not found");
  }

  @Test
  void aDirectoryThatCannotBeMadeIsNamed() throws IOException {
    Files.writeString(directory.resolve("file"), "");

    assertThat(run(HOST, "snapshot", "file")).isEqualTo(ExitStatus.NO);
    assertThat(err.toString()).startsWith("gatehouse snapshot: cannot write: ");
  }
}
