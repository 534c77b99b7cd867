package io.gatehouse.bench;

import io.gatehouse.compile.Compiler;
import io.gatehouse.doctor.Doctor;
import io.gatehouse.doctor.Supposed;
import io.gatehouse.model.Gateway;
import io.gatehouse.snapshot.Collected;
import io.gatehouse.verify.Proofs;
import io.gatehouse.verify.Verdict;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What the heap holds after each of several questions in one JVM, when all that is not needed any
 * more was collected: whether a question gives back what it took. Prints a table for docs/results.
 *
 * <p>{@code java -Xmx1g -XX:+UseSerialGC -XX:MarkSweepDeadRatio=0 -cp
 * gatehouse-app/target/gatehouse.jar
 * gatehouse-bench/src/main/java/io/gatehouse/bench/ProofHeap.java [ROUNDS]}, from the top of the
 * checkout; with GATEHOUSE_CORPUS a large set of rules of somebody else's is examined as well.
 * Without the ratio the collector leaves a part of what is dead where it lies.
 */
public final class ProofHeap {
  private static final double MIB = 1 << 20;

  private ProofHeap() {}

  /** Asks the questions in turn, so often. */
  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
    String office = Files.readString(Path.of("examples/office.yaml"));
    Map<String, Supplier<String>> questions = new LinkedHashMap<>();
    questions.put("office", () -> proved(office));
    questions.put("15 tunnels with two groups each", () -> proved(Teams.description(15)));
    questions.put("10,000 peers with two networks each", () -> proved(Peers.description(10_000)));
    String corpus = System.getenv().getOrDefault("GATEHOUSE_CORPUS", "");
    if (!corpus.isEmpty()) {
      Path file = Path.of(corpus).resolve("rulesets/tum-2015/iptables-save.txt");
      questions.put("`doctor` of tum-2015", () -> examined(file));
    }
    System.out.println("| question | answer | at its highest, MiB | held after it, MiB |");
    System.out.println("|---|---|--:|--:|");
    System.out.printf("| nothing yet | | | %.1f |%n", held());
    for (int round = 1; round <= rounds; round++) {
      for (Map.Entry<String, Supplier<String>> question : questions.entrySet()) {
        pools().forEach(MemoryPoolMXBean::resetPeakUsage);
        String answer = question.getValue().get();
        double highest = pools().stream().mapToLong(p -> p.getPeakUsage().getUsed()).sum() / MIB;
        System.out.printf(
            "| %s | %s | %.0f | %.1f |%n", question.getKey(), answer, highest, held());
      }
    }
  }

  private static List<MemoryPoolMXBean> pools() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .toList();
  }

  private static double held() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / MIB;
  }

  private static String proved(String description) {
    Gateway gateway = new OneText(description).gateway();
    List<Verdict> verdicts = Proofs.of(gateway, Compiler.compile(gateway).ruleset());
    return verdicts.stream().filter(v -> v instanceof Verdict.Holds).count() + " proved";
  }

  private static String examined(Path file) {
    Supposed tunnel = Supposed.parse("131.159.14.0/24=10.77.0.0/24").orElseThrow();
    Collected collected = Collected.alone(file).orElseThrow();
    return Doctor.examine(collected, Optional.empty(), List.of(tunnel)).findings().size()
        + " findings";
  }
}
