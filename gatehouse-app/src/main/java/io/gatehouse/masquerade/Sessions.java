package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** IKE SAs by the initiator's cookie, and the host of each. The port says nothing: it is 500. */
final class Sessions {
  private static final int HOST = 0;
  private static final int SEEN = 1;
  private static final int RESPONDER_HIGH = 2;
  private static final int RESPONDER_LOW = 3;

  /** An exchange that has not been answered is forgotten after this time. */
  private static final long UNANSWERED = 60_000;

  private static final int STRANGERS = 256;

  private final Settings settings;
  private final Flows flows;
  private final Association association;
  private final Ledger ledger;

  /** Keyed by cookie and remote. */
  private final SlotTable cookies;

  /** How many of them each host has. */
  private final SlotTable counts;

  /** Sessions that a remote tries to begin, and how often. */
  private final Map<Stranger, Integer> strangers = new LinkedHashMap<>();

  private record Stranger(int remote, long cookie) {}

  Sessions(Settings settings, Flows flows, Association association, Ledger ledger, long salt) {
    this.settings = settings;
    this.flows = flows;
    this.association = association;
    this.ledger = ledger;
    this.cookies = new SlotTable(4, settings.limits().flows(), salt);
    this.counts = new SlotTable(1, settings.limits().flows(), salt);
  }

  Verdict outbound(int host, int remote, Ike message, long now) {
    int slot = cookies.find(message.initiator(), remote);
    if (slot == SlotTable.NONE) {
      Optional<Reason> refused = learn(host, remote, message, now);
      if (refused.isPresent()) {
        return ledger.refuse(refused.get(), host, remote, now);
      }
      slot = cookies.find(message.initiator(), remote);
    } else if (cookies.at(HOST, slot) != host) {
      return ledger.refuse(Reason.COOKIE_COLLISION, host, remote, now);
    }
    return pass(slot, host, remote, message, true, now);
  }

  Verdict inbound(int remote, Ike message, long now) {
    int slot = cookies.find(message.initiator(), remote);
    if (slot == SlotTable.NONE) {
      return stranger(remote, message, now);
    }
    int host = cookies.at(HOST, slot);
    Verdict verdict = pass(slot, host, remote, message, false, now);
    return verdict instanceof Verdict.Forward ? Association.to(host) : verdict;
  }

  private Verdict pass(int slot, int host, int remote, Ike message, boolean fromInside, long now) {
    cookies.put(SEEN, slot, Ticks.of(now));
    if (message.responder() != 0) {
      cookies.put(RESPONDER_HIGH, slot, (int) (message.responder() >>> 32));
      cookies.put(RESPONDER_LOW, slot, (int) message.responder());
    }
    flows.join(host, remote, now);
    return association.ike(host, remote, message, fromInside, now);
  }

  private boolean isAnswered(int slot) {
    return (cookies.at(RESPONDER_HIGH, slot) | cookies.at(RESPONDER_LOW, slot)) != 0;
  }

  private Optional<Reason> learn(int host, int remote, Ike message, long now) {
    if (!settings.parallel() && !isFirst(host, remote, now)) {
      return Optional.of(Reason.PARALLEL);
    }
    Optional<Reason> refused = add(host, remote, message.initiator(), now);
    if (refused.isPresent()) {
      return refused;
    }
    strangers.remove(new Stranger(remote, message.initiator()));
    if (message.responder() != 0 && !begins(message)) {
      // Cookies that come into the world complete were agreed within an IKE SA of before.
      association.newCookies(host, remote, now);
    }
    return Optional.empty();
  }

  private Optional<Reason> add(int host, int remote, long cookie, long now) {
    int count = counts.find(host, 0);
    if (count != SlotTable.NONE && counts.at(0, count) >= settings.limits().sessions()) {
      return Optional.of(Reason.HOST_LIMIT);
    }
    Optional<Reason> refused = flows.join(host, remote, now);
    if (refused.isPresent()) {
      return refused;
    }
    int slot = cookies.add(cookie, remote);
    if (slot == SlotTable.NONE) {
      return Optional.of(Reason.FULL);
    }
    cookies.put(HOST, slot, host);
    cookies.put(SEEN, slot, Ticks.of(now));
    count = count == SlotTable.NONE ? counts.add(host, 0) : count;
    counts.put(0, count, counts.at(0, count) + 1);
    ledger.write(new Change.BindCookie(Address.v4(remote), cookie, Address.v4(host)));
    return Optional.empty();
  }

