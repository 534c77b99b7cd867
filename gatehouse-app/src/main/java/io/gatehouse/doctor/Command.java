package io.gatehouse.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A line for a shell, made of words. Only here do they become text: a name out of somebody's files
 * stays one word, whatever it says, and whoever runs the line runs no command that we did not
 * write.
 *
 * @param calls of programs, in their order; never empty
 */
public record Command(List<Call> calls) {
  /** What no shell takes for anything but itself (POSIX, Shell Command Language, 2.2). */
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*");

  public Command {
    calls = List.copyOf(calls);
    if (calls.isEmpty()) {
      throw new IllegalArgumentException("no command");
    }
  }

  /**
   * One run of a program.
   *
   * @param words the program and its arguments
   * @param onlyAfterSuccess of the call before it
   */
  public record Call(List<String> words, boolean onlyAfterSuccess) {
    public Call {
      words = List.copyOf(words);
    }
  }

  /**
   * A call by a pattern of ours.
   *
   * @param pattern words, each behind one space; each that is {@code %s} stands for a value
   * @param values in their order, as many as there are {@code %s}: each is one word, and of a list
   *     each element is one
   */
  static Command of(String pattern, Object... values) {
    List<String> words = new ArrayList<>();
    int next = 0;
    for (String word : pattern.split(" ", -1)) {
      if (!word.equals("%s")) {
        words.add(word);
      } else if (values[next++] instanceof List<?> several) {
        several.forEach(one -> words.add(one.toString()));
      } else {
        words.add(values[next - 1].toString());
      }
    }
    if (next != values.length) {
      throw new IllegalArgumentException(pattern + ": " + Arrays.toString(values));
    }
    return new Command(List.of(new Call(words, false)));
  }

  /** This, and if it went well the other. */
  Command and(Command other) {
    return joined(other, true);
  }

  /** This, and then the other, however it went. */
  Command then(Command other) {
    return joined(other, false);
  }

  private Command joined(Command other, boolean onlyAfterSuccess) {
    List<Call> all = new ArrayList<>(calls);
    all.add(new Call(other.calls.getFirst().words(), onlyAfterSuccess));
    all.addAll(other.calls.subList(1, other.calls.size()));
    return new Command(all);
  }

  /** As a shell takes it. */
  @Override
  public String toString() {
    StringBuilder line = new StringBuilder();
    for (Call call : calls) {
      line.append(line.isEmpty() ? "" : call.onlyAfterSuccess() ? " && " : "; ")
          .append(call.words().stream().map(Command::quoted).collect(Collectors.joining(" ")));
    }
    return line.toString();
  }

  private static String quoted(String word) {
    return PLAIN.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
