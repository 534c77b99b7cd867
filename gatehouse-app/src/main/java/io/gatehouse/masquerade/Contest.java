package io.gatehouse.masquerade;

import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/** What is open between one remote and its hosts: exchanges, and SPIs without a host. */
final class Contest {
  /** An exchange that is not finished is forgotten after this time. */
  private static final long UNFINISHED = 60_000;

  /** SPIs that no exchange explains are forgotten after this time without a packet. */
  private static final long SILENT_LOST = 10_000;

  /** SPIs of which one packet came, which may be forged, are forgotten after this time. */
  private static final long SILENT_FIRST = 60_000;

  /** How long it is remembered on which exchange's strength a binding was made. */
  static final long DOUBTFUL = 60_000;

  /** A new IKE SA shows itself this long after the exchange that made it, at most. */
  static final long NEW_COOKIES = 120_000;

  private static final int EACH_HOST = 4;
  private static final int ALL = 8192;

  private final List<Exchange> exchanges = new ArrayList<>();

  /** The same by their hosts. */
  private final Map<Integer, List<Exchange>> byHost = new HashMap<>();

  /** Small numbers of hosts, as long as the contest lasts. */
  private final Map<Integer, Integer> numbers = new HashMap<>();

  final List<Stray> strays = new ArrayList<>();
  final Effort effort = new Effort();

  /** Whether something was left undecided because it would have taken too long. */
  boolean unsettled;

  /** All exchanges, the oldest first. */
  List<Exchange> exchanges() {
    return Collections.unmodifiableList(exchanges);
  }

  /** Those of one host, the oldest first. */
  List<Exchange> exchanges(int host) {
    return Collections.unmodifiableList(byHost.getOrDefault(host, List.of()));
  }

  /** The number of a host, or -1 where it has none. */
  int number(int host) {
    return numbers.getOrDefault(host, -1);
  }

  /** A host that may own an SPI. */
  Stray.Candidate candidate(int host, long from) {
    return new Stray.Candidate(host, numbers.computeIfAbsent(host, one -> numbers.size()), from);
  }

  void remove(Exchange exchange) {
    exchanges.remove(exchange);
    forget(exchange);
  }

  void removeIf(Predicate<Exchange> which) {
    exchanges.removeIf(exchange -> {
      boolean gone = which.test(exchange);
      if (gone) {
        forget(exchange);
      }
      return gone;
    });
  }

  private void forget(Exchange exchange) {
    List<Exchange> own = byHost.getOrDefault(exchange.host, List.of());
    if (own.size() > 1) {
      own.remove(exchange);
    } else {
      byHost.remove(exchange.host);
    }
  }

  /** The exchange of a message, unless it is not known. */
  Optional<Exchange> exchange(int host, long cookie, int message, boolean fromInside) {
    for (Exchange exchange : exchanges(host)) {
      if (exchange.message == message
          && exchange.cookie == cookie
          && exchange.fromInside == fromInside) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** Adds an exchange; a host's oldest makes room, or the oldest of all. */
  void add(Exchange added) {
    List<Exchange> open =
        exchanges(added.host).stream().filter(e -> e.state != Exchange.State.CONSUMED).toList();
    if (open.size() >= EACH_HOST) {
      remove(open.getFirst());
    } else if (exchanges.size() >= ALL) {
      remove(exchanges.getFirst());
    }
    exchanges.add(added);
    byHost.computeIfAbsent(added.host, host -> new ArrayList<>()).add(added);
  }

  Optional<Stray> stray(int spi) {
    for (Stray stray : strays) {
      if (stray.spi == spi) {
        return Optional.of(stray);
      }
    }
    return Optional.empty();
  }

  /** The host's oldest exchange from which an SPI may come. */
  Optional<Exchange> plausible(int host) {
    for (Exchange exchange : exchanges(host)) {
      if (exchange.isPlausible()) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** The host's oldest exchange from which this SPI may come. */
  Optional<Exchange> explaining(int host, Stray stray) {
    for (Exchange exchange : exchanges(host)) {
      if (exchange.mayExplain(stray.first)) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** Whether the SPI may come of an exchange of any host that may own it. */
  boolean anyExplains(Stray stray) {
    for (Stray.Candidate candidate : stray.candidates()) {
      if (explaining(candidate.host, stray).isPresent()) {
        return true;
      }
    }
    return false;
  }

  /** Whether a host that may own an SPI has so many exchanges that older ones were forgotten. */
  boolean anyHasTooMany(Stray stray) {
    for (Stray.Candidate candidate : stray.candidates()) {
      int open = 0;
      for (Exchange exchange : exchanges(candidate.host)) {
        open += exchange.state != Exchange.State.CONSUMED ? 1 : 0;
      }
      if (open >= EACH_HOST) {
        return true;
      }
    }
    return false;
  }

  /** How many exchanges the hosts that may own an SPI have, from which one may come. */
  int plausible(Stray stray) {
    int all = 0;
    for (Stray.Candidate candidate : stray.candidates()) {
      for (Exchange exchange : exchanges(candidate.host)) {
        all += exchange.isPlausible() ? 1 : 0;
      }
    }
    return all;
  }

  /** Forgets what is over. */
  void expire(long now, long lifetime) {
    removeIf(exchange ->
        now - exchange.last
            > switch (exchange.state) {
              case ASKED, HELD, ANSWERED -> UNFINISHED;
              // Where the remote asked, it has its SAs, whether the third message is seen or not.
              case LIKELY -> exchange.kind == Ike.QUICK_MODE ? lifetime : UNFINISHED;
              case CONSUMED -> DOUBTFUL;
              case IKE_ALONE -> NEW_COOKIES;
              case DONE -> lifetime;
            });
    strays.removeIf(stray ->
        now - stray.last
            > (stray.lost ? SILENT_LOST : stray.packets == 1 ? SILENT_FIRST : lifetime));
  }

  boolean isEmpty() {
    return exchanges.isEmpty() && strays.isEmpty();
  }
}
