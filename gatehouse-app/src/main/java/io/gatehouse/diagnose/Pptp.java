package io.gatehouse.diagnose;

import java.util.List;

/** What PPTP's control connection and PPP tell (RFC 2637, RFC 1661, RFC 3078). */
final class Pptp {
  /** Refusals of encryption before one may say that it never ends. */
  private static final int REPEATED = 2;

  private Pptp() {}

  static void look(Story story, List<Finding> findings) {
    for (int at = 0; at <= story.last(); at++) {
      for (Side side : story.at(at)) {
        PptpState state = side.talk().pptp;
        if (state.refusedSyns > 0 && state.synAnswers == 0) {
          findings.add(
              Finding.of(
                      Kind.REFUSED,
                      side.server() + " refuses TCP 1723 (RST): no PPTP server listens there.",
                      "start the service, or ask the right address")
                  .in(Channel.TCP_1723));
        }
        if (state.refusal != 0) {
          findings.add(
              Finding.of(
                  Kind.CALL_REFUSED,
                  "The server refuses the call (result "
                      + state.refusal
                      + " of Outgoing-Call-Reply; RFC 2637, 2.8).",
                  "read the server's log; it may have no free line or address"));
        }
        if (state.mppeRefusals >= REPEATED || state.endsWithoutMppe > 0) {
          findings.add(
              Finding.of(
                  Kind.MPPE_REFUSED,
                  state.endsWithoutMppe > 0
                      ? "PPP finds no common encryption: MPPE was refused, and the link was ended."
                      : "PPP finds no common encryption: MPPE was refused "
                          + state.mppeRefusals
                          + " times, and clients try again for ever and say nothing.",
                  "let both ends do 128-bit MPPE (require-mppe-128), or better use IPsec"));
        }
        if (state.passwordRefusals > 0) {
          findings.add(
              Finding.of(
                  Kind.PASSWORD_REFUSED,
                  "The server refuses the VPN password (CHAP failure).",
                  "it is the VPN's own name and password, not those of the network behind it"));
        }
        long clear = side.count(Channel.UDP_1701, true) + side.count(Channel.UDP_1701, false);
        if (clear >= 2) {
          findings.add(
              Finding.of(
                  Kind.L2TP_IN_CLEAR,
                  "L2TP passes the "
                      + story.point(at).title()
                      + " without IPsec: whoever sees it reads it.",
                  "drop UDP 1701 that no SA protects, at both ends; gatehouse doctor, on the server"));
        }
      }
    }
  }
}
