package io.gatehouse.masquerade;

import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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

  final List<Exchange> exchanges = new ArrayList<>();
  final List<Stray> strays = new ArrayList<>();

  /** The exchange of a message, unless it is not known. */
  Optional<Exchange> exchange(int host, long cookie, int message, boolean fromInside) {
    for (Exchange exchange : exchanges) {
      if (exchange.message == message
          && exchange.cookie == cookie
          && exchange.host == host
          && exchange.fromInside == fromInside) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** Adds an exchange; a host's oldest makes room, or the oldest of all. */
  void add(Exchange added) {
    int own = 0;
    int oldest = -1;
    for (int i = 0; i < exchanges.size(); i++) {
      Exchange exchange = exchanges.get(i);
      if (exchange.host == added.host && exchange.state != Exchange.State.CONSUMED) {
        own++;
        oldest = oldest < 0 ? i : oldest;
      }
    }
    if (own >= EACH_HOST) {
      exchanges.remove(oldest);
    } else if (exchanges.size() >= ALL) {
      exchanges.removeFirst();
    }
    exchanges.add(added);
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
    for (Exchange exchange : exchanges) {
      if (exchange.host == host && exchange.isPlausible()) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** The host's oldest exchange from which this SPI may come. */
  Optional<Exchange> explaining(int host, Stray stray) {
    for (Exchange exchange : exchanges) {
      if (exchange.host == host && exchange.mayExplain(stray.first)) {
        return Optional.of(exchange);
      }
    }
    return Optional.empty();
  }

  /** Whether the SPI may come of an exchange of any host that may own it. */
  boolean anyExplains(Stray stray) {
    for (Exchange exchange : exchanges) {
      if (exchange.mayExplain(stray.first) && stray.isCandidate(exchange.host)) {
        return true;
      }
    }
    return false;
  }

  /** Whether a host that may own an SPI has so many exchanges that older ones were forgotten. */
  boolean anyHasTooMany(Stray stray) {
    for (Stray.Candidate candidate : stray.candidates) {
      int open = 0;
      for (Exchange exchange : exchanges) {
        open +=
            exchange.host == candidate.host && exchange.state != Exchange.State.CONSUMED ? 1 : 0;
      }
      if (open >= EACH_HOST) {
        return true;
      }
    }
    return false;
  }

  /** Forgets what is over. */
  void expire(long now, long lifetime) {
    exchanges.removeIf(exchange ->
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
