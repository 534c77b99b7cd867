package io.gatehouse.it.compile;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.it.lab.Host;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The examples, compiled, and how a host of the lab gets what they come to. */
final class Examples {
  private static final Path DIRECTORY =
      Path.of(System.getProperty("gatehouse.home")).resolve("examples");

  private Examples() {}

  static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".yaml"))
          .map(file -> file.substring(0, file.length() - ".yaml".length()))
          .sorted()
          .toList();
    }
  }

  private record Disk() implements Source {
    @Override
    public Content read(String file, int limit) {
      try {
        return new Content.Bytes(ByteBuffer.wrap(Files.readAllBytes(DIRECTORY.resolve(file))));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public List<String> names(String directory) {
      return List.of();
    }
  }

  static Compiled described(String name) {
    return switch (Description.read(name + ".yaml", new Disk())) {
      case Reading.Understood understood -> Compiler.compile(understood.gateway());
      case Reading.Refused refused -> throw new AssertionError(refused.problems().toString());
    };
  }

  static Ruleset compiled(String name) {
    return described(name).ruleset();
  }

  static String nft(Ruleset ruleset) {
    return ruleset.tables().stream().map(NftText::of).collect(Collectors.joining());
  }

  /** Puts all that an example comes to into a host, in the order of apply but without its care. */
  static void load(Host host, String name) {
    Ruleset ruleset = compiled(name);
    StringBuilder script = new StringBuilder("set -e\n");
    for (Sysctl sysctl : ruleset.sysctls()) {
      script.append("echo %s > /proc/sys/%s\n".formatted(sysctl.value(), sysctl.key()));
    }
    script.append("ip -batch - <<'END'\n").append(IpText.add(ruleset, Family.V4)).append("END\n");
    script
        .append("ip -6 -batch - <<'END'\n")
        .append(IpText.add(ruleset, Family.V6))
        .append("END\n");
    script.append("nft -f - <<'END'\n").append(nft(ruleset)).append("END\n");
    host.script(script.toString()).expected();
  }

  /** Takes it out again, all but the settings; policies whoever laid them. */
  static void unload(Host host, String name) {
    Ruleset ruleset = compiled(name);
    StringBuilder script = new StringBuilder();
    for (Table table : ruleset.tables()) {
      script.append("nft delete table ").append(table.family()).append(' ').append(table.name());
      script.append("\n");
    }
    for (Family family : Family.values()) {
      script.append(family == Family.V4 ? "ip" : "ip -6").append(" -force -batch - <<'END'\n");
      // A policy that is not there ends ip(8), whatever -force says.
      IpText.delete(ruleset, family)
          .lines()
          .filter(line -> !line.startsWith("xfrm "))
          .forEach(line -> script.append(line).append('\n'));
      script.append("END\n");
    }
    host.script(script.append("ip xfrm policy flush\n").toString()).expected();
  }
}
