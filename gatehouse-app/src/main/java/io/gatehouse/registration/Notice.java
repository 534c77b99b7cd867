package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a host says: {@code register REMOTE SPI}, and a line feed. Whose the SPI is it does not say:
 * that is the address it speaks from.
 *
 * @param remote the other end of its session; IPv4
 * @param spi of what it receives, as its 32 bits
 */
record Notice(Address remote, int spi) {
  /** Of a line, in either direction. */
  static final int LONGEST = 160;

  private static final Pattern LINE =
      Pattern.compile("register ([0-9.]{7,15}) (0x[0-9a-fA-F]{1,8}|[0-9]{1,10})");

  /** Nothing where it is anything else. */
  static Optional<Notice> of(String line) {
    Matcher words = LINE.matcher(line);
    if (!words.matches()) {
      return Optional.empty();
    }
    long spi = Long.decode(words.group(2).replaceFirst("^0+(?=[0-9])", ""));
    return Address.parse(words.group(1))
        .filter(remote -> remote.family() == Family.V4)
        .filter(remote -> spi > 0 && spi <= 0xffffffffL)
        .map(remote -> new Notice(remote, (int) spi));
  }

  String line() {
    return "register " + remote + " 0x" + Integer.toHexString(spi);
  }

  /**
   * A line without its line feed; nothing where it is too long, or ends without one.
   *
   * @throws IOException where the other end has gone
   */
  static Optional<String> read(InputStream from) throws IOException {
    byte[] line = new byte[LONGEST];
    for (int length = 0; length < LONGEST; length++) {
      int next = from.read();
      if (next == '\n') {
        return Optional.of(new String(line, 0, length, US_ASCII));
      }
      if (next < 0) {
        return Optional.empty();
      }
      line[length] = (byte) next;
    }
    return Optional.empty();
  }
}
