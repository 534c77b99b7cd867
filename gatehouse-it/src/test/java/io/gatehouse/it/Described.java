package io.gatehouse.it;

import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.MssReckoning;
import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.ruleset.NftText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** A description and what it compiles to, without the programs around. */
record Described(Compiled compiled) {

  static Described of(String yaml) {
    return read("test.yaml", yaml.getBytes(StandardCharsets.UTF_8));
  }

  static Described of(Path file) throws IOException {
    return read(file.getFileName().toString(), Files.readAllBytes(file));
  }

  private static Described read(String name, byte[] bytes) {
    Source source =
        new Source() {
          @Override
          public Content read(String file, int limit) {
            return file.equals(name)
                ? new Content.Bytes(ByteBuffer.wrap(bytes))
                : new Content.Unreadable("no such file");
          }

          @Override
          public List<String> names(String directory) {
            return List.of();
          }
        };
    return switch (Description.read(name, source)) {
      case Reading.Understood understood -> new Described(Compiler.compile(understood.gateway()));
      case Reading.Refused refused -> throw new AssertionError(refused.problems().toString());
    };
  }

  /** All tables, as nft reads them. */
  String nft() {
    return compiled.ruleset().tables().stream().map(NftText::of).collect(Collectors.joining("\n"));
  }

  /** What the IKE daemon is told, of every tunnel. */
  String swanctl() {
    return compiled.companions().stream()
        .filter(Companion.SwanctlFragment.class::isInstance)
        .map(Companion::text)
        .collect(Collectors.joining("\n"));
  }

  MssReckoning mss() {
    return compiled.mss().getFirst();
  }
}
