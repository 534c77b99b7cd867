package io.gatehouse.it.path;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.model.Address;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** What a kernel does with packets: {@code judge.py} in the lab, one run for many hosts. */
final class Kernel {
  private final Lab lab;

  Kernel(Lab lab) {
    this.lab = lab;
  }

  /**
   * A packet as it was seen somewhere.
   *
   * @param device nothing where a socket had it
   */
  record Sight(
      Optional<String> device,
      int protocol,
      Address source,
      Address destination,
      int sourcePort,
      int destinationPort,
      long mark) {}

  /**
   * What became of one packet.
   *
   * @param points of the path where it was seen, in order
   * @param left in clear
   * @param wrapped into ESP, by the tunnel's name; as it was before
   */
  record Fate(List<String> points, List<Sight> left, List<Sight> got, Map<String, Sight> wrapped) {
    Fate() {
      this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new HashMap<>());
    }
  }

  /** A packet of a host, in one of its phases: 0 itself, 1 its answer, 2 once more. */
  record Key(long host, int packet, int phase) {}

  /**
   * What became of all.
   *
   * @param answers the packets that were sent as answers
   * @param refused hosts that the kernel would not have, and why
   */
  record Report(Map<Key, Fate> fates, Map<Key, Sent> answers, Map<Long, String> refused) {
    Fate fate(Key key) {
      return fates.getOrDefault(key, new Fate());
    }
  }

  /** Plays hosts, each as {@link Lines} spells it. */
  Report play(String hosts) {
    Path directory;
    try {
      directory = Files.createTempDirectory("judge");
      try {
        Path program = directory.resolve("judge.py");
        try (InputStream in =
            Objects.requireNonNull(Kernel.class.getResourceAsStream("judge.py"), "judge.py")) {
          Files.copy(in, program);
        }
        Path file = directory.resolve("hosts");
        Files.writeString(file, hosts);
        Answer answer =
            lab.run("timeout 170 python3 " + program + " " + file, Duration.ofMinutes(3));
        if (answer.status() != 0) {
          throw new AssertionError("status " + answer.status() + "\n" + answer.err());
        }
        return read(answer.out());
      } finally {
        for (String name : List.of("judge.py", "hosts")) {
          Files.deleteIfExists(directory.resolve(name));
        }
        Files.delete(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Report read(String text) {
    Report report = new Report(new HashMap<>(), new HashMap<>(), new HashMap<>());
    long host = -1;
    boolean done = true;
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ", -1);
      switch (words[0]) {
        case "host" -> {
          host = Long.parseLong(words[1]);
          done = false;
        }
        case "done" -> done = true;
        case "refused" -> report.refused.put(host, line);
        case "seen" -> fate(report, host, words[1]).points.add(words[2]);
        case "left" ->
            fate(report, host, words[1]).left.add(sight(words, 3, Optional.of(words[2])));
        case "wrapped" ->
            fate(report, host, words[1])
                .wrapped
                .put(
                    Live.tunnel(Integer.parseInt(words[2])).orElseThrow(),
                    sight(words, 3, Optional.empty()));
        case "got" -> fate(report, host, words[1]).got.add(sight(words, 2, Optional.empty()));
        case "answer" -> {
          Sight sight = sight(words, 3, Optional.of(words[2]));
          Key key = key(host, words[1]);
          report.answers.put(
              key,
              new Sent(
                  key.packet(),
                  sight.device(),
                  sight.protocol(),
                  sight.source(),
                  sight.destination(),
                  sight.sourcePort(),
                  sight.destinationPort(),
                  Integer.parseInt(words[8]),
                  0,
                  sight.protocol() == 6 ? 0x12 : 0,
                  Live.tunnel(Integer.parseInt(words[9]))));
        }
        default -> throw new AssertionError("judge.py said: " + line);
      }
    }
    if (!done) {
      throw new AssertionError("judge.py ended in host " + host);
    }
    return report;
  }

  private static Key key(long host, String word) {
    String[] parts = word.split("\\.", -1);
    return new Key(host, Integer.parseInt(parts[0]), Integer.parseInt(parts[1]));
  }

  private static Fate fate(Report report, long host, String word) {
    return report.fates.computeIfAbsent(key(host, word), k -> new Fate());
  }

  private static Sight sight(String[] words, int at, Optional<String> device) {
    return new Sight(
        device,
        Integer.parseInt(words[at]),
        Address.of(words[at + 1]),
        Address.of(words[at + 2]),
        Integer.parseInt(words[at + 3]),
        Integer.parseInt(words[at + 4]),
        Long.parseLong(words[at + 5]));
  }
}
