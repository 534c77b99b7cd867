package io.gatehouse.it.path;

import io.gatehouse.it.path.Kernel.Fate;
import io.gatehouse.it.path.Kernel.Report;
import io.gatehouse.path.HostState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** Hosts by lot, played and judged; what came of it is counted. */
final class Trial {
  /** Hosts of which a disagreement is shown. */
  private static final int ENOUGH = 5;

  private final Kernel kernel;
  private final Lot lot;
  private final Map<String, Integer> met = new TreeMap<>();
  private final Map<String, Integer> ends = new TreeMap<>();
  private final List<String> shown = new ArrayList<>();
  private final List<Case> doubtful = new ArrayList<>();
  private int disagreements;
  private int inCompany;
  private int hosts;
  private int packets;
  private int decided;
  private int brought;
  private int wrapped;

  /** What hosts and packets are drawn from. */
  interface Lot {
    HostState host(long seed);

    List<Sent> packets(long seed, int count);
  }

  /** Hosts without SAs. */
  static final Lot WILD =
      new Lot() {
        @Override
        public HostState host(long seed) {
          return Wild.host(seed);
        }

        @Override
        public List<Sent> packets(long seed, int count) {
          return Wild.packets(seed, count);
        }
      };

  /** Hosts with tunnels that are up. */
  static final Lot LIVE =
      new Lot() {
        @Override
        public HostState host(long seed) {
          return Live.host(seed);
        }

        @Override
        public List<Sent> packets(long seed, int count) {
          return Live.packets(seed, count);
        }
      };

  Trial(Kernel kernel, Lot lot) {
    this.kernel = kernel;
    this.lot = lot;
  }

  /** Something to judge: a packet on a host, in a phase. */
  private record Case(long seed, HostState host, Sent first, Sent sent, int phase, Fate fate) {
    Opinion opinion() {
      return Opinion.of(host, sent, phase, fate);
    }

    /** Whether its ESP never came in: a rule or the way back was against that. */
    boolean neverCame() {
      return sent.tunnel().isPresent() && fate.points().isEmpty();
    }

    Case on(HostState other) {
      return new Case(seed, other, first, sent, phase, fate);
    }

    String text(Opinion opinion) {
      return "seed %d, phase %d%n%s%nthe kernel: %s%nthe model: %s%n"
          .formatted(seed, phase, Lines.of(seed, host, List.of(first)), fate, opinion.ways());
    }
  }

  /**
   * Plays each disagreement again with no other packet on the host: what was another packet's
   * doing, whose tuple a translation took, is counted by itself.
   */
  private void alone() {
    List<Case> cases = List.copyOf(doubtful);
    doubtful.clear();
    if (cases.isEmpty()) {
      return;
    }
    List<Case> again = played(cases);
    inCompany += cases.size() - again.size();
    Set<Long> shrunk = new HashSet<>();
    for (Case one : again) {
      // One of each host is enough to work on.
      if (shrunk.add(one.seed) && shown.size() < ENOUGH) {
        Case small = shrunk(one);
        shown.add(small.text(small.opinion()));
      }
      disagreements++;
    }
  }

