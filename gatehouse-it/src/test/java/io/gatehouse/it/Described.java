package io.gatehouse.it;

import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.MssReckoning;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.ruleset.NftText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;

/** A description and what it compiles to, without the programs around. */
public record Described(Compiled compiled) {

  public static Described of(String yaml) {
    return read("test.yaml", yaml);
  }

  public static Described of(Path file) throws IOException {
    return read(file.getFileName().toString(), Files.readString(file));
  }

  private static Described read(String name, String yaml) {
    return new Described(Compiler.compile(Descriptions.gateway(name, yaml)));
  }

  /** All tables, as nft reads them. */
  public String nft() {
    return compiled.ruleset().tables().stream().map(NftText::of).collect(Collectors.joining("\n"));
  }

  /** What the IKE daemon is told, of every tunnel. */
  public String swanctl() {
    return compiled.companions().stream()
        .filter(Companion.SwanctlFragment.class::isInstance)
        .map(Companion::text)
        .collect(Collectors.joining("\n"));
  }

  MssReckoning mss() {
    return compiled.mss().getFirst();
  }
}
