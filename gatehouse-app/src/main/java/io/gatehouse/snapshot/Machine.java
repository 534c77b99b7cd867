package io.gatehouse.snapshot;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The machine that we run on, as far as we touch it: commands and files. Tests bring their own. */
public interface Machine {

  /**
   * Runs a command to its end.
   *
   * @param stdin what it reads
   * @param limit after which it is killed; the answer then says {@link Answer#TIMED_OUT}
   */
  Answer run(List<String> command, String stdin, Duration limit);

  /**
   * A file's text without the line end behind it; nothing where there is none or it cannot be read.
   */
  Optional<String> read(String path);

  /** The names in a directory, sorted; none where there is no such directory. */
  List<String> list(String directory);

  /** The files that can be read, by path. */
  default Map<String, String> readAll(List<String> paths) {
    Map<String, String> texts = new LinkedHashMap<>();
    paths.forEach(path -> read(path).ifPresent(text -> texts.put(path, text)));
    return texts;
  }

  /** Where a symbolic link points. */
  Optional<String> link(String path);

  /** Runs a command that reads nothing and is quick. */
  default Answer run(String... command) {
    return run(List.of(command), "", Duration.ofSeconds(30));
  }

  /**
   * What a command said.
   *
   * @param status its exit status, or one of the constants
   */
  record Answer(int status, String out, String err) {
    /** As a shell says it of a command that is not there. */
    public static final int NOT_FOUND = 127;

    /** As timeout(1) says it. */
    public static final int TIMED_OUT = 124;

    public boolean ok() {
      return status == 0;
    }

    /** What it printed, or nothing where it failed: absence is what failure means to a reader. */
    public String outOrEmpty() {
      return ok() ? out : "";
    }
  }
}
