package io.gatehouse.cli;

import io.gatehouse.config.Problem;
import io.gatehouse.model.Family;
import io.gatehouse.snapshot.Collected;
import io.gatehouse.snapshot.Remark;
import io.gatehouse.snapshot.SeenHost;
import io.gatehouse.verify.Follow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/** The gateway that a question is about: one that is described, or one that stands somewhere. */
sealed interface Subject {
  /** The word for this host. */
  String LIVE = "live";

  /** What words about its packets may name. */
  Whereabouts whereabouts();

  /** Follows packets on it. */
  Follow follow();

  /** What was taken for granted about packets of the family, for people. */
  List<String> assumed(Family family);

  /** A description. */
  record Ours(Described described) implements Subject {
    @Override
    public Whereabouts whereabouts() {
      return Whereabouts.of(described.gateway());
    }

    @Override
    public Follow follow() {
      return Follow.described(described.gateway(), described.compiled().ruleset());
    }

    @Override
    public List<String> assumed(Family family) {
      return List.of();
    }
  }

  /**
   * A host as it stands, or as somebody wrote it down.
   *
   * @param name as the user gave it
   * @param collected what its tools said
   * @param seen with the own text of each rule as what it is for
   */
  record Theirs(String name, Collected collected, SeenHost seen) implements Subject {
    static Theirs of(String name, Collected collected) {
      Optional<String> file =
          collected.texts().size() == 1 && !name.equals(LIVE)
              ? Optional.of(name)
              : Optional.empty();
      return new Theirs(name, collected, SeenHost.of(collected).withOwnText(file));
    }

    @Override
    public Whereabouts whereabouts() {
      return Whereabouts.of(name, seen.host());
    }

    @Override
    public Follow follow() {
      return Follow.standing(seen.host());
    }

    @Override
    public List<String> assumed(Family family) {
      List<String> lines = new ArrayList<>();
      long unclear = 0;
      for (Remark remark : seen.remarks()) {
        String file = remark.where().file();
        if (isOfAnother(file, remark.text(), family)) {
          continue;
        }
        switch (remark.kind()) {
          case ASSUMED ->
              lines.add(
                  (collected.texts().containsKey(file) ? "" : "no ") + file + ": " + remark.text());
          case UNREADABLE -> lines.add(remark.where().place() + ": " + remark.text());
          case NOT_UNDERSTOOD -> unclear++;
        }
      }
      if (unclear > 0) {
        lines.add(
            "nothing of "
                + Page.counted((int) unclear, "entry").replace("entrys", "entries")
                + " that we do not understand: what rests on one is said to be open");
      }
      return lines;
    }

    private static boolean isOfAnother(String file, String text, Family family) {
      boolean six =
          file.startsWith("ip6") || file.endsWith("-6.json") || text.startsWith("net/ipv6/");
      boolean four =
          text.startsWith("net/ipv4/")
              || file.startsWith("iptables")
              || file.equals("ip-rule.json")
              || file.equals("ip-route.json");
      return family == Family.V4 ? six : four;
    }
  }

  /**
   * Reads what a name stands for and hands it on; says what is wrong where that cannot be done.
   * Returns an {@link ExitStatus}.
   *
   * @param refuse tells everything that is wrong with a description
   */
  static int read(
      String name,
      Subcommand.Call call,
      Surroundings surroundings,
      Consumer<List<Problem>> refuse,
      ToIntFunction<Subject> use) {
    if (name.equals(LIVE)) {
      Collected collected = Collected.of(surroundings.machine());
      return collected.tellsFirewall()
          ? use.applyAsInt(Theirs.of(LIVE, collected))
          : unreadable(collected, call);
    }
    Optional<Path> path = path(surroundings, name);
    if (path.filter(Files::isDirectory).isPresent()) {
      return directory(name, path.get(), call)
          .map(collected -> use.applyAsInt(Theirs.of(name, collected)))
          .orElse(ExitStatus.NO);
    }
    Optional<Collected> alone = path.flatMap(Collected::alone);
    if (alone.isPresent()) {
      return use.applyAsInt(Theirs.of(name, alone.get()));
    }
    return Described.read(
        name,
        new Disk(surroundings.directory()),
        refuse,
        described -> use.applyAsInt(new Ours(described)));
  }

  /** What somebody collected, or one file of it; nothing, and a complaint, where it is neither. */
  static Optional<Collected> collected(
      String name, Subcommand.Call call, Surroundings surroundings) {
    Optional<Path> path = path(surroundings, name);
    if (path.filter(Files::isDirectory).isPresent()) {
      return directory(name, path.get(), call);
    }
    Optional<Collected> alone = path.flatMap(Collected::alone);
    if (alone.isEmpty()) {
      complain(
          call,
          name
              + ": neither a directory of `gatehouse snapshot` nor a file of iptables-save or `nft"
              + " -j list ruleset`");
    }
    return alone;
  }

  private static Optional<Collected> directory(String name, Path path, Subcommand.Call call) {
    try {
      Collected collected = Collected.in(path);
      if (collected.isAnything()) {
        return Optional.of(collected);
      }
      complain(call, name + ": no file of a snapshot in it; `gatehouse snapshot DIR` makes one");
    } catch (IOException e) {
      complain(call, name + ": cannot be read");
    }
    return Optional.empty();
  }

  /** Says why this host tells nothing. */
  static int unreadable(Collected collected, Subcommand.Call call) {
    complain(call, "this host's rules cannot be read; it takes root, and nft or iptables-save");
    collected.remarks().forEach(r -> complain(call, r.text()));
    return ExitStatus.LACKING;
  }

  private static Optional<Path> path(Surroundings surroundings, String name) {
    try {
      return Optional.of(surroundings.directory().resolve(name));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  private static void complain(Subcommand.Call call, String text) {
    Page.wrapped(call.spec().qualifiedName() + ": " + Page.harmless(text), Described.WIDTH, 0)
        .forEach(call.err()::println);
    call.err().flush();
  }
}
