package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** What two hosts say to each other at one point; {@code forth} is from the first to the second. */
final class Talk {
  /** What is kept of each kind: no talk grows without end. */
  private static final int MOST = 256;

  /** An error about the talk's packets and how often it came. */
  static final class Error {
    final int type;
    final int code;
    final boolean six;
    final Address reporter;
    final Channel about;
    final boolean forth;
    final int mtu;
    int count;

    Error(
        int type, int code, boolean six, Address reporter, Channel about, boolean forth, int mtu) {
      this.type = type;
      this.code = code;
      this.six = six;
      this.reporter = reporter;
      this.about = about;
      this.forth = forth;
      this.mtu = mtu;
    }
  }

  /** Names an SA: two directions may have the same SPI. */
  record SaKey(Channel channel, long id, boolean forth) {}

  final Address one;
  final Address other;
  final EnumMap<Channel, Flow> forth = new EnumMap<>(Channel.class);
  final EnumMap<Channel, Flow> back = new EnumMap<>(Channel.class);
  final Map<Long, IkeSession> sessions = new LinkedHashMap<>();
  final Map<SaKey, Sa> sas = new LinkedHashMap<>();
  final List<Error> errors = new ArrayList<>();
  final PptpState pptp = new PptpState();
  final Set<Long> synNumbers = new java.util.LinkedHashSet<>();
  int zeroCookies;
  int zeroSpis;
  int keepalivesForth;
  int keepalivesBack;
  int firstFragmentsForth;
  int firstFragmentsBack;
  int laterFragmentsForth;
  int laterFragmentsBack;

  /** Hop limits of forth and back, the largest. */
  int hopsForth;

  int hopsBack;

  /** Positive: the first host began; negative: the second did. */
  int began;

  Talk(Address one, Address other) {
    this.one = one;
    this.other = other;
  }

  void packet(Channel channel, boolean isForth, long time, int bytes) {
    Flow flow = flows(isForth).computeIfAbsent(channel, c -> new Flow());
    flow.packet(time, bytes);
    Flow opposite = flows(!isForth).get(channel);
    if (opposite != null) {
      opposite.answered();
    }
  }

  EnumMap<Channel, Flow> flows(boolean isForth) {
    return isForth ? forth : back;
  }

  /** Whether there is ESP, and no word of who agreed on it. */
  boolean isEspAlone() {
    return sessions.isEmpty()
        && Stream.of(forth, back).anyMatch(flows -> flows.containsKey(Channel.ESP))
        && Stream.of(forth, back)
            .allMatch(flows -> Set.of(Channel.ESP).containsAll(flows.keySet()));
  }

  Optional<Sa> sa(Channel channel, long id, boolean isForth) {
    SaKey key = new SaKey(channel, id, isForth);
    Sa sa = sas.get(key);
    if (sa == null && sas.size() < MOST) {
      sa = new Sa(channel, id, isForth);
      sas.put(key, sa);
    }
    return Optional.ofNullable(sa);
  }

  Optional<IkeSession> session(long cookie, int major) {
    IkeSession session = sessions.get(cookie);
    if (session == null && sessions.size() < MOST) {
      session = new IkeSession(cookie, major);
      sessions.put(cookie, session);
    }
    return Optional.ofNullable(session);
  }

  void error(Error error) {
    for (Error known : errors) {
      if (known.type == error.type
          && known.code == error.code
          && known.about == error.about
          && known.forth == error.forth
          && known.reporter.equals(error.reporter)) {
        known.count++;
        return;
      }
    }
    if (errors.size() < MOST) {
      error.count = 1;
      errors.add(error);
    }
  }
}
