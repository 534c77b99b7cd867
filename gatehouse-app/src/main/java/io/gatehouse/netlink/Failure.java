package io.gatehouse.netlink;

import java.util.Optional;

/**
 * Why the kernel did not do something.
 *
 * @param errno as in errno(3)
 * @param text what it says of it, if anything
 */
public record Failure(int errno, Optional<String> text) {
  public static final int NOT_PERMITTED = 1;
  public static final int NO_SUCH = 2;
  public static final int EXISTS = 17;

  /** ENFILE: a set holds as many elements as it may. */
  public static final int FULL = 23;

  /** EAGAIN: nothing there now. */
  static final int AGAIN = 11;

  /** EINTR. */
  static final int INTERRUPTED = 4;

  /** EBADMSG: what came cannot be read. */
  static final int UNREADABLE = 74;

  /** ERESTART: another generation stands than the one that was named. */
  public static final int OTHER_GENERATION = 85;

  /** ENOBUFS: messages were lost. */
  static final int LOST = 105;

  /** ETIMEDOUT: no answer came. */
  static final int NO_ANSWER = 110;

  static Failure of(int errno) {
    return new Failure(errno, Optional.empty());
  }

  static Failure of(int errno, String text) {
    return new Failure(errno, Optional.of(text));
  }

  static Failure of(Unreadable what) {
    return of(UNREADABLE, what.why() + " at byte " + what.position());
  }

  /** For people: {@code ENOENT (no such chain)}. */
  @Override
  public String toString() {
    return name() + text.map(t -> " (" + t + ")").orElse("");
  }

  private String name() {
    return switch (errno) {
      case NOT_PERMITTED -> "EPERM, not permitted";
      case NO_SUCH -> "ENOENT, no such thing";
      case EXISTS -> "EEXIST, stands already";
      case 16 -> "EBUSY";
      case 19 -> "ENODEV, no such device";
      case 22 -> "EINVAL";
      case FULL -> "ENFILE, full";
      case UNREADABLE -> "EBADMSG";
      case OTHER_GENERATION -> "ERESTART";
      case 90 -> "EMSGSIZE, too long";
      case 93 -> "EPROTONOSUPPORT";
      case 95 -> "EOPNOTSUPP";
      case 97 -> "EAFNOSUPPORT";
      case LOST -> "ENOBUFS, messages were lost";
      case NO_ANSWER -> "ETIMEDOUT, no answer";
      default -> "errno " + errno;
    };
  }
}
