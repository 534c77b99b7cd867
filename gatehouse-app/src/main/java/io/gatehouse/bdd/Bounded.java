package io.gatehouse.bdd;

import java.util.function.Function;

/** What came of a question that was given bounded room. */
public sealed interface Bounded<T> {

  /** The question was answered. */
  record Answer<T>(T value) implements Bounded<T> {}

  /**
   * The question did not fit: nothing is known, neither yes nor no.
   *
   * @param nodes how many decision nodes it was allowed
   */
  record GaveUp<T>(int nodes) implements Bounded<T> {}

  /** The answer turned into another one; giving up stays giving up. */
  default <U> Bounded<U> map(Function<? super T, ? extends U> function) {
    return switch (this) {
      case Answer<T> answer -> new Answer<>(function.apply(answer.value()));
      case GaveUp<T> gaveUp -> new GaveUp<>(gaveUp.nodes());
    };
  }
}
