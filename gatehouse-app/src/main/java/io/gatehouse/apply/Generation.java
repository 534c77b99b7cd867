package io.gatehouse.apply;

import io.gatehouse.model.Numbers;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A state that we have put into the kernel, or may: a directory of ready-to-run texts, whole and
 * durable before anything is touched.
 */
record Generation(int number, Path directory) {

  /** Generations that are kept for `rollback N`, besides those that stand or boot. */
  private static final int KEPT = 10;

  static Optional<Generation> open(Directories directories, int number) {
    Path directory = directories.generation(number);
    return Files.isRegularFile(directory.resolve("meta"))
        ? Optional.of(new Generation(number, directory))
        : Optional.empty();
  }

  static List<Integer> numbers(Directories directories) {
    try (Stream<Path> entries = Files.list(directories.generations())) {
      return entries
          .map(path -> path.getFileName().toString())
          .filter(name -> name.matches("[1-9][0-9]{0,8}"))
          .map(Integer::parseInt)
          .sorted()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /**
   * Writes a generation so that after a crash it is there wholly or not at all.
   *
   * @param files by name; a name may have one directory in front
   */
  static Generation write(Directories directories, int number, Map<String, String> files)
      throws IOException {
    Path fresh = directories.generations().resolve("fresh");
    delete(fresh);
    Files.createDirectories(fresh);
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = fresh.resolve(file.getKey());
      Path parent = path.getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      Files.writeString(path, file.getValue());
      sync(path);
    }
    sync(fresh);
    Path directory = directories.generation(number);
    Files.move(fresh, directory, StandardCopyOption.ATOMIC_MOVE);
    sync(directories.generations());
    return new Generation(number, directory);
  }

  private static void sync(Path path) throws IOException {
    // A directory can be opened for reading only; that suffices for fsync(2).
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> entries = Files.walk(directory)) {
      for (Path path : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** Deletes what nobody needs any more. */
  static void prune(Directories directories, List<Integer> needed) throws IOException {
    List<Integer> numbers = numbers(directories);
    for (int number : numbers.subList(0, Math.max(0, numbers.size() - KEPT))) {
      if (!needed.contains(number)) {
        delete(directories.generation(number));
      }
    }
  }

  /** A file's text; empty where there is none. */
  String text(String name) {
    try {
      return Files.readString(directory.resolve(name));
    } catch (IOException e) {
      return "";
    }
  }

  boolean has(String name) {
    return Files.exists(directory.resolve(name));
  }

  /** The value of a line {@code key value} in {@code meta}. */
  Optional<String> meta(String key) {
    return text("meta")
        .lines()
        .filter(line -> line.startsWith(key + " "))
        .map(line -> line.substring(key.length() + 1))
        .findFirst();
  }

  /** What this generation's entries carry. */
  Tags tags() {
    Tags usual = Tags.of(Numbers.DEFAULT);
    return new Tags(
        meta("protocol")
            .filter(text -> text.matches("[0-9]{1,3}"))
            .map(Integer::parseInt)
            .orElse(usual.protocol()),
        meta("backstop")
            .filter(text -> text.matches("[0-9]{1,10}"))
            .map(Long::parseLong)
            .orElse(usual.backstop()));
  }

  /** The devices towards our networks. */
  Set<String> inside() {
    return meta("inside").stream()
        .flatMap(text -> Stream.of(text.split(" ", -1)))
        .filter(device -> !device.isEmpty())
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** Whether it has tunnels. */
  boolean hasTunnels() {
    return meta("tunnels").filter("yes"::equals).isPresent();
  }

  int from() {
    return meta("from").filter(text -> text.matches("[0-9]{1,9}")).map(Integer::parseInt).orElse(0);
  }

  /** The generation that a boot loaded before this one came; 0 for none. */
  int booted() {
    String text = text("booted").strip();
    return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
  }

  boolean isEmpty() {
    return meta("empty").filter("yes"::equals).isPresent();
  }

  Shape shape() {
    return Shape.parse(text("shape"));
  }

  /** The settings' values before us, by key. */
  Map<String, String> base() {
    return pairs("base");
  }

  /** The settings' values as this generation left them; a question mark where that is not known. */
  Map<String, String> left() {
    Map<String, String> left = new LinkedHashMap<>();
    for (String line : text("sysctl").lines().toList()) {
      String[] words = line.split(" ", 3);
      if (words.length == 3 && !words[2].equals("?")) {
        left.put(words[0], words[2]);
      }
    }
    return left;
  }

  private Map<String, String> pairs(String name) {
    Map<String, String> pairs = new LinkedHashMap<>();
    for (String line : text(name).lines().toList()) {
      int space = line.indexOf(' ');
      if (space > 0) {
        pairs.put(line.substring(0, space), line.substring(space + 1));
      }
    }
    return pairs;
  }

  /** What this generation wants beside nftables, as {@link Wish}es. */
  List<Wish> wishes() {
    return text("wishes").lines().flatMap(line -> Wish.parse(line).stream()).toList();
  }
}
