package io.gatehouse.config;

import io.gatehouse.model.Gateway;
import java.util.List;

/**
 * What became of a description. Problems are sorted by file, in the order of reading, and place.
 */
public sealed interface Reading {

  /** Everything that is to be told about it. */
  List<Problem> problems();

  /**
   * It can be used.
   *
   * @param problems warnings only
   */
  record Understood(Gateway gateway, List<Problem> problems) implements Reading {
    public Understood {
      problems = List.copyOf(problems);
    }
  }

  /**
   * It cannot be used.
   *
   * @param problems one error at least; warnings may be among them
   */
  record Refused(List<Problem> problems) implements Reading {
    public Refused {
      problems = List.copyOf(problems);
      if (problems.stream().noneMatch(Problem::isError)) {
        throw new IllegalArgumentException("refused without an error");
      }
    }
  }
}
