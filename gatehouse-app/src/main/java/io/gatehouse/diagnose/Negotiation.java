package io.gatehouse.diagnose;

import io.gatehouse.diagnose.Story.Sent;
import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the messages of IKE tell, though most of them are encrypted. */
final class Negotiation {
  /** Repetitions that are no accident. */
  private static final int REPEATED = 3;

  /** Bytes of a message that holds one notification behind its encryption, at most. */
  private static final int ONLY_A_NOTIFICATION = 150;

  /** Bytes of a message that may not pass in one piece. */
  private static final int LARGE = 1200;

  private static final long SECOND = 1_000_000_000L;

  private final Story story;
  private final List<Finding> findings;

  private Negotiation(Story story, List<Finding> findings) {
    this.story = story;
    this.findings = findings;
  }

  static void look(Story story, List<Finding> findings) {
    Negotiation negotiation = new Negotiation(story, findings);
    for (int at = 0; at <= story.last(); at++) {
      negotiation.notified(at);
    }
    for (long cookie : story.cookies()) {
      if (cookie != 0) {
        negotiation.unanswered(cookie);
        negotiation.refused(cookie);
        negotiation.version1(cookie);
        negotiation.otherSource(cookie);
      }
    }
    negotiation.unused();
  }

  // ---- in clear

  private void notified(int at) {
    if (story.at(at).stream().anyMatch(side -> side.talk().zeroCookies > 0)) {
      findings.add(
          Finding.of(
              Kind.ZERO_COOKIE,
              "ISAKMP packets with an initiator cookie of zero pass the "
                  + story.point(at).title()
                  + ": one end begins a rekeying of a session that a translator has forgotten.",
              "let associations live longer than the rekey interval: masquerade.ipsec.lifetime"));
    }
    int wrongGroup = 0;
    int cookies = 0;
    for (long cookie : story.cookies()) {
      for (Sent sent : story.messages(at, cookie)) {
        switch (sent.message().notify) {
          case Notifications.INVALID_KE_PAYLOAD -> wrongGroup += sent.message().count;
          case Notifications.COOKIE -> cookies += sent.message().count;
          default -> notified(sent);
        }
      }
    }
    if (wrongGroup >= REPEATED) {
      findings.add(
          Finding.of(
              Kind.WRONG_GROUP,
              "The server asks for another key exchange group %d times, and the client never offers it."
                  .formatted(wrongGroup),
              "give both ends a common group, such as ecp256 or modp2048, in their IKE proposals"));
    }
    if (cookies >= 2 * REPEATED) {
      findings.add(
          Finding.of(
              Kind.COOKIE_LOOP,
              "The server asks %d times for the cookie that it has given, as under attack, and no exchange goes on."
                  .formatted(cookies),
              "look at the server's load, and at who else asks it (charon: cookie_threshold)"));
    }
  }

  private void notified(Sent sent) {
    String who = sent.toServer() ? "The client" : "The server";
    switch (sent.message().notify) {
      case Notifications.NO_PROPOSAL_CHOSEN ->
          findings.add(
              Finding.of(
                  Kind.NO_PROPOSAL,
                  who
                      + " accepts none of the other's proposals (NO_PROPOSAL_CHOSEN): they have no algorithms in common.",
                  "compare both ends' proposals: swanctl --list-conns, and `gatehouse clients` for the"
                      + " client's words"));
      case Notifications.INVALID_MAJOR_VERSION ->
          findings.add(
              Finding.of(
                  Kind.WRONG_VERSION,
                  who + " does not speak this version of IKE (INVALID_MAJOR_VERSION).",
                  "set the same version at both ends: version = 2"));
      case Notifications.INVALID_IKE_SPI ->
          findings.add(
              Finding.of(
                  Kind.UNKNOWN_COOKIE,
                  who
                      + " does not know the session any more that the other still uses: it was started anew, or the packets come to another host.",
                  "connect again; where it happens after idle times, let associations live longer"));
      case Notifications.INVALID_SPI ->
          findings.add(
              Finding.of(
                  Kind.UNKNOWN_SPI,
                  who
                      + " gets ESP of an SA that it does not know (INVALID_SPI): it was started anew, or the packets are somebody else's.",
                  "connect again; with several clients, look whose the SPI is: gatehouse masquerade"
                      + " status"));
      case Notifications.AUTHENTICATION_FAILED,
          Notifications.PAYLOAD_MALFORMED,
          Notifications.INVALID_ID_INFORMATION ->
          findings.add(
              Finding.of(
                  Kind.AUTH_REFUSED,
                  who
                      + " refuses the other (notification "
                      + sent.message().notify
                      + " in clear): identities or pre-shared keys differ.",
                  "compare identities and secrets at both ends"));
      default -> {}
    }
  }

  // ---- what is repeated