  /**
   * Plays each with no other packet on its host; those about which kernel and model still differ.
   */
  private List<Case> played(List<Case> cases) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < cases.size(); i++) {
      text.append(Lines.of(i, cases.get(i).host, List.of(cases.get(i).first)));
    }
    Report report = kernel.play(text.toString());
    List<Case> differing = new ArrayList<>();
    for (int i = 0; i < cases.size(); i++) {
      Case one = cases.get(i);
      Kernel.Key answer = new Kernel.Key(i, one.first.id(), 1);
      if (report.refused().containsKey((long) i)
          || (one.phase > 0 && !report.answers().containsKey(answer))) {
        continue;
      }
      Sent sent = one.phase == 1 ? report.answers().get(answer) : one.first;
      Fate fate = report.fate(new Kernel.Key(i, one.first.id(), one.phase));
      Case now = new Case(one.seed, one.host, one.first, sent, one.phase, fate);
      if (!now.neverCame() && !now.opinion().possible()) {
        differing.add(now);
      }
    }
    return differing;
  }

  /** The same disagreement on a host from which nothing more can be taken. */
  private Case shrunk(Case one) {
    Case smallest = one;
    for (int round = 0; round < 12; round++) {
      Case from = smallest;
      List<UnaryOperator<HostState>> steps =
          Smaller.steps(from.host).stream()
              .filter(step -> !step.apply(from.host).equals(from.host))
              .toList();
      List<HostState> each =
          played(steps.stream().map(step -> from.on(step.apply(from.host))).toList()).stream()
              .map(Case::host)
              .toList();
      if (each.isEmpty()) {
        return smallest;
      }
      // As many at once as it takes.
      List<Case> together = new ArrayList<>();
      HostState host = from.host;
      for (UnaryOperator<HostState> step : steps) {
        if (each.contains(step.apply(from.host))) {
          host = step.apply(host);
          together.add(from.on(host));
        }
      }
      List<Case> differing = played(together);
      smallest = differing.isEmpty() ? from.on(each.getFirst()) : differing.getLast();
    }
    return smallest;
  }

  void run(long firstSeed, int count, int packetsEach) {
    StringBuilder text = new StringBuilder();
    Map<Long, HostState> drawn = new TreeMap<>();
    Map<Long, List<Sent>> sent = new TreeMap<>();
    for (long seed = firstSeed; seed < firstSeed + count; seed++) {
      drawn.put(seed, lot.host(seed));
      sent.put(seed, lot.packets(seed, packetsEach));
      text.append(Lines.of(seed, drawn.get(seed), sent.get(seed)));
    }
    Report report = kernel.play(text.toString());
    report
        .refused()
        .forEach((seed, why) -> {
          disagreements++;
          shown.add("seed " + seed + ": " + why);
        });
    drawn.forEach((seed, host) -> {
      if (!report.refused().containsKey(seed)) {
        hosts++;
        judge(seed, host, sent.get(seed), report);
      }
    });
    alone();
  }

  private void judge(long seed, HostState host, List<Sent> sent, Report report) {
    for (Sent one : sent) {
      for (int phase = 0; phase <= 2; phase++) {
        Kernel.Key key = new Kernel.Key(seed, one.id(), phase);
        Kernel.Key answer = new Kernel.Key(seed, one.id(), 1);
        if (phase > 0
            && (!report.answers().containsKey(answer) || (phase == 2 && one.device().isEmpty()))) {
          continue;
        }
        Sent packet = phase == 1 ? report.answers().get(answer) : one;
        count(new Case(seed, host, one, packet, phase, report.fate(key)));
      }
    }
  }

  private void count(Case one) {
    if (one.neverCame()) {
      return;
    }
    brought += one.sent.tunnel().isPresent() ? 1 : 0;
    wrapped += one.fate.wrapped().isEmpty() ? 0 : 1;
    Opinion opinion = one.opinion();
    packets++;
    decided += opinion.only() ? 1 : 0;
    opinion.met().forEach(kind -> met.merge(kind, 1, Integer::sum));
    String end =
        !one.fate.wrapped().isEmpty()
            ? "left in ESP"
            : !one.fate.left().isEmpty()
                ? "left"
                : !one.fate.got().isEmpty()
                    ? "received"
                    : "dropped after "
                        + (one.fate.points().isEmpty() ? "nothing" : one.fate.points().getLast());
    ends.merge(end, 1, Integer::sum);
    if (!opinion.possible()) {
      doubtful.add(one);
    }
  }

  /** Whether there is nothing to learn from more hosts before somebody has looked at these. */
  boolean hasEnough() {
    return shown.size() >= ENOUGH;
  }

  /** How many disagreements there are, and one of each host as small as it can be. */
  Optional<String> failure() {
    return disagreements == 0
        ? Optional.empty()
        : Optional.of(disagreements + " disagreements\n" + String.join("\n", shown));
  }

  String summary() {
    return "%d hosts, %d packets, of which the model left nothing open for %d; %d met another; %d came through an SA; %s"
        .formatted(hosts, packets, decided, inCompany, brought, ends);
  }

  /** Packets that differed from the model only because another had taken their tuple. */
  int inCompany() {
    return inCompany;
  }

  /** Packets that an SA brought. */
  int brought() {
    return brought;
  }

  /** Packets that left through an SA. */
  int wrapped() {
    return wrapped;
  }

  int packets() {
    return packets;
  }

  int decided() {
    return decided;
  }

  /** The kinds of things that were met. */
  Set<String> kinds() {
    return met.keySet();
  }

  String histogram() {
    return met.entrySet().stream()
        .map(e -> "%7d %s".formatted(e.getValue(), e.getKey()))
        .collect(Collectors.joining("\n"));
  }
}
