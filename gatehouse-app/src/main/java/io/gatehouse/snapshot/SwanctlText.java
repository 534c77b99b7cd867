package io.gatehouse.snapshot;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What a file of swanctl may show to strangers: its connections and pools, and of these nothing
 * whose name speaks of a secret. What is known to be harmless is kept, instead of removing what is
 * known to be secret. The grammar is strongSwan's (libstrongswan, settings_lexer.l and
 * settings_parser.y); of a text that does not follow it nothing is kept.
 */
final class SwanctlText {
  private static final Set<String> SHOWN = Set.of("connections", "pools");

  private static final Pattern SECRET =
      Pattern.compile("secret|passw|passphrase|psk|pin", Pattern.CASE_INSENSITIVE);

  /** What stands without quotes on a line of its own and is read there as the same. */
  private static final Pattern PLAIN = Pattern.compile("[^{}#\"\\\\\\p{Cntrl}]*");

  /** swanctl's own sections are five deep; indentation takes room with the square of the depth. */
  private static final int DEEPEST = 16;

  private final String text;
  private final StringBuilder kept = new StringBuilder();

  /** The sections around, the outermost first. */
  private final Deque<String> sections = new ArrayDeque<>();

  private int at;

  private SwanctlText(String text) {
    this.text = text;
  }

  /**
   * The file's connections and pools, one setting to a line.
   *
   * @return nothing where strongSwan would not read the text either: behind a quote or a section
   *     that is not closed, anything could be a secret
   */
  static Optional<String> withoutSecrets(String text) {
    SwanctlText file = new SwanctlText(text);
    return file.isRead() ? Optional.of(file.kept.toString()) : Optional.empty();
  }

  private boolean isRead() {
    while (true) {
      skipBlanks();
      if (at == text.length()) {
        return sections.isEmpty();
      }
      boolean isEnd = text.charAt(at) == '}';
      if (isEnd ? !endsSection() : !isStatement()) {
        return false;
      }
    }
  }

  private boolean endsSection() {
    at++;
    boolean isShown = isShown();
    if (sections.pollLast() == null) {
      return false;
    }
    if (isShown) {
      line("}");
    }
    return true;
  }

  private boolean isStatement() {
    String name = name();
    if (name.equals("include") && includes()) {
      return true;
    }
    int names = name.isEmpty() ? 0 : 1;
    boolean refers = name.contains(":");
    int line = at;
    skipBlanks();
    while (names > 0 && at < text.length() && isOfName(text.charAt(at))) {
      // Sections whose settings this one takes over, as `child : defaults {`.
      refers |= text.charAt(at) == ':';
      name();
      names++;
      skipBlanks();
    }
    if (names == 0 || (names > 1 && !refers) || at == text.length()) {
      return false;
    }
    char sign = text.charAt(at++);
    return switch (sign) {
      case '{' -> beginsSection(name.replaceAll(":.*", ""));
      case '=' -> names == 1 && text.substring(line, at).indexOf('\n') < 0 && isSetting(name);
      default -> false;
    };
  }

  private boolean beginsSection(String name) {
    if (sections.size() == DEEPEST) {
      return false;
    }
    int depth = sections.size();
    sections.addLast(name);
    if (isShown()) {
      kept.repeat("  ", depth).append(name).append(" {\n");
    }
    return true;
  }

  /** `include PATTERN`; a setting of that name has `=` behind it. */
  private boolean includes() {
    int behind = at;
    while (behind < text.length() && isSpace(text.charAt(behind))) {
      behind++;
    }
    if (behind == at || behind == text.length() || text.charAt(behind) == '=') {
      return false;
    }
    at = behind;
    return value(true).isPresent();
  }

  private boolean isSetting(String name) {
    Optional<String> value = value(false);
    if (value.isEmpty()) {
      return false;
    }
    if (isShown() && !SECRET.matcher(name).find() && PLAIN.matcher(value.get()).matches()) {
      line(name + " = " + value.get());
    }
    return true;
  }

  /**
   * What stands up to the end of the line, a comment or the section's end.
   *
   * @return nothing where a quote is not closed
   */
  private Optional<String> value(boolean escapes) {
    List<String> parts = new ArrayList<>();
    while (at < text.length() && "\n#}".indexOf(text.charAt(at)) < 0) {
      char c = text.charAt(at);
      if (c == '"') {
        Optional<String> quoted = quoted();
        if (quoted.isEmpty()) {
          return Optional.empty();
        }
        parts.add(quoted.get());
      } else if (isSpace(c)) {
        at++;
      } else {
        int from = at;
        while (at < text.length()
            && !isSpace(text.charAt(at))
            && "\n#}\"".indexOf(text.charAt(at)) < 0) {
          at += escapes && text.charAt(at) == '\\' && at + 1 < text.length() ? 2 : 1;
        }
        parts.add(text.substring(from, at));
      }
    }
    return Optional.of(String.join(" ", parts));
  }

  private Optional<String> quoted() {
    int from = ++at;
    while (at < text.length() && text.charAt(at) != '"') {
      at += text.charAt(at) == '\\' ? 2 : 1;
    }
    // Behind a backslash at the very end of the text.
    if (at >= text.length()) {
      return Optional.empty();
    }
    return Optional.of(text.substring(from, at++));
  }

  private String name() {
    int from = at;
    while (at < text.length() && isOfName(text.charAt(at))) {
      at++;
    }
    return text.substring(from, at);
  }

  private void skipBlanks() {
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == '#') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (isSpace(c) || c == '\n') {
        at++;
      } else {
        return;
      }
    }
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r';
  }

  private static boolean isOfName(char c) {
    return !isSpace(c) && "\n#{}=\"".indexOf(c) < 0;
  }

  private boolean isShown() {
    return !sections.isEmpty() && SHOWN.contains(sections.getFirst());
  }

  private void line(String line) {
    kept.repeat("  ", sections.size()).append(line).append('\n');
  }
}
