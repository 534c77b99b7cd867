package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse clients}, word by word. */
class ForClientsTest {
  private static final Path EXAMPLES =
      Path.of(System.getProperty("gatehouse.home", "..")).resolve("examples").toAbsolutePath();

  @TempDir private Path directory;

  private static Session.Answer run(Path at, String... args) {
    return new Session(at, new BareHost(true)).run(args);
  }

  @ParameterizedTest
  @CsvSource({
    "windows, staff --for windows --on office.yaml --server vpn.example.org --domain example.org",
    "windows-full, roaming --for windows --on full-tunnel.yaml --auth certificate",
    "windows-l2tp, legacy --for windows --on l2tp.yaml",
    "apple, staff --for apple --on office.yaml --server vpn.example.org",
    "android, staff --for android --on office.yaml --server vpn.example.org",
    "linux, staff --for linux --on office.yaml --server vpn.example.org",
    "ikev1, staff --for ikev1 --on office.yaml",
    "dhcp, staff --for dhcp --on other-router.yaml",
    "dhcp-nothing, staff --for dhcp --on office.yaml",
    "groups, staff --for linux --on groups.yaml --proposes 0.0.0.0/0",
    "site, branch --for apple --on office.yaml",
    "narrowed, staff --on office.yaml --proposes 0.0.0.0/0 --proposes ::/0",
    "narrowed-ports, staff --on office.yaml --proposes 10.0.1.0/24[tcp/443]",
    "unacceptable, staff --on office.yaml --proposes 172.16.0.0/12",
    "no-tunnel, stuff --for windows --on office.yaml",
    "no-description, staff --for windows --on absent.yaml",
  })
  void says(String name, String line) throws IOException {
    String[] args = ("clients " + line).split(" ", -1);
    Session.Answer answer = run(EXAMPLES, args);

    assertThat(answer.out().lines().takeWhile(l -> !l.startsWith("==>")))
        .allMatch(l -> l.length() <= 80);
    Golden.same("clients-" + name, answer.text(args));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "staff --on office.yaml",
        "staff --for beos --on office.yaml",
        "--for windows --on office.yaml",
        "staff --for windows",
        "staff --for windows --on office.yaml --auth magic",
        "staff --for windows --on office.yaml --server a;b",
        "staff --for windows --on office.yaml --domain -x",
        "staff --on office.yaml --proposes office",
        "staff --for ikev1 --on office.yaml --proposes 0.0.0.0/0",
      })
  void wrongUsage(String line) {
    Session.Answer answer = run(EXAMPLES, ("clients " + line).split(" ", -1));

    assertThat(answer.status()).isEqualTo(ExitStatus.USAGE);
    assertThat(answer.out()).isEmpty();
    assertThat(answer.err().lines()).allMatch(l -> l.length() <= 80);
  }

  @Test
  void writesFilesAndOverwritesNone() throws IOException {
    String office = EXAMPLES.resolve("office.yaml").toString();
    String[] args = {"clients", "staff", "--for", "linux", "--on", office, "--write", "out"};
    Session.Answer answer = run(directory, args);

    assertThat(answer.status()).isZero();
    assertThat(answer.out()).contains("written", "out/office-staff.conf").doesNotContain("==>");
    try (Stream<Path> files = Files.list(directory.resolve("out"))) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("office-staff.conf", "office-staff.nmconnection");
    }
    Session.Answer again = run(directory, args);
    assertThat(again.status()).isEqualTo(ExitStatus.NO);
    assertThat(again.err()).contains("remove it first");
  }

  @Test
  void anAuthorityIsACertificateAndNothingElse() throws IOException {
    String office = EXAMPLES.resolve("office.yaml").toString();
    Files.writeString(
        directory.resolve("key.pem"),
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n");
    for (String file : List.of("key.pem", "absent.pem")) {
      Session.Answer answer =
          run(directory, "clients", "staff", "--for", "apple", "--on", office, "--authority", file);
      assertThat(answer.status()).isEqualTo(ExitStatus.NO);
      assertThat(answer.out()).isEmpty();
      assertThat(answer.err()).contains(file + ": cannot be read as a certificate");
    }
  }

  @Test
  void inJson() {
    JsonNode answer =
        new JsonMapper()
            .readTree(
                run(
                        EXAMPLES,
                        "clients",
                        "staff",
                        "--for",
                        "windows",
                        "--on",
                        "office.yaml",
                        "--proposes",
                        "0.0.0.0/0",
                        "--json")
                    .out());

    assertThat(answer.path("fine").asBoolean()).isTrue();
    assertThat(answer.path("through")).extracting(JsonNode::asString).contains("10.0.1.0/24");
    assertThat(answer.path("granted")).extracting(JsonNode::asString).contains("10.0.1.0/24");
    assertThat(answer.path("whole").asBoolean()).isFalse();
    assertThat(answer.path("files").path(0).path("name").asString()).isEqualTo("office-staff.ps1");
    assertThat(answer.path("remarks").path(0).path("weight").asString()).isEqualTo("warning");
    JsonNode refused =
        new JsonMapper()
            .readTree(
                run(EXAMPLES, "clients", "x", "--for", "linux", "--on", "absent.yaml", "--json")
                    .out());
    assertThat(refused.path("fine").asBoolean()).isFalse();
  }
}
