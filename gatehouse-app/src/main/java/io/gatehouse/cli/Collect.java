package io.gatehouse.cli;

import io.gatehouse.snapshot.Collected;
import io.gatehouse.snapshot.Remark;
import io.gatehouse.snapshot.SeenHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** {@code gatehouse snapshot DIR}: writes down what stands in the kernel, without secrets. */
final class Collect {
  private Collect() {}

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "snapshot",
            "Collects what this host's packets go by into a directory, without keys.",
            call -> run(call, surroundings));
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("DIR")
            .arity("1")
            .required(true)
            .type(String.class)
            .description("Where to; it is made where it is not there.")
            .build());
    spec.addOption(
        OptionSpec.builder("--json").description("Answer in JSON.").type(boolean.class).build());
    return spec;
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    Collected collected = Collected.of(surroundings.machine());
    Path directory = surroundings.directory().resolve(call.positional(0));
    try {
      collected.write(directory);
    } catch (IOException e) {
      call.err()
          .println(
              "gatehouse snapshot: cannot write: " + Page.harmless(String.valueOf(e.getMessage())));
      call.err().flush();
      return ExitStatus.NO;
    }
    List<Remark> remarks = SeenHost.of(collected).remarks();
    call.out()
        .print(
            call.isSet("--json")
                ? Json.text(answer(collected, remarks))
                : text(call.positional(0), collected, remarks));
    call.out().flush();
    return collected.tellsFirewall() ? ExitStatus.FINE : ExitStatus.LACKING;
  }

  private static String text(String directory, Collected collected, List<Remark> remarks) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%d files in %s, without keys of SAs.\n"
            .formatted(collected.texts().size(), Page.harmless(directory)));
    for (Remark remark : remarks) {
      String line = word(remark) + ": " + remark.where().place() + ": " + remark.text();
      Page.wrapped(Page.harmless(line), Described.WIDTH, 2)
          .forEach(l -> text.append(l).append('\n'));
    }
    return text.toString();
  }

  private static String word(Remark remark) {
    return remark.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static Map<String, Object> answer(Collected collected, List<Remark> remarks) {
    Map<String, Object> files = new LinkedHashMap<>();
    new TreeMap<>(collected.texts()).forEach((name, text) -> files.put(name, text.length()));
    List<Map<String, String>> said = new ArrayList<>();
    for (Remark remark : remarks) {
      Map<String, String> one = new LinkedHashMap<>();
      one.put("kind", word(remark));
      one.put("place", remark.where().toString());
      one.put("text", remark.text());
      said.add(one);
    }
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("files", files);
    answer.put("remarks", said);
    return answer;
  }
}
