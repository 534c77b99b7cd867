package io.gatehouse.diagnose;

import java.util.List;

/** What routers and hosts say about a session's packets (RFC 792, RFC 4443). */
final class Refusals {
  private static final int UNREACHABLE = 3;
  private static final int UNREACHABLE_6 = 1;
  private static final int EXCEEDED = 11;
  private static final int EXCEEDED_6 = 3;
  private static final int TOO_BIG_6 = 2;
  private static final int FRAGMENTATION_NEEDED = 4;

  private Refusals() {}

  static void look(Story story, List<Finding> findings) {
    for (int at = 0; at <= story.last(); at++) {
      for (Side side : story.at(at)) {
        for (Talk.Error error : side.talk().errors) {
          if (isCircle(error)) {
            findings.add(
                Finding.of(
                        Kind.LOOP,
                        "%s says that %s goes in a circle (its hop limit is used up)."
                            .formatted(error.reporter, Losses.longName(error.about)),
                        "look at the routes of " + error.reporter)
                    .in(error.about));
          } else if (isRefusal(error)) {
            findings.add(
                Finding.of(
                        Kind.REFUSED,
                        "%s refuses %s %s: %s."
                            .formatted(
                                error.reporter,
                                Losses.longName(error.about),
                                side.toServer(error.forth)
                                    ? "on its way to the server"
                                    : "on its way back to the client",
                                why(error)),
                        error.reporter.equals(side.server())
                            ? "start the service there, or ask the right address"
                            : "gatehouse doctor, on " + error.reporter)
                    .in(error.about));
          }
        }
      }
    }
  }

  private static boolean isCircle(Talk.Error error) {
    return error.type == (error.six ? EXCEEDED_6 : EXCEEDED) && error.code == 0;
  }

  private static boolean isRefusal(Talk.Error error) {
    return error.six
        ? error.type == UNREACHABLE_6
        : error.type == UNREACHABLE && error.code != FRAGMENTATION_NEEDED;
  }

  static boolean isTooBig(Talk.Error error) {
    return error.six
        ? error.type == TOO_BIG_6
        : error.type == UNREACHABLE && error.code == FRAGMENTATION_NEEDED;
  }

  private static String why(Talk.Error error) {
    if (error.six) {
      return switch (error.code) {
        case 1, 5 -> "its rules forbid it (ICMPv6 1/" + error.code + ")";
        case 4 -> "nothing listens on that port (ICMPv6 1/4)";
        default -> "it knows no way (ICMPv6 1/" + error.code + ")";
      };
    }
    return switch (error.code) {
      case 2 -> "it does not speak that protocol (ICMP 3/2)";
      case 3 -> "nothing listens on that port (ICMP 3/3)";
      case 9, 10, 13 -> "its rules forbid it (ICMP 3/" + error.code + ")";
      default -> "it knows no way (ICMP 3/" + error.code + ")";
    };
  }
}
