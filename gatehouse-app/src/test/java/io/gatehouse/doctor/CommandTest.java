package io.gatehouse.doctor;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.snapshot.Collected;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people paste as root: names out of somebody's files are words of it, and no commands. */
class CommandTest {
  private static final Path GATEWAYS =
      Path.of(System.getProperty("gatehouse.home", ".."))
          .resolve("gatehouse-app/src/test/resources/io/gatehouse/doctor");

  private static final Set<String> PROGRAMS =
      Set.of(
          "iptables",
          "ip6tables",
          "nft",
          "ip",
          "conntrack",
          "modprobe",
          "sysctl",
          "sed",
          "swanctl",
          "tcpdump");

  /** Ends quotes, begins another command, and has one run within. */
  private static final String HOSTILE = "';x;$(x)`x`";

  private static final String SIGNS = "'\"\\$`;&|<>(){}[]*?~#!=%^ \n\tä-a0";

  @TempDir private Path directory;

  @Test
  void valuesAreWordsAndListsAreSeveral() {
    assertThat(Command.of("ip %s del %s", List.of("-6", "route"), "a b"))
        .hasToString("ip -6 route del 'a b'");
    assertThat(Command.of("a %s %s", List.of(), "")).hasToString("a ''");
    assertThat(Command.of("a").and(Command.of("b %s", "it's")).then(Command.of("c")))
        .hasToString("a && b 'it'\\''s'; c");
  }

  /** A shell itself is asked what it makes of a line. */
  @Test
  void anyWordComesOutOfAShellAsItWentIn() throws IOException, InterruptedException {
    Random random = new Random(3);
    StringBuilder script = new StringBuilder("set -f\n");
    StringBuilder words = new StringBuilder();
    for (int i = 0; i < 3000; i++) {
      StringBuilder word = new StringBuilder();
      for (int length = random.nextInt(8); length > 0; length--) {
        word.append(SIGNS.charAt(random.nextInt(SIGNS.length())));
      }
      words.append(word).append('|').append(word).append('\0');
      script.append(Command.of("printf %s %s %s", "%s|%s\\0", word, word)).append('\n');
    }
    Path file = Files.writeString(directory.resolve("script"), script);

    Process shell = new ProcessBuilder("sh", file.toString()).redirectErrorStream(true).start();
    String said = new String(shell.getInputStream().readAllBytes(), UTF_8);
    assertThat(shell.waitFor()).isZero();
    assertThat(said).isEqualTo(words.toString());
  }

  /** In every gateway that has a finding, with names that bring a command along. */
  @Test
  void noNameInSomebodysFilesBecomesACommand() throws IOException {
    Set<Kind> tried = new TreeSet<>();
    for (Kind kind : Kind.values()) {
      for (UnaryOperator<String> change : CHANGES) {
        Map<String, String> texts = gateway(kind);
        texts.replaceAll((file, text) -> change.apply(text));
        for (Finding finding : findings(texts)) {
          for (Command command : finding.remedy()) {
            List<List<String>> calls = Shell.calls(command.toString());
            assertThat(calls)
                .as("%s", command)
                .isEqualTo(command.calls().stream().map(Command.Call::words).toList())
                .allMatch(words -> PROGRAMS.contains(words.getFirst()));
            // nft reads its arguments as one text again, and sed its script.
            assertThat(calls)
                .as("%s", command)
                .filteredOn(words -> Set.of("nft", "sed").contains(words.getFirst()))
                .noneMatch(words -> String.join(" ", words).contains("x;"));
            if (command.toString().contains("x;")) {
              tried.add(finding.kind());
            }
          }
        }
      }
    }
    assertThat(tried)
        .contains(Kind.RP_FILTER_DROPS, Kind.REDIRECTS, Kind.FOREIGN_NUMBERS, Kind.WRONG_UPLINK);
  }

  /** What the tools never print is not read as if they had. */
  @Test
  void protocolsAndNumbersOfOtherShapesAreNotRead() throws IOException {
    Map<String, String> association = gateway(Kind.SAME_POLICY);
    association.computeIfPresent(
        "xfrm-state.txt", (file, text) -> text.replace(" spi 0x", " spi 0x1;x;0x"));
    assertThat(findings(association)).isEmpty();
    association = gateway(Kind.SAME_POLICY);
    association.computeIfPresent(
        "xfrm-state.txt", (file, text) -> text.replace("proto esp", "proto esp;x"));
    assertThat(findings(association)).isEmpty();
    Map<String, String> connection = gateway(Kind.STALE_CONNECTION);
    assertThat(findings(connection)).isNotEmpty();
    connection.computeIfPresent("conntrack.txt", (file, text) -> text.replace("udp ", "udp;x "));
    assertThat(findings(connection)).isEmpty();
  }

  /** Devices; names in nft; the words of `ip rule`. */
  private static final List<UnaryOperator<String>> CHANGES =
      List.of(
          text -> text.replaceAll("\\beth([0-9])", "eth$1" + quoted(HOSTILE)),
          text ->
              text.replaceAll("\"(fast|forward)\"(?!, \"prio\")", "\"$1" + quoted(HOSTILE) + "\""),
          text -> text.replaceAll("\"srclen\": 16", "\"srclen\": \"16" + quoted(HOSTILE) + "\""),
          text ->
              text.replaceAll(
                  "\"table\": \"(7[0-9]*|99)\"", "\"table\": \"$1" + quoted(HOSTILE) + "\""),
          text -> text.replaceAll("\\b(esp|udp|ah|rw|net|nets)\\b", "$1" + quoted(HOSTILE)),
          text -> text.replaceAll("(reqid|spi) ([0-9a-fx]+)", "$1 $2" + quoted(HOSTILE)));

  private static String quoted(String text) {
    return text.replace("$", "\\$");
  }

  private static List<Finding> findings(Map<String, String> texts) {
    return Doctor.examine(new Collected(texts, List.of()), Optional.empty(), List.of()).findings();
  }

  private static Map<String, String> gateway(Kind kind) throws IOException {
    Map<String, String> texts = new HashMap<>();
    for (String layer : List.of("healthy", kind.word())) {
      try (Stream<Path> files = Files.list(GATEWAYS.resolve(layer))) {
        for (Path file : files.toList()) {
          texts.put(String.valueOf(file.getFileName()), Files.readString(file));
        }
      }
    }
    return texts;
  }

  /** How a shell takes a line apart, as far as our lines go (POSIX, 2.2 and 2.3). */
  private static final class Shell {
    static List<List<String>> calls(String line) {
      List<List<String>> calls = new ArrayList<>();
      List<String> words = new ArrayList<>();
      StringBuilder word = new StringBuilder();
      boolean begun = false;
      for (int at = 0; at < line.length(); at++) {
        char c = line.charAt(at);
        boolean ends = c == ' ' || c == ';' || line.startsWith("&& ", at);
        if (c == '\'') {
          int end = line.indexOf('\'', at + 1);
          word.append(line, at + 1, end);
          at = end;
          begun = true;
        } else if (c == '\\') {
          word.append(line.charAt(++at));
          begun = true;
        } else if (ends) {
          if (begun) {
            words.add(word.toString());
          }
          word.setLength(0);
          begun = false;
          if (c != ' ') {
            calls.add(words);
            words = new ArrayList<>();
            at += c == '&' ? 1 : 0;
          }
        } else {
          assertThat("\"$`&|<>()*?[]#~{}!\n").as(line).doesNotContain(String.valueOf(c));
          word.append(c);
          begun = true;
        }
      }
      words.add(word.toString());
      calls.add(words);
      return calls;
    }
  }
}
