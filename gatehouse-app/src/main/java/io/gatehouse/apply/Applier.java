package io.gatehouse.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Puts rulesets into the kernel and takes them back. Every change goes one way: take the lock, take
 * back what was interrupted, look whether everything needed is there, compute the change, write it
 * down, and have {@code hand.sh} carry it out.
 */
public final class Applier {
  private static final Duration NFT_LIMIT = Duration.ofSeconds(60);
  private static final Duration CONNTRACK_LIMIT = Duration.ofSeconds(30);

  /** It waits for whoever holds the lock. */
  private static final Duration LATE_LIMIT = Duration.ofMinutes(5);

  private final Machine machine;
  private final Directories directories;
  private final Clock clock;
  private final Records records;
  private final Planner planner;
  private final Transaction transaction;

  /**
   * @param prefix what the shell that changes the kernel is run by, such as {@code ip netns exec
   *     NAME}; the machine's commands have to run in the same place
   * @param environment more for that shell; tests say there where it is to die
   */
  public Applier(
      Machine machine,
      List<String> prefix,
      Directories directories,
      Clock clock,
      Map<String, String> environment) {
    this.machine = machine;
    this.directories = directories;
    this.clock = clock;
    records = new Records(machine, directories);
    planner = new Planner(machine);
    transaction = new Transaction(machine, prefix, directories, environment, records);
  }

  // ---- apply ----

  /** Puts a ruleset into the kernel. */
  public Outcome apply(Request request) {
    return apply(request, () -> true);
  }

  /**
   * The same of a ruleset that is being proved meanwhile.
   *
   * @param proved waits for the proofs; asked before anything is touched, and nothing is where it
   *     says no
   */
  public Outcome apply(Request request, BooleanSupplier proved) {
    Optional<Outcome> lacking = lacking(Optional.of(request.ruleset()));
    if (lacking.isPresent()) {
      return lacking.get();
    }
    // To take back what was interrupted touches the kernel too.
    if (records.journal().doing().isPresent() && !proved.getAsBoolean()) {
      return unproved();
    }
    return transaction.locked(
        request.command(), (hand, lines) -> apply(request, proved, hand, lines));
  }

  private static Outcome unproved() {
    return Outcome.refused("it is not proved", "nothing was touched");
  }

  private Optional<Outcome> lacking(Optional<Ruleset> ruleset) {
    List<String> missing = Preflight.missing(machine, ruleset);
    return missing.isEmpty() ? Optional.empty() : Optional.of(lackingOf(missing));
  }

  private static Outcome lackingOf(List<String> missing) {
    List<String> lines = new ArrayList<>();
    missing.forEach(what -> lines.add("missing: " + what));
    lines.add("nothing was touched");
    return new Outcome(Outcome.Kind.LACKING, lines);
  }