  private void unanswered(long cookie) {
    int last = story.last();
    for (boolean toServer : new boolean[] {true, false}) {
      int end = toServer ? last : 0;
      List<Sent> here = story.messages(end, cookie);
      for (Sent sent : here) {
        Message message = sent.message();
        if (sent.toServer() != toServer
            || message.major != 2
            || message.key.answer()
            || message.count < REPEATED
            || isAnswered(cookie, message)) {
          continue;
        }
        switch (message.key.exchange()) {
          case Ike.AUTH -> findings.add(authUnanswered(message));
          case Ike.INFORMATIONAL, Ike.CREATE_CHILD_SA ->
              findings.add(dead(toServer ? "server" : "client", message.count));
          default -> {}
        }
      }
    }
  }

  private static Finding dead(String who, int count) {
    return Finding.of(
        Kind.DEAD_PEER,
        "The %s has stopped answering: a request of IKE came to it %d times, after a session that stood."
            .formatted(who, count),
        "look at the " + who + ": is it there, does its IKE daemon run, has its address changed?",
        "dpd_action = restart (or clear, for servers) ends such sessions by themselves");
  }

  private Finding authUnanswered(Message message) {
    boolean large = message.bytes >= LARGE;
    return Finding.of(
        Kind.AUTH_UNANSWERED,
        "The first exchange of IKE is answered, the second (IKE_AUTH, %d bytes) never, after %d times. %s"
            .formatted(
                message.bytes,
                message.count,
                large
                    ? "It is large: its fragments may be dropped on the way."
                    : "The server does not get it, or waits for something itself."),
        large
            ? "fragmentation = yes at both ends (RFC 7383)"
            : "read the server's log: swanctl --log");
  }

  private boolean isAnswered(long cookie, Message asked) {
    for (int at = 0; at <= story.last(); at++) {
      for (Sent sent : story.messages(at, cookie)) {
        Message.Key key = sent.message().key;
        if (key.answer()
            && key.id() == asked.key.id()
            && key.exchange() == asked.key.exchange()
            && sent.message().fromInitiator != asked.fromInitiator) {
          return true;
        }
      }
    }
    return false;
  }

  // ---- what lengths and first payloads tell

  private void refused(long cookie) {
    for (int at = 0; at <= story.last(); at++) {
      List<Sent> messages = story.messages(at, cookie);
      Optional<Sent> lastAuth =
          messages.stream()
              .filter(s -> s.message().key.exchange() == Ike.AUTH && s.message().key.answer())
              .reduce((one, other) -> other);
      for (Sent sent : messages) {
        Message message = sent.message();
        boolean only =
            message.key.answer()
                && message.inner == Ike.NOTIFY_PAYLOAD
                && message.key.length() <= ONLY_A_NOTIFICATION;
        if (only && message.key.exchange() == Ike.AUTH && !story.hasEsp()) {
          findings.add(
              Finding.of(
                  Kind.AUTH_REFUSED,
                  "The server answers IKE_AUTH with a notification only: it refuses the client, most often for its identity, its certificate or its password.",
                  "read the server's log: swanctl --log",
                  "compare identities and secrets at both ends"));
        } else if (only && message.key.exchange() == Ike.CREATE_CHILD_SA) {
          findings.add(
              Finding.of(
                  Kind.CHILD_REFUSED,
                  (sent.toServer() ? "The client" : "The server")
                      + " refuses a further or a new pair of SAs (CREATE_CHILD_SA): selectors or proposals differ, such as a key exchange that only one end wants.",
                  "compare proposals and selectors: swanctl --list-conns, and `gatehouse clients`"
                      + " --proposes"));
        }
        lastAuth.ifPresent(auth -> {
          long since = message.first - auth.message().first;
          if (message.key.exchange() == Ike.INFORMATIONAL
              && !message.key.answer()
              && since >= 0
              && since <= 5 * SECOND
              && !story.hasEsp()) {
            givenUp(sent);
          }
        });
      }
    }
  }

  private void givenUp(Sent sent) {
    String who = sent.toServer() ? "client" : "server";
    if (sent.message().inner == Ike.NOTIFY_PAYLOAD) {
      findings.add(
          Finding.of(
              Kind.AUTH_REFUSED,
              "The %s refuses what the other end has proved: its certificate or identity is not the expected one."
                  .formatted(who),
              "the server's certificate must name what the client calls it by (subjectAltName)"));
    } else if (sent.message().inner == Ike.DELETE_PAYLOAD) {
      findings.add(
          Finding.of(
              Kind.DELETED_AT_ONCE,
              "All is agreed, and the %s deletes the session at once: the pair of SAs in it was refused, most often because the selectors have nothing in common."
                  .formatted(who),
              "gatehouse clients TUNNEL --on FILE --proposes SELECTOR says what the gateway grants",
              "compare esp_proposals, pools and local_ts with what the client asks for"));
    }
  }

  // ---- version 1

