package io.gatehouse.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.model.Numbers;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Puts rulesets into the kernel and takes them back. Every change goes one way: take the lock, take
 * back what was interrupted, look whether everything needed is there, compute the change, write it
 * down, and have {@code hand.sh} carry it out.
 */
public final class Applier {
  private static final Duration NFT_LIMIT = Duration.ofSeconds(60);

  private final Machine machine;
  private final List<String> prefix;
  private final Directories directories;
  private final Clock clock;
  private final Map<String, String> environment;

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
    this.prefix = List.copyOf(prefix);
    this.directories = directories;
    this.clock = clock;
    this.environment = Map.copyOf(environment);
  }

  /** What happens between taking the lock and giving it back. */
  private interface Work {
    Outcome with(Hand hand, List<String> lines) throws IOException;
  }

  /** With the lock, and with nothing left half done. */
  private Outcome locked(String command, Work work) {
    try {
      switch (Hand.open(directories, prefix, environment, command)) {
        case Hand.Attempt.Busy busy -> {
          return Outcome.refused(busy.holder(), "nothing was touched; try again when it has ended");
        }
        case Hand.Attempt.Broken broken -> {
          return new Outcome(Outcome.Kind.FAILED, List.of(broken.why(), "nothing was touched"));
        }
        case Hand.Attempt.Taken taken -> {
          try (Hand hand = taken.hand()) {
            List<String> lines = new ArrayList<>();
            if (journal().doing().isPresent()) {
              Hand.Reply reply = hand.tell("recover");
              lines.addAll(reply.lines());
              // A boot that could not be finished is no change to take back: it counts as done, as
              // far as it came.
              if (reply.status() != 0 && journal().doing().isPresent()) {
                return stuck(lines);
              }
            }
            return work.with(hand, lines);
          }
        }
      }
    } catch (IOException e) {
      return new Outcome(
          Outcome.Kind.FAILED,
          List.of(
              "cannot write "
                  + directories.state()
                  + " or "
                  + directories.run()
                  + ": "
                  + reason(e)));
    }
  }

  private static String reason(IOException e) {
    String message = e.getMessage();
    return e.getClass().getSimpleName() + (message == null ? "" : " " + message);
  }

  private Outcome stuck(List<String> lines) {
    List<String> all = new ArrayList<>(lines);
    all.add("what was interrupted could not be taken back; " + meanwhile());
    all.add("mend what is said above, then run any gatehouse command again, or");
    all.add("sh " + directories.run().resolve("hand.sh") + " recover");
    return new Outcome(Outcome.Kind.FAILED, all);
  }

  /** What passes while a change is half done. */
  private String meanwhile() {
    boolean fence =
        machine.run("nft", "-t", "list", "table", "inet", NftScripts.FENCE).out().contains("chain");
    boolean table = Standing.read(machine).there();
    if (fence) {
      return table
          ? "only what both rulesets allow passes"
          : "only what the ruleset that was to stand allows passes";
    }
    return table ? "the table `inet gatehouse` decides alone" : "no rules of ours stand";
  }

  /** The journal as far as it is about this kernel and this namespace. */
  private Journal journal() {
    String boot = Snapshot.boot(machine);
    String namespace = Snapshot.namespace(machine);
    return Journal.read(directories)
        .filter(journal -> journal.isAbout(boot, namespace))
        .orElse(Journal.blank(boot, namespace));
  }

  /**
   * Another namespace of this boot has a generation in the same directory: it would be forgotten.
   */
  private Optional<Outcome> elsewhere() {
    return Journal.read(directories)
        .filter(j ->
            j.boot().equals(Snapshot.boot(machine))
                && !j.namespace().equals(Snapshot.namespace(machine))
                && j.now() != 0)
        .map(j ->
            Outcome.refused(
                directories.state() + " belongs to another network namespace, " + j.namespace(),
                "name another directory with GATEHOUSE_STATE, or remove it there first"));
  }

  private Optional<Generation> standing(Journal journal) {
    return journal.now() == 0 ? Optional.empty() : Generation.open(directories, journal.now());
  }

  // ---- apply ----

  /** Puts a ruleset into the kernel. */
  public Outcome apply(Request request) {
    Optional<Outcome> lacking = lacking(Optional.of(request.ruleset()));
    if (lacking.isPresent()) {
      return lacking.get();
    }
    return locked(request.command(), (hand, lines) -> apply(request, hand, lines));
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

  private Outcome apply(Request request, Hand hand, List<String> lines) throws IOException {
    Optional<Outcome> elsewhere = elsewhere();
    if (elsewhere.isPresent()) {
      return elsewhere.get();
    }
    Journal journal = journal();
    if (journal.waiting().isPresent()) {
      return waits(journal.waiting().get());
    }
    Optional<Generation> before = standing(journal);
    Ruleset ruleset = request.ruleset();
    Prepared prepared = prepare(Optional.of(ruleset), before);
    Forecast forecast = forecast(prepared, ruleset);
    if (!forecast.conflicts().isEmpty()) {
      lines.addAll(forecast.conflicts());
      lines.add("nothing was touched");
      return new Outcome(Outcome.Kind.REFUSED, lines);
    }
    String hash = hash(request.description() + "\n" + GenerationFiles.text(ruleset));
    boolean same =
        before.flatMap(generation -> generation.meta("hash")).filter(hash::equals).isPresent()
            && prepared.change().changesNothing()
            && before.map(generation -> sameTable(generation, prepared.standing())).orElse(false);
    if (same) {
      lines.add(
          ruleset.gateway() + ": nothing to do, generation " + journal.now() + " stands already");
      return new Outcome(Outcome.Kind.DONE, lines);
    }
    if (request.confirmWithin().isEmpty() && request.ssh().isPresent()) {
      Optional<String> lockout = Lockout.reason(ruleset, request.ssh().get(), prepared.snapshot());
      if (lockout.isPresent()) {
        lines.add(lockout.get());
        lines.add("nothing was touched; to try it, with a way back: add --confirm 60s");
        return new Outcome(Outcome.Kind.REFUSED, lines);
      }
    }
    int number = Generation.numbers(directories).stream().max(Integer::compare).orElse(0) + 1;
    Map<String, String> files =
        files(number, Optional.of(ruleset), before, prepared, forecast.stale(), request, hash);
    Optional<Outcome> refused = check(files, ruleset);
    if (refused.isPresent()) {
      return refused.get();
    }
    Generation.write(directories, number, files);
    String seconds =
        request.confirmWithin().isPresent() ? " " + request.confirmWithin().getAsInt() : "";
    Hand.Reply reply = hand.tell("redo " + number + seconds);
    lines.addAll(reply.lines());
    if (reply.status() != 0) {
      return failed(reply, lines);
    }
    endLateConnections(ruleset);
    lines.addAll(prepared.change().remarks());
    lines.addAll(forecast.warnings());
    lines.add(
        "%s: generation %d stands (%d rules)"
            .formatted(ruleset.gateway(), number, ruleset.ruleCount()));
    if (request.confirmWithin().isPresent()) {
      lines.add(
          "taken back in %d s unless you run: gatehouse confirm"
              .formatted(request.confirmWithin().getAsInt()));
    }
    prune();
    return new Outcome(Outcome.Kind.DONE, lines);
  }

  /**
   * Ends connections that began with an old translation between our look and the new rules. The
   * kernel knows them by now, and no new one comes.
   */
  private void endLateConnections(Ruleset ruleset) {
    List<Connection> late =
        StaleConnections.of(Snapshot.connections(machine), ruleset, Snapshot.of(machine))
            .connections();
    for (Connection connection : late) {
      List<String> command = new ArrayList<>(List.of("conntrack", "-D"));
      command.addAll(List.of(StaleConnections.arguments(connection).split(" ", -1)));
      machine.run(command.toArray(String[]::new));
    }
  }

  private static Outcome waits(Journal.Waiting waiting) {
    return Outcome.refused(
        "generation %d waits for confirmation, %d s more"
            .formatted(waiting.generation(), Math.max(0, waiting.until() - Hand.uptime())),
        "first: gatehouse confirm, or gatehouse rollback");
  }

  /**
   * Asks nft and the kernel about both transactions; {@code -c} ends just before it would commit.
   */
  private Optional<Outcome> check(Map<String, String> files, Ruleset ruleset) {
    for (String name : List.of("fence.nft", "final.nft")) {
      Machine.Answer answer =
          machine.run(List.of("nft", "-c", "-f", "-"), files.getOrDefault(name, ""), NFT_LIMIT);
      if (!answer.ok()) {
        List<String> missing = Preflight.refused(machine, ruleset);
        if (!missing.isEmpty()) {
          return Optional.of(lackingOf(missing));
        }
        List<String> lines = new ArrayList<>();
        lines.add("nft refuses the ruleset (" + name + "):");
        answer.err().lines().limit(6).forEach(lines::add);
        lines.add("nothing was touched");
        return Optional.of(new Outcome(Outcome.Kind.FAILED, lines));
      }
    }
    return Optional.empty();
  }

  private Outcome failed(Hand.Reply reply, List<String> lines) {
    if (reply.status() == Hand.DEAD) {
      // In its place, as the next start would: the lock went with it.
      lines.add(
          "the shell that changes the kernel was killed; the next gatehouse command takes back");
      lines.add("what it had begun: gatehouse status");
      return new Outcome(Outcome.Kind.FAILED, lines);
    }
    if (reply.status() == 2) {
      return stuck(lines);
    }
    lines.add("the kernel has what it had before");
    return new Outcome(Outcome.Kind.REFUSED, lines);
  }

  private void prune() throws IOException {
    List<Integer> needed = new ArrayList<>();
    Journal journal = journal();
    needed.add(journal.now());
    standing(journal)
        .ifPresent(generation -> {
          needed.add(generation.from());
          needed.add(generation.booted());
        });
    needed.add(atBoot());
    Generation.prune(directories, needed);
  }

  // ---- what a change would be ----

  /** Everything read, and the change computed from it. */
  private record Prepared(
      Snapshot snapshot,
      Standing standing,
      Change change,
      Optional<Generation> before,
      Numbers was,
      Numbers numbers) {}

  private Prepared prepare(Optional<Ruleset> wanted, Optional<Generation> before) {
    Snapshot snapshot = Snapshot.of(machine);
    Map<String, String> sysctls = Snapshot.sysctls(machine, Change.trees(wanted, before));
    Optional<Generation> marked = before.filter(generation -> !generation.isEmpty());
    Numbers numbers = wanted.map(Ruleset::numbers).orElse(numbers(before));
    // Where nothing of ours stands, what carries our number was left by us, as far as one can know.
    Numbers was = marked.isPresent() ? numbers(marked) : numbers;
    Change change = Change.of(snapshot, wanted, before, was, numbers, sysctls);
    return new Prepared(snapshot, Standing.read(machine), change, before, was, numbers);
  }

  /** The numbers by which the generation before marked its entries. */
  private static Numbers numbers(Optional<Generation> before) {
    Numbers usual = Numbers.DEFAULT;
    return before
        .map(generation ->
            new Numbers(
                usual.rulePriorities(),
                usual.routeTables(),
                generation
                    .meta("protocol")
                    .filter(text -> text.matches("[0-9]{1,3}"))
                    .map(Integer::parseInt)
                    .orElse(usual.routeProtocol()),
                generation
                    .meta("backstop")
                    .filter(text -> text.matches("[0-9]{1,10}"))
                    .map(Long::parseLong)
                    .orElse(usual.backstopPriority()),
                usual.saMarkMask(),
                usual.identityMarkMask(),
                usual.transportZones(),
                usual.masqueradeZones()))
        .orElse(usual);
  }

  private Forecast forecast(Prepared prepared, Ruleset ruleset) {
    return Forecast.of(
        prepared.change(),
        prepared.snapshot(),
        ruleset,
        Snapshot.connections(machine),
        prepared.before().map(g -> !sameTable(g, prepared.standing())).orElse(true));
  }

  /**
   * Reads the host and says what applying would change; nothing is touched, and no lock is needed.
   */
  public Forecast plan(Ruleset ruleset) {
    List<String> missing = Preflight.missing(machine, Optional.of(ruleset));
    if (!missing.isEmpty()) {
      return Forecast.lacking(missing);
    }
    return forecast(prepare(Optional.of(ruleset), standing(journal())), ruleset);
  }

  /**
   * The transaction that applying ends with, as it would be handed to nft now; nothing is touched.
   */
  public String nft(Ruleset ruleset) {
    Optional<Generation> before = standing(journal());
    int number = Generation.numbers(directories).stream().max(Integer::compare).orElse(0) + 1;
    Request request =
        new Request(
            ruleset, "", "", "plan", OptionalInt.empty(), Optional.empty(), /* atBoot= */ false);
    Prepared prepared = prepare(Optional.of(ruleset), before);
    return files(number, Optional.of(ruleset), before, prepared, List.of(), request, "")
        .getOrDefault("final.nft", "");
  }

  private static boolean sameTable(Generation generation, Standing standing) {
    return Drift.rules(generation.text("seen.nft"), standing.listing(), generation.shape())
        .isEmpty();
  }

  private Map<String, String> files(
      int number,
      Optional<Ruleset> ruleset,
      Optional<Generation> before,
      Prepared prepared,
      List<String> conntrack,
      Request request,
      String hash) {
    Map<String, String> about = about();
    about.put("gateway", request.ruleset().gateway());
    about.put("file", request.file().replaceAll("\\p{Cntrl}", " "));
    about.put("hash", hash);
    about.put("at-boot", request.atBoot() ? "yes" : "no");
    Shape shape = prepared.standing().shape(before);
    return GenerationFiles.of(
        number,
        ruleset,
        before,
        prepared.was(),
        prepared.numbers(),
        prepared.change(),
        shape,
        conntrack,
        request.description(),
        about);
  }

  private Map<String, String> about() {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("boot", Snapshot.boot(machine));
    about.put("namespace", Snapshot.namespace(machine));
    about.put("time", clock.instant().truncatedTo(ChronoUnit.SECONDS).toString());
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
    return locked(
        command,
        (hand, lines) -> {
          Optional<Journal.Waiting> waiting = journal().waiting();
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
    return locked(
        command,
        (hand, lines) -> {
          int now = journal().now();
          Optional<Generation> standing = standing(journal());
          if (standing.isEmpty()) {
            lines.add("nothing of ours stands in this kernel since it booted");
            return new Outcome(Outcome.Kind.REFUSED, lines);
          }
          Hand.Reply reply = hand.tell("undo " + now);
          lines.addAll(reply.lines());
          if (reply.status() != 0) {
            return reply.status() == Hand.DEAD ? failed(reply, lines) : stuck(lines);
          }
          int from = standing.get().from();
          lines.add(
              from == 0
                  ? "generation " + now + " is taken back: nothing of ours stands"
                  : "generation " + now + " is taken back: generation " + from + " stands again");
          int boot = atBoot();
          lines.add(
              boot == 0
                  ? "the next boot loads nothing of ours"
                  : "the next boot loads generation " + boot);
          return new Outcome(Outcome.Kind.DONE, lines);
        });
  }

  /** Gives the host back as it was before us. */
  public Outcome remove(String command) {
    Optional<Outcome> lacking = lacking(Optional.empty());
    if (lacking.isPresent()) {
      return lacking.get();
    }
    return locked(command, this::remove);
  }

  private Outcome remove(Hand hand, List<String> lines) throws IOException {
    Optional<Outcome> elsewhere = elsewhere();
    if (elsewhere.isPresent()) {
      return elsewhere.get();
    }
    Journal journal = journal();
    if (journal.waiting().isPresent()) {
      return waits(journal.waiting().get());
    }
    Optional<Generation> before = standing(journal);
    Prepared prepared = prepare(Optional.empty(), before);
    if ((before.isEmpty() || before.get().isEmpty())
        && prepared.change().changesNothing()
        && !prepared.standing().there()) {
      forgetBoot();
      lines.add("nothing of ours stands");
      return new Outcome(Outcome.Kind.DONE, lines);
    }
    int number = Generation.numbers(directories).stream().max(Integer::compare).orElse(0) + 1;
    Map<String, String> about = about();
    about.put("gateway", before.flatMap(g -> g.meta("gateway")).orElse("-"));
    Map<String, String> files =
        GenerationFiles.of(
            number,
            Optional.empty(),
            before,
            prepared.was(),
            prepared.numbers(),
            prepared.change(),
            prepared.standing().shape(before),
            List.of(),
            "",
            about);
    Generation.write(directories, number, files);
    Hand.Reply reply = hand.tell("redo " + number);
    lines.addAll(reply.lines());
    if (reply.status() != 0) {
      return failed(reply, lines);
    }
    prune();
    lines.add("nothing of ours stands; the host is as it was before");
    return new Outcome(Outcome.Kind.DONE, lines);
  }

  // ---- status ----

  /** Compares the kernel with what was put there; nothing is touched, and no lock is needed. */
  public Status status() {
    Journal journal = journal();
    Optional<Generation> standing = standing(journal).filter(generation -> !generation.isEmpty());
    List<String> drift = new ArrayList<>();
    List<String> waiting = new ArrayList<>();
    standing.ifPresent(generation -> compare(generation, drift, waiting));
    return new Status(
        standing.flatMap(generation -> generation.meta("gateway")),
        standing.map(Generation::number).orElse(0),
        standing.flatMap(generation -> generation.meta("time")),
        journal.doing().isPresent(),
        journal
            .waiting()
            .map(w -> OptionalLong.of(Math.max(0, w.until() - Hand.uptime())))
            .orElse(OptionalLong.empty()),
        atBoot(),
        drift,
        waiting);
  }

  private void compare(Generation generation, List<String> drift, List<String> waiting) {
    drift.addAll(
        Drift.rules(
            generation.text("seen.nft"), Standing.read(machine).listing(), generation.shape()));
    Snapshot snapshot = Snapshot.of(machine);
    List<Wish> wishes = generation.wishes();
    Map<String, String> settings =
        Snapshot.sysctls(
            machine,
            wishes.stream()
                .filter(wish -> wish.kind() == Wish.Kind.SYSCTL)
                .map(Wish::key)
                .toList());
    Drift.entries(wishes, snapshot, settings, numbers(Optional.of(generation)), drift, waiting);
  }

  /** The generation that a boot loads; 0 for none. */
  public int atBoot() {
    try {
      return Integer.parseInt(Files.readString(directories.state().resolve("boot")).strip());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
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

  /** Generations that {@code rollback N} can go back to. */
  public List<Integer> described() {
    return Generation.numbers(directories).stream()
        .filter(number -> description(number).isPresent())
        .toList();
  }

  /** The generation that stands in this kernel; 0 for none. */
  public int now() {
    return journal().now();
  }

  private void forgetBoot() throws IOException {
    Path boot = directories.state().resolve("boot");
    Files.deleteIfExists(boot);
  }
}
