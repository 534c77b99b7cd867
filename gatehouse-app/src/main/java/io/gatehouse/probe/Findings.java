package io.gatehouse.probe;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** All that came back, and what it means. */
final class Findings {
  private final Letters letters;
  private final Set<Question> answered = EnumSet.noneOf(Question.class);
  private final Set<Question> reset = EnumSet.noneOf(Question.class);
  private final Map<Question, NavigableMap<Integer, Address>> hops = new EnumMap<>(Question.class);
  private final Map<Question, Heard.Error> refusals = new EnumMap<>(Question.class);
  private int distance;

  Findings(Letters letters) {
    this.letters = letters;
  }

  void hear(Heard heard) {
    switch (heard) {
      case Heard.Answer(Question question, int number) -> {
        answered.add(question);
        if (question == Question.PING && number > 0) {
          distance = distance == 0 ? number : Math.min(distance, number);
        }
      }
      case Heard.Reset(Question question, int number) -> reset.add(question);
      case Heard.Error error when error.isExceeded() ->
          hops.computeIfAbsent(error.question(), q -> new TreeMap<>())
              .put(error.number(), error.who());
      case Heard.Error error when error.isUnreachable() ->
          refusals.putIfAbsent(error.question(), error);
      case Heard.Error error -> {}
    }
  }

  /** Hops to the host, where it answered; else those that answered, and one more. */
  int distance(int most) {
    return distance > 0 ? distance : Math.min(most, farthest(Question.PING) + 1);
  }

  boolean isSettled(Question question) {
    return answered.contains(question)
        || reset.contains(question)
        || refusals.containsKey(question);
  }

  /** Hops of the way that say something for one question and have not for another. */
  List<Integer> missing(Question question) {
    List<Integer> missing = new ArrayList<>();
    for (int hop : hops.getOrDefault(Question.PING, new TreeMap<>()).keySet()) {
      if (!hops.getOrDefault(question, new TreeMap<>()).containsKey(hop)) {
        missing.add(hop);
      }
    }
    return missing;
  }

  private int farthest(Question question) {
    NavigableMap<Integer, Address> known = hops.getOrDefault(question, new TreeMap<>());
    return known.isEmpty() ? 0 : known.lastKey();
  }

  Report report(List<Question> questions) {
    List<Report.Hop> way = new ArrayList<>();
    NavigableMap<Integer, Address> known = hops.getOrDefault(Question.PING, new TreeMap<>());
    int last = distance > 0 ? distance - 1 : farthest(Question.PING);
    for (int hop = 1; hop <= last; hop++) {
      way.add(new Report.Hop(hop, Optional.ofNullable(known.get(hop))));
    }
    return new Report(
        letters.to(),
        way,
        answered.contains(Question.PING),
        questions.stream().map(this::result).toList());
  }

  private Report.Result result(Question question) {
    if (answered.contains(question)) {
      return new Report.Result(question, Report.Verdict.ANSWERS, Optional.empty(), "it answers");
    }
    if (reset.contains(question)) {
      return new Report.Result(
          question,
          Report.Verdict.REFUSED,
          Optional.of(letters.to()),
          "reaches the host, where nothing listens (RST)");
    }
    Heard.Error refusal = refusals.get(question);
    if (refusal != null) {
      boolean host = refusal.who().equals(letters.to());
      return new Report.Result(
          question,
          Report.Verdict.REFUSED,
          Optional.of(refusal.who()),
          (host ? "reaches the host, which refuses it" : refusal.who() + " refuses it")
              + " ("
              + refusal.title()
              + ")");
    }
    return traced(question);
  }

  private Report.Result traced(Question question) {
    NavigableMap<Integer, Address> way = hops.getOrDefault(Question.PING, new TreeMap<>());
    NavigableMap<Integer, Address> own = hops.getOrDefault(question, new TreeMap<>());
    int last = farthest(question);
    Map.Entry<Integer, Address> next = way.higherEntry(last);
    if (next != null) {
      String from = last == 0 ? "this host" : "hop %d (%s)".formatted(last, own.get(last));
      return new Report.Result(
          question,
          Report.Verdict.ENDS,
          Optional.of(next.getValue()),
          "ends between %s and hop %d (%s): a ping goes on"
              .formatted(from, next.getKey(), next.getValue()));
    }
    if (last > 0) {
      return new Report.Result(
          question,
          Report.Verdict.PASSES,
          Optional.empty(),
          "passes each router that answers, up to hop %d (%s); the host is silent"
              .formatted(last, own.get(last)));
    }
    return new Report.Result(
        question, Report.Verdict.SILENT, Optional.empty(), "nothing comes back from anywhere");
  }
}