  private Outcome apply(Request request, BooleanSupplier proved, Hand hand, List<String> lines)
      throws IOException {
    Optional<Outcome> elsewhere = records.elsewhere();
    if (elsewhere.isPresent()) {
      return elsewhere.get();
    }
    Journal journal = records.journal();
    if (request.expected().isPresent() && request.expected().getAsInt() != journal.now()) {
      return overtaken(request.expected().getAsInt(), journal.now());
    }
    if (journal.waiting().isPresent()) {
      return waits(journal.waiting().get());
    }
    Ruleset ruleset = request.ruleset();
    // Of ten thousand peers a text of five megabytes: written while the host is asked.
    CompletableFuture<String> wanted =
        CompletableFuture.supplyAsync(
            () -> hash(request.description() + "\n" + GenerationFiles.text(ruleset)));
    Planned planned = planner.plan(Optional.of(ruleset), records.standing());
    if (!planned.snapshot().unread().isEmpty()) {
      return unread(planned.snapshot());
    }
    String hash = wanted.join();
    // Another ruleset replaces whatever stands in the table: then nobody need read that.
    boolean same =
        planned
            .before()
            .filter(old -> old.meta("hash").filter(hash::equals).isPresent())
            .filter(old -> planned.change().changesNothing() && planner.tableStands(old))
            .isPresent();
    Forecast forecast = planner.forecast(planned, ruleset, !same);
    if (!forecast.conflicts().isEmpty()) {
      lines.addAll(forecast.conflicts());
      lines.add("nothing was touched");
      return new Outcome(Outcome.Kind.REFUSED, lines);
    }
    if (same) {
      lines.add(
          ruleset.gateway() + ": nothing to do, generation " + journal.now() + " stands already");
      return new Outcome(Outcome.Kind.DONE, lines);
    }
    if (request.confirmWithin().isEmpty() && request.ssh().isPresent()) {
      Optional<String> lockout = Lockout.reason(ruleset, request.ssh().get(), planned.snapshot());
      if (lockout.isPresent()) {
        lines.add(lockout.get());
        lines.add("nothing was touched; to try it, with a way back: add --confirm 60s");
        return new Outcome(Outcome.Kind.REFUSED, lines);
      }
    }
    int number = records.next();
    Map<String, String> about = about(ruleset.gateway());
    about.put("file", request.file().replaceAll("\\p{Cntrl}", " "));
    about.put("hash", hash);
    about.put("at-boot", request.atBoot() ? "yes" : "no");
    Map<String, String> files =
        GenerationFiles.of(number, planned, forecast.stale(), request.description(), about);
    Optional<Outcome> refused =
        check(files.getOrDefault("final.nft", ""), ruleset, planned.standing().there());
    if (refused.isPresent()) {
      return refused.get();
    }
    if (!proved.getAsBoolean()) {
      return unproved();
    }
    Generation.write(directories, number, files);
    String seconds =
        request.confirmWithin().isPresent() ? " " + request.confirmWithin().getAsInt() : "";
    Hand.Reply reply = hand.tell("redo " + number + seconds);
    lines.addAll(reply.lines());
    if (reply.status() != 0) {
      return transaction.failed(reply, lines);
    }
    endLateConnections(ruleset);
    lines.addAll(planned.change().remarks());
    lines.addAll(forecast.warnings());
    lines.add(
        "%s: generation %d stands (%d rules)"
            .formatted(ruleset.gateway(), number, ruleset.ruleCount()));
    if (request.confirmWithin().isPresent()) {
      lines.add(
          "taken back in %d s unless you run: gatehouse confirm"
              .formatted(request.confirmWithin().getAsInt()));
    }
    records.prune();
    return new Outcome(Outcome.Kind.DONE, lines);
  }

  /**
   * Ends connections that began with an old translation between our look and the new rules. The
   * kernel knows them by now, and no new one comes.
   */
  private void endLateConnections(Ruleset ruleset) {
    List<Connection> connections = Snapshot.connections(machine);
    if (connections.isEmpty()) {
      return; // to read the whole host again takes seconds where there are thousands of peers
    }
    List<Connection> late =
        StaleConnections.of(connections, ruleset, Snapshot.of(machine)).connections();
    if (late.isEmpty()) {
      return;
    }
    String list =
        late.stream()
            .map(connection -> "-D " + StaleConnections.arguments(connection) + "\n")
            .collect(Collectors.joining());
    Machine.Answer answer = machine.run(List.of("conntrack", "-R", "-"), list, CONNTRACK_LIMIT);
    if (answer.status() != 0 && answer.status() != Machine.Answer.TIMED_OUT) {
      // Before 1.4.7 it takes no list.
      for (Connection connection : late) {
        List<String> command = new ArrayList<>(List.of("conntrack", "-D"));
        command.addAll(List.of(StaleConnections.arguments(connection).split(" ", -1)));
        machine.run(command.toArray(String[]::new));
      }
    }
  }

  /** What was not read would count as gone: a change would add what stands and undo it. */
  private static Outcome unread(Snapshot snapshot) {
    List<String> lines = new ArrayList<>(Forecast.unread(snapshot));
    lines.add("nothing was touched");
    return new Outcome(Outcome.Kind.FAILED, lines);
  }

  /** Somebody's later wish stands: an earlier one must not come back over it. */
  private static Outcome overtaken(int expected, int now) {
    return Outcome.refused(
            "generation %d was to stand, and %s"
                .formatted(expected, now == 0 ? "nothing of ours does" : now + " does by now"),
            "nothing was touched")
        .forNow();
  }

  private static Outcome waits(Journal.Waiting waiting) {
    return Outcome.refused(
            "generation %d waits for confirmation, %d s more"
                .formatted(waiting.generation(), Math.max(0, waiting.until() - Hand.uptime())),
            "first: gatehouse confirm, or gatehouse rollback, which takes that one back")
        .forNow();
  }

