package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobTest {
  @ParameterizedTest
  @CsvSource({
    "anna,        anna,             true",
    "anna,        anna2,            false",
    "anna,        ann,              false",
    "*,           '',               true",
    "*,           anything,         true",
    "'',          '',               true",
    "'',          a,                false",
    "*@fin,       anna@fin,         true",
    "*@fin,       @fin,             true",
    "*@fin,       anna@fin.evil,    false",
    "*@fin,       anna@fin@fin,     true",
    "CN=*,        'CN=anna, O=x',   true",
    "CN=*,        'O=x, CN=anna',   false",
    "*@*.fin,     anna@a.fin,       true",
    "*@*.fin,     anna.fin,         false",
    "a*b*c,       aXbYbZc,          true",
    "a*b*c,       aXcYb,            false",
    "**x**,       x,                true",
    "a.c,         abc,              false",
    "'\\Q*\\E',   '\\Qx\\E',        true",
  })
  void matches(String pattern, String identity, boolean is) {
    assertThat(new Glob(pattern).matches(identity)).isEqualTo(is);
  }

  /** All patterns and identities of few characters, against the regular expression of the same. */
  @Test
  void isWhatTheRegularExpressionIs() {
    for (String pattern : Spelled.of("ab*", 5)) {
      Pattern regex = Pattern.compile(pattern.replaceAll("\\*+", ".*"), Pattern.DOTALL);
      for (String identity : Spelled.of("ab", 5)) {
        assertThat(new Glob(pattern).matches(identity))
            .as("%s %s", pattern, identity)
            .isEqualTo(regex.matcher(identity).matches());
      }
    }
  }

  @Test
  void anIdentityMadeForItCostsNoMoreThanItsLengthTimesThePatterns() {
    Counted hostile = new Counted("@".repeat(Glob.LONGEST));
    String pattern = "*@*@*@@@@x*@*.fin";

    assertThat(new Glob(pattern).matches(hostile)).isFalse();

    assertThat(hostile.read).isLessThan((long) Glob.LONGEST * pattern.length());
  }

  @Test
  void longerThanAnyHonestOneMatchesNothing() {
    assertThat(new Glob("*").matches("a".repeat(Glob.LONGEST))).isTrue();
    assertThat(new Glob("*").matches("a".repeat(Glob.LONGEST + 1))).isFalse();
  }

  /** Counts how often a character is read: work, not time. */
  private static final class Counted implements CharSequence {
    private final String text;
    private long read;

    Counted(String text) {
      this.text = text;
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public char charAt(int index) {
      read++;
      return text.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.substring(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
