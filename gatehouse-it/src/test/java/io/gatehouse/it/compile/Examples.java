package io.gatehouse.it.compile;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Host;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.Table;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** The examples, compiled, and how a host of the lab gets what they come to. */
final class Examples {
  private Examples() {}

  static List<String> names() throws IOException {
    return Descriptions.examples().stream()
        .map(file -> file.substring(0, file.length() - ".yaml".length()))
        .toList();
  }

  static Compiled described(String name) {
    return Compiler.compile(Descriptions.example(name + ".yaml"));
  }

  static Ruleset compiled(String name) {
    return described(name).ruleset();
  }

  static String nft(Ruleset ruleset) {
    return ruleset.tables().stream().map(NftText::of).collect(Collectors.joining());
  }

  /** Puts all that an example comes to into a host, in the order of apply but without its care. */
  static void load(Host host, String name) {
    load(host, compiled(name));
  }

  /** The same with any ruleset. */
  static void load(Host host, Ruleset ruleset) {
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
    unload(host, compiled(name));
  }

  /** The same with any ruleset. */
  static void unload(Host host, Ruleset ruleset) {
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