  /**
   * Asks nft and the kernel about the transactions; {@code -c} ends just before it would commit.
   *
   * @param last the transaction that the change ends with
   * @param replaces whether a table of ours stands: where none does, the fence has no rules
   */
  private Optional<Outcome> check(String last, Ruleset ruleset, boolean replaces) {
    if (replaces) {
      // Its elements are asked for with the last one: all of ten thousand peers take a second more.
      String fence = NftScripts.fence(GenerationFiles.table(ruleset).map(NftScripts::sample));
      Optional<Outcome> refused = check("the fence", fence, ruleset);
      if (refused.isPresent()) {
        return refused;
      }
    }
    return check("the ruleset", last, ruleset);
  }

  private Optional<Outcome> check(String what, String text, Ruleset ruleset) {
    Machine.Answer answer = machine.run(List.of("nft", "-c", "-f", "-"), text, NFT_LIMIT);
    if (answer.ok()) {
      return Optional.empty();
    }
    List<String> missing = Preflight.refused(machine, ruleset);
    if (!missing.isEmpty()) {
      return Optional.of(lackingOf(missing));
    }
    List<String> lines = new ArrayList<>();
    lines.add("nft refuses " + what + ":");
    answer.err().lines().limit(6).forEach(lines::add);
    lines.add("nothing was touched");
    return Optional.of(new Outcome(Outcome.Kind.FAILED, lines));
  }

  /**
   * Reads the host and says what applying would change; nothing is touched, and no lock is needed.
   */
  public Forecast plan(Ruleset ruleset) {
    List<String> missing = Preflight.missing(machine, Optional.of(ruleset));
    if (!missing.isEmpty()) {
      return Forecast.lacking(missing);
    }
    Planned planned = planner.plan(Optional.of(ruleset), records.standing());
    boolean stands = planned.before().filter(planner::tableStands).isPresent();
    return planner.forecast(planned, ruleset, !stands);
  }

  /**
   * The transaction that applying ends with, as it would be handed to nft now; nothing is touched.
   */
  public String nft(Ruleset ruleset) {
    Planned planned = planner.plan(Optional.of(ruleset), records.standing());
    return GenerationFiles.of(records.next(), planned, List.of(), "", Map.of())
        .getOrDefault("final.nft", "");
  }

