package io.gatehouse.diagnose;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** An IKE SA at one point, known by its initiator's cookie. */
final class IkeSession {
  /** Messages that are kept of one session: rekeyings of days are not. */
  private static final int MOST = 400;

  final long cookie;
  final int major;
  final Map<Message.Key, Message> messages = new LinkedHashMap<>();
  boolean full;
  boolean answered;

  IkeSession(long cookie, int major) {
    this.cookie = cookie;
    this.major = major;
  }

  Optional<Message> message(Message.Key key) {
    return Optional.ofNullable(messages.get(key));
  }

  boolean isFull() {
    full |= messages.size() >= MOST;
    return full;
  }
}
