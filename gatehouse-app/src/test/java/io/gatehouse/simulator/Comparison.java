package io.gatehouse.simulator;

import io.gatehouse.masquerade.Method;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Every scenario by every method, many seeds each, as one table. */
final class Comparison {
  /** Student's t for 95 per cent, by degrees of freedom from 1; beyond the last its value. */
  private static final double[] T = {
    12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12,
    2.11, 2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.045
  };

  private static final List<Method> METHODS =
      List.of(Method.SERIALISED, Method.FIFO, Method.EVIDENCE);

  private record Ran(Scenario scenario, Method method) {}

  private final Map<Ran, List<Outcome>> outcomes = new LinkedHashMap<>();

  private Comparison() {}

  /** All of it, for so many seeds. */
  static Comparison of(int seeds) {
    Comparison all = new Comparison();
    for (Scenario scenario : scenarios()) {
      for (Method method : METHODS) {
        List<Outcome> outcomes =
            LongStream.rangeClosed(1, seeds)
                .parallel()
                .mapToObj(seed -> Simulation.run(scenario, method, seed))
                .toList();
        all.outcomes.put(new Ran(scenario, method), outcomes);
        System.out.println(row(scenario, method, outcomes));
      }
    }
    return all;
  }

  /** The frozen ones, and behind them what came later. */
  static List<Scenario> scenarios() {
    return Stream.concat(Scenario.all().stream(), Scenario.later().stream()).toList();
  }

  /** What became of each seed. */
  List<Outcome> of(Scenario scenario, Method method) {
    return outcomes.getOrDefault(new Ran(scenario, method), List.of());
  }

  /** Lines of a table in Markdown. */
  List<String> table() {
    List<String> lines = new ArrayList<>();
    lines.add(
        "| scenario | way | SAs | wrong bindings, % of SAs | still wrong after a minute, % |"
            + " not delivered, % | to a wrong host, % | copies a packet | asked, % |"
            + " dropped going out | longest block, s | longest hold of IKE, s |"
            + " delayed | forged SPIs bound |");
    lines.add("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    outcomes.forEach((ran, all) -> lines.add(row(ran.scenario(), ran.method(), all)));
    return lines;
  }

  private static String row(Scenario scenario, Method method, List<Outcome> all) {
    return "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |"
        .formatted(
            scenario.name(),
            switch (method) {
              case SERIALISED -> "seed 001";
              case FIFO -> "FIFO";
              case EVIDENCE -> "ours";
            },
            Math.round(mean(all, Outcome::sas)),
            interval(all, Outcome::wrongPercent),
            interval(all, o -> 100.0 * o.lasting() / o.sas()),
            interval(all, o -> 100.0 * o.unreached() / (o.arrived() + o.unreached())),
            interval(all, o -> 100.0 * o.misled() / (o.arrived() + o.unreached())),
            number(mean(all, o -> (double) o.copies() / (o.arrived() + o.unreached()))),
            number(mean(all, o -> 100.0 * o.asked() / (2.0 * (o.arrived() + o.unreached())))),
            Math.round(mean(all, Outcome::blocked)),
            number(all.stream().mapToLong(Outcome::longestBlock).max().orElse(0) / 1000.0),
            number(all.stream().mapToLong(Outcome::longestHold).max().orElse(0) / 1000.0),
            Math.round(mean(all, Outcome::delayed)),
            Math.round(mean(all, Outcome::forged)));
  }

  static double mean(List<Outcome> all, ToDoubleFunction<Outcome> figure) {
    return all.stream().mapToDouble(figure).average().orElse(0);
  }

  /** The mean over the seeds, with the half of its 95 % interval. */
  private static String interval(List<Outcome> all, ToDoubleFunction<Outcome> figure) {
    double mean = mean(all, figure);
    double squares =
        all.stream().mapToDouble(o -> Math.pow(figure.applyAsDouble(o) - mean, 2)).sum();
    int n = all.size();
    double t = T[Math.clamp(n - 2, 0, T.length - 1)];
    double half = n < 2 ? 0 : t * Math.sqrt(squares / (n - 1) / n);
    return number(mean) + " ± " + number(half);
  }

  private static String number(double value) {
    return value == 0 ? "0" : String.format(Locale.ROOT, value < 0.1 ? "%.3f" : "%.2f", value);
  }
}