  private Map<String, String> about(String gateway) {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("boot", Snapshot.boot(machine));
    about.put("namespace", Snapshot.namespace(machine));
    about.put("time", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
    about.put("gateway", gateway);
    about.put("run", directories.run().toString());
    return about;
  }

  private static String hash(String text) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  // ---- confirm, rollback, remove ----

  /** What waits for confirmation stays. */
  public Outcome confirm(String command) {
    return transaction.locked(
        command,
        (hand, lines) -> {
          Optional<Journal.Waiting> waiting = records.journal().waiting();
          if (waiting.isEmpty()) {
            lines.add("nothing waits for confirmation");
            return new Outcome(Outcome.Kind.REFUSED, lines);
          }
          Hand.Reply reply = hand.tell("confirm");
          lines.addAll(reply.lines());
          if (reply.status() != 0) {
            lines.add("not confirmed");
            return new Outcome(Outcome.Kind.FAILED, lines);
          }
          lines.add("generation " + waiting.get().generation() + " is confirmed and stays");
          return new Outcome(Outcome.Kind.DONE, lines);
        });
  }

  /** Takes the generation that stands back to the one before it. */
  public Outcome rollback(String command) {
    return transaction.locked(
        command,
        (hand, lines) -> {
          int now = records.journal().now();
          Optional<Generation> standing = records.standing();
          if (standing.isEmpty()) {
            lines.add("nothing of ours stands in this kernel since it booted");
            return new Outcome(Outcome.Kind.REFUSED, lines);
          }
          Hand.Reply reply = hand.tell("undo " + now);
          lines.addAll(reply.lines());
          if (reply.status() != 0 && reply.status() != Hand.LEFT) {
            return reply.status() == Hand.DEAD
                ? transaction.failed(reply, lines)
                : transaction.stuck(lines);
          }
          int from = standing.get().from();
          lines.add(
              from == 0
                  ? "generation " + now + " is taken back: nothing of ours stands"
                  : "generation " + now + " is taken back: generation " + from + " stands again");
          int boot = records.atBoot();
          lines.add(
              boot == 0
                  ? "the next boot loads nothing of ours"
                  : "the next boot loads generation " + boot);
          if (reply.status() == Hand.LEFT) {
            lines.add("but for what is said above: mend that by hand");
            return new Outcome(Outcome.Kind.FAILED, lines);
          }
          return new Outcome(Outcome.Kind.DONE, lines);
        });
  }

  /** Gives the host back as it was before us. */
  public Outcome remove(String command) {
    Optional<Outcome> lacking = lacking(Optional.empty());
    if (lacking.isPresent()) {
      return lacking.get();
    }
    return transaction.locked(command, this::remove);
  }

  private Outcome remove(Hand hand, List<String> lines) throws IOException {
    Optional<Outcome> elsewhere = records.elsewhere();
    if (elsewhere.isPresent()) {
      return elsewhere.get();
    }
    Journal journal = records.journal();
    if (journal.waiting().isPresent()) {
      return waits(journal.waiting().get());
    }
    Optional<Generation> before = records.standing();
    Planned planned = planner.plan(Optional.empty(), before);
    if (!planned.snapshot().unread().isEmpty()) {
      return unread(planned.snapshot());
    }
    if ((before.isEmpty() || before.get().isEmpty())
        && planned.change().changesNothing()
        && !planned.standing().there()) {
      records.forgetBoot();
      lines.add("nothing of ours stands");
      return new Outcome(Outcome.Kind.DONE, lines);
    }
    int number = records.next();
    Map<String, String> about = about(before.flatMap(g -> g.meta("gateway")).orElse("-"));
    Map<String, String> files = GenerationFiles.of(number, planned, List.of(), "", about);
    Generation.write(directories, number, files);
    Hand.Reply reply = hand.tell("redo " + number);
    lines.addAll(reply.lines());
    if (reply.status() != 0) {
      return transaction.failed(reply, lines);
    }
    records.prune();
    lines.add("nothing of ours stands; the host is as it was before");
    return new Outcome(Outcome.Kind.DONE, lines);
  }

  /**
   * Puts in what waited for devices that have come since: their routes and settings. What stands
   * already stays, and no generation comes of it.
   */
  public Outcome late() {
    int now = now();
    if (now == 0) {
      return new Outcome(Outcome.Kind.DONE, List.of());
    }
    Machine.Answer answer =
        machine.run(
            List.of(
                "env",
                "GATEHOUSE_STATE=" + directories.state(),
                "GATEHOUSE_RUN=" + directories.run(),
                "sh",
                directories.generation(now).resolve("hand.sh").toString(),
                "late"),
            "",
            LATE_LIMIT);
    return new Outcome(
        answer.ok() ? Outcome.Kind.DONE : Outcome.Kind.FAILED,
        (answer.out() + answer.err()).lines().toList());
  }

  // ---- status ----

  /** Compares the kernel with what was put there; nothing is touched, and no lock is needed. */
  public Status status() {
    return new Inspection(machine, records).status();
  }

  /** The generation that a boot loads; 0 for none. */
  public int atBoot() {
    return records.atBoot();
  }

  /** What an earlier generation was compiled from, for `rollback N`. */
  public Optional<String> description(int number) {
    return Generation.open(directories, number)
        .filter(generation -> !generation.isEmpty())
        .map(generation -> generation.text("description"));
  }

  /** The file that an earlier generation was read from. */
  public Optional<String> file(int number) {
    return Generation.open(directories, number).flatMap(generation -> generation.meta("file"));
  }

  /** Whether an earlier generation was to be loaded at boot. */
  public boolean isForBoot(int number) {
    return Generation.open(directories, number)
        .flatMap(generation -> generation.meta("at-boot"))
        .map("yes"::equals)
        .orElse(true);
  }

  /** Generations that {@code rollback N} can go back to. */
  public List<Integer> described() {
    return Generation.numbers(directories).stream()
        .filter(number -> description(number).isPresent())
        .toList();
  }

  /** The generation that stands in this kernel; 0 for none. */
  public int now() {
    return records.journal().now();
  }
}