  private void version1(long cookie) {
    for (int at = 0; at <= story.last(); at++) {
      List<Sent> all =
          story.messages(at, cookie).stream().filter(s -> s.message().major == 1).toList();
      List<Sent> phase1 =
          all.stream()
              .filter(s ->
                  s.message().key.exchange() == Ike.MAIN_MODE
                      || s.message().key.exchange() == Ike.AGGRESSIVE)
              .toList();
      List<Sent> quick =
          all.stream().filter(s -> s.message().key.exchange() == Ike.QUICK_MODE).toList();
      boolean goesOn =
          !quick.isEmpty()
              || all.stream().anyMatch(s -> s.message().key.exchange() == Ike.TRANSACTION);
      boolean repeats = phase1.stream().anyMatch(s -> s.message().count >= REPEATED);
      if (!goesOn && repeats && phase1.size() >= 3 && phase1.size() <= 5) {
        findings.add(
            Finding.of(
                Kind.PHASE_1_STUCK,
                "Phase 1 stops behind its message %d, which is repeated: the ends cannot read each other's proof, so the pre-shared keys differ, or an identity is not the expected one."
                    .formatted(phase1.size()),
                "compare the pre-shared keys and identities at both ends"));
      }
      Set<Boolean> quickSides = new HashSet<>();
      quick.forEach(s -> quickSides.add(s.toServer()));
      boolean answeredByError =
          quickSides.size() == 1
              && all.stream()
                  .anyMatch(s ->
                      s.message().key.exchange() == Ike.INFORMATIONAL_V1
                          && s.message().first > quick.getFirst().message().first
                          && s.toServer() != quick.getFirst().toServer());
      boolean repeated = quick.stream().anyMatch(s -> s.message().count >= REPEATED);
      if (quickSides.size() == 1 && (answeredByError || repeated) && !story.hasEsp()) {
        findings.add(
            Finding.of(
                Kind.PHASE_2_STUCK,
                "Phase 1 stands, and Quick Mode is %s: in IKEv1 the selectors and proposals must be the same at both ends, there is no narrowing."
                    .formatted(answeredByError ? "refused" : "never answered"),
                "write the same networks at both ends, or use IKEv2",
                "clients with Unity (Cisco, Apple) ask for everything: the unity plugin tells them"
                    + " the networks"));
      }
    }
  }

  // ---- where from, and what for

  private void otherSource(long cookie) {
    for (int at = 0; at <= story.last(); at++) {
      List<Sent> messages = story.messages(at, cookie);
      List<Side> asked = new ArrayList<>();
      List<Side> answering = new ArrayList<>();
      for (Sent sent : messages) {
        (sent.message().fromInitiator || sent.toServer() ? asked : answering).add(sent.side());
      }
      for (Side answer : answering) {
        boolean elsewhere =
            asked.stream().noneMatch(side -> side.talk() == answer.talk())
                && asked.stream().anyMatch(side -> !side.server().equals(answer.server()));
        if (elsewhere) {
          findings.add(
              Finding.of(
                  Kind.OTHER_SOURCE,
                  "The client asks %s, and the answer comes from %s: the server answers by another way or address."
                      .formatted(asked.getFirst().server(), answer.server()),
                  "gatehouse doctor, on the server: answers have to leave by the uplink that was"
                      + " asked (identities:)"));
        }
      }
    }
  }

  /** An SA that stands and protects nothing. */
  private void unused() {
    if (story.hasEsp()) {
      return;
    }
    for (long cookie : story.cookies()) {
      for (int at = 0; at <= story.last(); at++) {
        List<Sent> messages = story.messages(at, cookie);
        Optional<Message> done = finished(messages);
        if (done.isPresent() && story.watches.get(at).after(done.get().first) >= 10 * SECOND) {
          findings.add(
              Finding.of(
                      Kind.NO_ESP,
                      "IKE comes to its end, and no ESP follows from either side. Either there is no tunnel, because selectors or ESP proposals have nothing in common, which is said where it is encrypted; or no packet meets its policies: NAT rewrites them before IPsec sees them, or nobody sent anything.",
                      "swanctl --list-sas, on either end: without a child, the log has TS_UNACCEPTABLE or NO_PROPOSAL_CHOSEN",
                      "with a child: send something through the tunnel, and capture again",
                      "gatehouse doctor, on both ends; gatehouse trace PACKET --on live")
                  .likely());
          return;
        }
      }
    }
  }

  private static Optional<Message> finished(List<Sent> messages) {
    Optional<Message> auth =
        messages.stream()
            .map(Sent::message)
            .filter(m ->
                m.key.exchange() == Ike.AUTH
                    && m.key.answer()
                    && m.key.length() > ONLY_A_NOTIFICATION)
            .reduce((one, other) -> other);
    List<Message> quick =
        messages.stream()
            .map(Sent::message)
            .filter(m -> m.major == 1 && m.key.exchange() == Ike.QUICK_MODE)
            .toList();
    return auth.or(() -> quick.size() >= 3 ? Optional.of(quick.getLast()) : Optional.empty());
  }
}