  /** An IKE SA that stands since before: it lives as long as one that was answered. */
  void recall(int host, int remote, long cookie, long now) {
    if (cookies.find(cookie, remote) == SlotTable.NONE
        && add(host, remote, cookie, now).isEmpty()) {
      cookies.put(RESPONDER_LOW, cookies.find(cookie, remote), 1);
    }
  }

  /** Whether it belongs to the exchange that an IKE SA begins with; a server answers it first. */
  private static boolean begins(Ike message) {
    return message.major() == 1
        ? message.exchange() == Ike.MAIN_MODE || message.exchange() == Ike.AGGRESSIVE
        : message.exchange() == Ike.SA_INIT;
  }

  /**
   * Whether a host is the first of those that have to do with a remote, or nobody has. Several may
   * have, where it was forbidden afterwards: each would keep the others out for ever.
   */
  boolean isFirst(int host, int remote, long now) {
    OptionalInt first = flows.oldestLive(remote, now);
    return first.isEmpty() || first.getAsInt() == host;
  }

  private Verdict stranger(int remote, Ike message, long now) {
    Optional<Address> server =
        settings.servers().stream()
            .filter(s -> s.remotes().contains(Address.v4(remote)))
            .max((a, b) -> Integer.compare(a.remotes().length(), b.remotes().length()))
            .map(Settings.Server::host);
    Set<Integer> possible = new LinkedHashSet<>();
    if (message.responder() != 0) {
      association.eachRekeying(remote, now, possible::add);
    } else if (server.isPresent()) {
      possible.add((int) server.get().low());
    }
    if (possible.isEmpty()) {
      flows.eachLive(remote, now, Flows.LOOKED_AT, possible::add);
    }
    if (possible.isEmpty() && server.isPresent()) {
      possible.add((int) server.get().low());
    }
    List<Integer> hosts = List.copyOf(possible);
    if (hosts.isEmpty()) {
      return ledger.refuse(Reason.NO_HOST, 0, remote, now);
    }
    // Nothing is learned from it: the host's own next message says whose the cookies are.
    if (hosts.size() == 1) {
      return Association.to(hosts.getFirst());
    }
    if (message.responder() != 0) {
      return new Verdict.Copies(
          hosts.stream().limit(settings.limits().copies()).map(Address::v4).toList());
    }
    // Two answers to one first message would be two sessions: one host after the other.
    Stranger stranger = new Stranger(remote, message.initiator());
    int times = strangers.merge(stranger, 1, Integer::sum);
    if (strangers.size() > STRANGERS) {
      strangers.remove(strangers.keySet().iterator().next());
    }
    return Association.to(hosts.get((times - 1) % hosts.size()));
  }

  /** Forgets the sessions of a host with a remote. */
  void leave(int host, int remote) {
    for (int slot = 0; slot < cookies.top(); slot++) {
      if (cookies.isUsed(slot) && cookies.at(HOST, slot) == host && cookies.low(slot) == remote) {
        remove(slot);
      }
    }
  }

  void expire(long now) {
    int oldest = Ticks.of(now - settings.lifetime().toMillis());
    int oldestUnanswered = Ticks.of(now - UNANSWERED);
    cookies.sweep(slot -> {
      if (cookies.at(SEEN, slot) < (isAnswered(slot) ? oldest : oldestUnanswered)) {
        remove(slot);
      }
    });
  }

  private void remove(int slot) {
    ledger.write(new Change.UnbindCookie(Address.v4(cookies.low(slot)), cookies.high(slot)));
    int count = counts.find(cookies.at(HOST, slot), 0);
    int left = counts.at(0, count) - 1;
    counts.put(0, count, left);
    if (left == 0) {
      counts.remove(count);
    }
    cookies.remove(slot);
  }
}
