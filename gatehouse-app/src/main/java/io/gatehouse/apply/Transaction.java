package io.gatehouse.apply;

import io.gatehouse.snapshot.Machine;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Changes one at a time: with the lock, and with nothing left half done. */
final class Transaction {
  private final Machine machine;
  private final List<String> prefix;
  private final Directories directories;
  private final Map<String, String> environment;
  private final Records records;

  Transaction(
      Machine machine,
      List<String> prefix,
      Directories directories,
      Map<String, String> environment,
      Records records) {
    this.machine = machine;
    this.prefix = List.copyOf(prefix);
    this.directories = directories;
    this.environment = Map.copyOf(environment);
    this.records = records;
  }

  /** What happens between taking the lock and giving it back. */
  interface Work {
    Outcome with(Hand hand, List<String> lines) throws IOException;
  }

  /** With the lock, and with nothing left half done. */
  Outcome locked(String command, Work work) {
    try {
      switch (Hand.open(directories, prefix, environment, command)) {
        case Hand.Attempt.Busy busy -> {
          return Outcome.refused(busy.holder(), "nothing was touched; try again when it has ended")
              .forNow();
        }
        case Hand.Attempt.Broken broken -> {
          return new Outcome(Outcome.Kind.FAILED, List.of(broken.why(), "nothing was touched"));
        }
        case Hand.Attempt.Taken taken -> {
          try (Hand hand = taken.hand()) {
            List<String> lines = new ArrayList<>();
            if (records.journal().doing().isPresent()) {
              Hand.Reply reply = hand.tell("recover");
              lines.addAll(reply.lines());
              // A boot that could not be finished is no change to take back: it counts as done, as
              // far as it came.
              if (reply.status() != 0 && records.journal().doing().isPresent()) {
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

  Outcome stuck(List<String> lines) {
    List<String> all = new ArrayList<>(lines);
    all.add("what was interrupted could not be taken back; " + meanwhile());
    all.add("mend what is said above, then run any gatehouse command again, or");
    all.add(directories.assignments() + "sh " + directories.run().resolve("hand.sh") + " recover");
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

  /** A step that failed: what stands now. */
  Outcome failed(Hand.Reply reply, List<String> lines) {
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
    if (reply.status() == Hand.LEFT) {
      lines.add("not done; the kernel has what it had before, but for what is said above");
      return new Outcome(Outcome.Kind.FAILED, lines);
    }
    lines.add("the kernel has what it had before");
    return new Outcome(Outcome.Kind.REFUSED, lines).forNow();
  }
}
