package io.gatehouse.masquerade;

import io.gatehouse.masquerade.Exchange.State;
import io.gatehouse.masquerade.Stray.Candidate;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * Gives an inbound SPI to the host that IKE's headers and the traffic point to, and copies its
 * packets to the few that may own it for as long as they point to several.
 */
final class ByEvidence implements Association {
  /** An SA's first packets; later ones belong to an entry that was lost. */
  private static final long EARLY = 64;

  /**
   * Bytes of an answer that brings SAs, at least: header, encrypted payload, proposal, nonce and
   * selectors. One that only notifies is shorter.
   */
  private static final long WITH_SAS = 140;

  /** A packet under the old SPI this long behind the first under the new one is no straggler. */
  private static final long STRAGGLERS = 500;

  /**
   * An SPI is bound with its second packet: the first goes where it would go, and may be forged.
   */
  private static final int PACKETS = 2;

  /** An SPI in use has had a packet within this time. */
  private static final long LATELY = 15_000;

  /** Hosts that get copies of what no exchange explains. */
  private static final int UNEXPLAINED_COPIES = 16;

  /** An SPI that no exchange explains is bound after so many packets, over so long a time. */
  private static final int LOST_PACKETS = 3;

  private static final long LOST_TIME = 500;

  /** The deletion of what an exchange has replaced follows it within this time. */
  private static final long DELETION = 10_000;

  private final Flows flows;
  private final Ledger ledger;
  private final long lifetime;
  private final long hold;
  private final Settings.Limits limits;
  private final Map<Integer, Contest> contests = new HashMap<>();

  ByEvidence(Settings settings, Flows flows, Ledger ledger) {
    this.flows = flows;
    this.ledger = ledger;
    this.lifetime = settings.lifetime().toMillis();
    this.hold = settings.hold().toMillis();
    this.limits = settings.limits();
  }

  // ---- ESP -------------------------------------------------------------------------------------

  @Override
  public Verdict outbound(int host, int remote, Esp esp, boolean isNew, long now) {
    Contest contest = contests.get(remote);
    if (contest != null && !contest.strays.isEmpty()) {
      long since = Ticks.millis(flows.outboundSince(host, remote, esp.spi()));
      int number = contest.number(host);
      for (Stray stray : contest.strays) {
        if (!stray.isCandidate(number)) {
          continue;
        }
        for (Candidate candidate : stray.candidates()) {
          // 256 ms: the width of a tick.
          if (candidate.host == host && since + 256 >= candidate.from) {
            stray.sent(candidate, now);
          }
        }
      }
    }
    return new Verdict.Forward();
  }

  @Override
  public boolean watches(int host, int remote) {
    Contest contest = contests.get(remote);
    if (contest != null) {
      int number = contest.number(host);
      for (Stray stray : contest.strays) {
        if (stray.isCandidate(number)) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  public Verdict unknown(int remote, Esp esp, long now) {
    Contest contest = contests.computeIfAbsent(remote, far -> new Contest());
    Stray stray = contest.stray(esp.spi()).orElseGet(() -> begin(contest, remote, esp, now, now));
    stray.packet(now);
    if (stray.packets == PACKETS) {
      settle(contest, remote, now);
    }
    // Settling others may have settled this one.
    int bound = flows.find(remote, esp.spi());
    if (bound != SlotTable.NONE) {
      return Association.to(flows.hostOf(bound));
    }
    Optional<Integer> decided = decide(contest, remote, stray, now);
    if (decided.isEmpty() && stray.candidates().isEmpty()) {
      // All that explained it was used up by others: who may own it is asked anew.
      contest.strays.remove(stray);
      stray = begin(contest, remote, esp, stray.first, now);
      stray.packet(now);
    }
    if (decided.isPresent()) {
      return Association.to(decided.get());
    }
    List<Candidate> candidates = stray.candidates();
    if (candidates.isEmpty()) {
      contest.strays.remove(stray);
      if (contest.isEmpty()) {
        contests.remove(remote); // forged sources take no memory
      }
      return ledger.refuse(Reason.NO_HOST, 0, remote, now);
    }
    if (candidates.size() == 1) {
      return Association.to(candidates.getFirst().host);
    }
    return new Verdict.Copies(
        addresses(candidates.subList(0, Math.min(candidates.size(), limits.copies()))));
  }

  private static List<Address> addresses(List<Candidate> candidates) {
    return candidates.stream().map(c -> Address.v4(c.host)).toList();
  }

  private Stray begin(Contest contest, int remote, Esp esp, long first, long now) {
    boolean early = esp.sequenceNumber() <= EARLY;
    Map<Integer, Exchange> explained = new LinkedHashMap<>();
    if (early) {
      for (Exchange exchange : contest.exchanges().reversed()) {
        if (exchange.mayExplain(first)) {
          explained.putIfAbsent(exchange.host, exchange);
        }
      }
    }
    Stray stray = new Stray(esp.spi(), explained.isEmpty(), first, now);
    explained.forEach((host, exchange) -> stray.add(contest.candidate(host, exchange.since)));
    stray.contested = explained.size() > 1;
    if (explained.isEmpty()) {
      addUnexplained(contest, remote, stray, early, now);
    }
    if (contest.strays.size() >= limits.undecided()) {
      // Forgeries come once each: who has been silent longest makes room.
      Stray oldest = contest.strays.getFirst();
      for (Stray other : contest.strays) {
        oldest = other.last < oldest.last ? other : oldest;
      }
      contest.strays.remove(oldest);
    }
    contest.strays.add(stray);
    settle(contest, remote, now);
    return stray;
  }

  /**
   * Where as many SPIs wait for the same few hosts as these have exchanges, those hosts own these,
   * and no others.
   */
  private void settle(Contest contest, int remote, long now) {
    contest.unsettled = !contest.effort.allows(now);
    if (contest.unsettled) {
      return;
    }
    int counting = count(contest, now);
    for (Stray stray : List.copyOf(contest.strays)) {
      if (!counts(contest, stray, now) || contest.anyHasTooMany(stray)) {
        continue;
      }
      contest.effort.spend(stray.candidates().size());
      int exchanges = contest.plausible(stray);
      if (counting < exchanges || owned(contest, stray) < exchanges) {
        continue;
      }
      for (Stray other : List.copyOf(contest.strays)) {
        if (!other.lost
            && !other.isWithin(stray)
            && other.removeIf(c -> stray.isCandidate(c.number))
            && contest.strays.contains(other)) {
          decide(contest, remote, other, now);
          counting = count(contest, now);
        }
      }
    }
  }

  /** How many SPIs use up an exchange each; which do is noted at each. */
  private static int count(Contest contest, long now) {
    int counting = 0;
    for (Stray stray : contest.strays) {
      stray.counts = counts(contest, stray, now);
      counting += stray.counts ? 1 : 0;
      contest.effort.spend(1);
    }
    return counting;
  }

  /** How many SPIs wait for those hosts alone that may own this one. */
  private static int owned(Contest contest, Stray stray) {
    int owned = 0;
    for (Stray other : contest.strays) {
      contest.effort.spend(stray.width());
      owned += other.counts && other.isWithin(stray) ? 1 : 0;
    }
    return owned;
  }

  /**
   * One packet may be forged, a silent SPI may be one whose exchange has been replaced, and one
   * that is older than all exchanges uses up none of them.
   */
  private static boolean counts(Contest contest, Stray stray, long now) {
    return !stray.lost
        && stray.packets >= PACKETS
        && now - stray.last < LATELY
        && contest.anyExplains(stray);
  }

  /**
   * Who may own an SPI that no exchange explains: hosts with a session but no SPI that they are
   * known to use, and those whose exchange may have been used up by another's SPI; where there are
   * none, all with a session.
   */
  private void addUnexplained(Contest contest, int remote, Stray stray, boolean early, long now) {
    if (early) {
      for (Exchange exchange : contest.exchanges().reversed()) {
        if (exchange.state == State.CONSUMED && now - exchange.last <= Contest.DOUBTFUL) {
          stray.add(contest.candidate(exchange.host, 0));
        }
      }
    }
    flows.eachLive(
        remote,
        now,
        Flows.LOOKED_AT,
        host -> {
          boolean room = stray.candidates().size() < unexplainedCopies();
          if (room && flows.mayLackOne(host, remote)) {
            stray.add(contest.candidate(host, 0));
          }
          return room;
        });
    if (stray.candidates().isEmpty()) {
      flows.eachLive(
          remote,
          now,
          Flows.LOOKED_AT,
          host -> {
            stray.add(contest.candidate(host, 0));
            return stray.candidates().size() < unexplainedCopies();
          });
    }
  }

  private int unexplainedCopies() {
    return Math.min(limits.copies(), UNEXPLAINED_COPIES);
  }

  /** Binds the SPI where what is known suffices; its host. */
  private Optional<Integer> decide(Contest contest, int remote, Stray stray, long now) {
    int size = stray.candidates().size();
    stray.contested |= size > 1;
    if (size > 1) {
      if (!contest.effort.allows(now)) {
        contest.unsettled = true;
        return Optional.empty();
      }
      contest.effort.spend(size);
    }
    if (stray.contested && !stray.lost) {
      stray.removeIf(c -> stillUsesItsOld(contest, remote, stray, c));
    }
    if (stray.candidates().size() == 1) {
      int host = stray.candidates().getFirst().host;
      if (stray.lost) {
        return stray.packets >= LOST_PACKETS && now - stray.first >= LOST_TIME
            ? bind(contest, remote, stray, host, Evidence.SESSION, now)
            : Optional.empty();
      }
      boolean done =
          stray.packets >= PACKETS
              && contest.explaining(host, stray).filter(e -> hasEnded(e, stray, now)).isPresent();
      return done
          ? bind(
              contest,
              remote,
              stray,
              host,
              stray.contested ? Evidence.ELIMINATION : Evidence.EXCHANGE,
              now)
          : Optional.empty();
    }
    int answering = stray.answering();
    return answering < 0
        ? Optional.empty()
        : bind(
            contest, remote, stray, stray.candidates().get(answering).host, Evidence.ANSWERS, now);
  }

  /**
   * Quick Mode's third message may be lost: a remote that goes on sending under the new SA has it.
   */
  private static boolean hasEnded(Exchange exchange, Stray stray, long now) {
    return exchange.state == State.DONE
        || (exchange.kind == Ike.QUICK_MODE
            && stray.packets >= LOST_PACKETS
            && now - stray.first >= LOST_TIME);
  }

  /**
   * A remote sends under one SA of a pair and its replacement at a time: whose old SPI is still in
   * use after this one was, does not own this one.
   */
  private boolean stillUsesItsOld(Contest contest, int remote, Stray stray, Candidate candidate) {
    int old = flows.newest(candidate.host, remote);
    return old != SlotTable.NONE
        && contest.explaining(candidate.host, stray).filter(Exchange::replaces).isPresent()
        && Ticks.millis(flows.since(old)) < stray.first
        && Ticks.millis(flows.seen(old)) > stray.first + STRAGGLERS;
  }

  private Optional<Integer> bind(
      Contest contest, int remote, Stray stray, int host, Evidence evidence, long now) {
    contest.strays.remove(stray);
    Optional<Reason> refused = flows.bind(remote, stray.spi, host, evidence, now);
    if (refused.isPresent()) {
      ledger.refuse(refused.get(), host, remote, now);
      return Optional.empty();
    }
    consume(contest, contest.explaining(host, stray), remote, host, now);
    return Optional.of(host);
  }

  /** An SPI of a host is bound: one exchange less can explain another. */
  private void consume(
      Contest contest, Optional<Exchange> explains, int remote, int host, long now) {
    explains.ifPresent(exchange -> {
      exchange.become(State.CONSUMED, now);
      exchange.last = now;
    });
    ruleOut(contest, remote, host, now);
  }

  /** Where a host has no exchange left that explains an SPI, it owns none of those that wait. */
  private void ruleOut(Contest contest, int remote, int host, long now) {
    if (contest.plausible(host).isPresent()) {
      return;
    }
    int number = contest.number(host);
    for (Stray stray : List.copyOf(contest.strays)) {
      if (!stray.lost
          && stray.isCandidate(number)
          && stray.removeIf(c -> c.host == host)
          && contest.strays.contains(stray)) {
        decide(contest, remote, stray, now);
      }
    }
  }

  @Override
  public void own(int remote, int spi) {
    Contest contest = contests.get(remote);
    if (contest != null) {
      contest.strays.removeIf(stray -> stray.spi == spi);
    }
  }

  @Override
  public void bound(int remote, int spi, long now) {
    Contest contest = contests.get(remote);
    if (contest == null) {
      return;
    }
    contest.strays.removeIf(stray -> stray.spi == spi);
    int binding = flows.find(remote, spi);
    if (binding != SlotTable.NONE) {
      int host = flows.hostOf(binding);
      consume(contest, contest.plausible(host), remote, host, now);
    }
  }

  @Override
  public void used(int binding, long now) {
    // A new SPI was given to this host because of an exchange that replaces, and the remote still
    // sends under the old one: it was somebody else's.
    int host = flows.hostOf(binding);
    int remote = flows.remoteOf(binding);
    Contest contest = contests.get(remote);
    if (contest == null) {
      return;
    }
    int newest = flows.newest(host, remote);
    if (newest == SlotTable.NONE
        || newest == binding
        || flows.since(newest) < flows.since(binding)) {
      return;
    }
    boolean replaced = false;
    for (Exchange exchange : contest.exchanges(host)) {
      replaced |= exchange.state == State.CONSUMED && exchange.replaces();
    }
    Evidence evidence = flows.evidenceOf(newest);
    if (replaced
        && evidence != Evidence.REGISTERED
        && flows.seen(newest) > flows.since(binding)
        && Ticks.millis(flows.seen(binding)) > Ticks.millis(flows.since(newest)) + STRAGGLERS
        && now - Ticks.millis(flows.since(newest)) < Contest.DOUBTFUL) {
      revise(contest, remote, newest, host, now);
    }
  }

  /** Takes a binding back: anybody but its host may own the SPI. */
  private void revise(Contest contest, int remote, int binding, int host, long now) {
    ledger.revise();
    int spi = flows.spiOf(binding);
    flows.unbind(binding);
    for (Exchange exchange : contest.exchanges(host)) {
      if (exchange.state == State.CONSUMED) {
        exchange.become(State.DONE, now);
        exchange.last = now;
      }
    }
    Stray stray = new Stray(spi, true, now, now);
    stray.contested = true;
    for (Exchange exchange : contest.exchanges()) {
      if (exchange.host != host && exchange.isPlausible()) {
        stray.add(contest.candidate(exchange.host, 0));
      }
    }
    if (stray.candidates().isEmpty()) {
      addUnexplained(contest, remote, stray, true, now);
      stray.removeIf(c -> c.host == host);
    }
    if (!stray.candidates().isEmpty()) {
      contest.strays.add(stray);
    }
  }

  // ---- IKE -------------------------------------------------------------------------------------

  @Override
  public Verdict ike(int host, int remote, Ike message, boolean fromInside, long now) {
    if (isDeletion(message)) {
      deleted(host, remote, message, fromInside, now);
    }
    boolean negotiates =
        message.major() == 1
            ? message.exchange() == Ike.QUICK_MODE
            : message.major() == 2
                && (message.exchange() == Ike.AUTH || message.exchange() == Ike.CREATE_CHILD_SA)
                // Parts after the first say nothing new.
                && message.part() <= 1;
    if (!negotiates) {
      return new Verdict.Forward();
    }
    Contest contest = contests.computeIfAbsent(remote, far -> new Contest());
    return message.major() == 1
        ? quickMode(contest, host, remote, message, fromInside, now)
        : message.answers()
            ? answer(contest, host, remote, message, fromInside, now)
            : request(contest, host, remote, message, fromInside, now);
  }

  private static boolean isDeletion(Ike message) {
    return message.major() == 2
        && message.exchange() == Ike.INFORMATIONAL
        && message.inner() == Ike.DELETE_PAYLOAD
        && !message.answers();
  }

  /**
   * Who asked for a new IKE SA deletes the old one when it has it (RFC 7296, 2.8). An exchange that
   * adds a pair of SAs is followed by no deletion.
   */
  private void deleted(int host, int remote, Ike message, boolean fromInside, long now) {
    Contest contest = contests.get(remote);
    if (contest == null) {
      return;
    }
    for (Exchange exchange : contest.exchanges(host)) {
      if (exchange.cookie == message.initiator()
          && exchange.fromInside == fromInside
          && exchange.state == State.DONE
          && exchange.mayConcernIkeAlone()
          && now - exchange.since < DELETION) {
        exchange.become(State.IKE_ALONE, now);
      }
    }
    ruleOut(contest, remote, host, now);
  }

  private Verdict request(
      Contest contest, int host, int remote, Ike message, boolean fromInside, long now) {
    Optional<Exchange> known =
        contest.exchange(host, message.initiator(), message.messageId(), fromInside);
    if (known.isEmpty() && message.exchange() == Ike.AUTH) {
      // A further round of EAP: the answer before was not the last.
      contest.removeIf(
          e -> e.kind == Ike.AUTH && e.host == host && e.cookie == message.initiator());
      ruleOut(contest, remote, host, now);
    }
    Exchange exchange =
        known.orElseGet(() -> {
          Exchange begun = new Exchange(host, message, fromInside, State.ASKED, now);
          contest.add(begun);
          return begun;
        });
    exchange.last = now;
    return fromInside && (exchange.state == State.ASKED || exchange.state == State.HELD)
        ? inTurn(contest, exchange, State.LIKELY, now)
        : new Verdict.Forward();
  }

  private Verdict answer(
      Contest contest, int host, int remote, Ike message, boolean fromInside, long now) {
    Optional<Exchange> known =
        contest.exchange(host, message.initiator(), message.messageId(), !fromInside);
    if (known.isPresent() && known.get().state == State.CONSUMED) {
      return new Verdict.Forward();
    }
    boolean notifiesOnly =
        message.part() == 0 && message.length() < WITH_SAS && message.inner() != Ike.SA_PAYLOAD;
    boolean goesOn = message.exchange() == Ike.AUTH && message.inner() == Ike.EAP_PAYLOAD;
    if (notifiesOnly || goesOn) {
      known.ifPresent(contest::remove);
      ruleOut(contest, remote, host, now);
      return new Verdict.Forward();
    }
    // The request came when nobody knew whose its cookies are: the answer says as much.
    Exchange exchange =
        known.orElseGet(() -> {
          Exchange answered = new Exchange(host, message, !fromInside, State.ASKED, now);
          contest.add(answered);
          return answered;
        });
    exchange.last = now;
    // Not in turn: the host sends under its new SA already, and the remote lacks it until then.
    exchange.become(State.DONE, now);
    finished(contest, remote, host, now);
    return new Verdict.Forward();
  }

  private Verdict quickMode(
      Contest contest, int host, int remote, Ike message, boolean fromInside, long now) {
    Optional<Exchange> ours =
        contest.exchange(host, message.initiator(), message.messageId(), fromInside);
    Optional<Exchange> theirs =
        contest.exchange(host, message.initiator(), message.messageId(), !fromInside);
    if (theirs.isPresent()) {
      // The second message; the remote has its SAs when it gets it, and the host has sent it.
      Exchange exchange = theirs.get();
      exchange.last = now;
      if (!fromInside && exchange.state == State.ASKED) {
        exchange.become(State.ANSWERED, now);
      } else if (fromInside && exchange.state == State.ASKED) {
        exchange.become(State.LIKELY, now);
      }
      return new Verdict.Forward();
    }
    if (ours.isEmpty()) {
      contest.add(new Exchange(host, message, fromInside, State.ASKED, now));
      return new Verdict.Forward();
    }
    Exchange exchange = ours.get();
    exchange.last = now;
    // The first message again, or the third, which is a hash only (RFC 2409, 5.5).
    boolean third = message.length() < exchange.length;
    if (third && fromInside && (exchange.state == State.ANSWERED || exchange.state == State.HELD)) {
      return inTurn(contest, exchange, State.DONE, now);
    }
    if (third && !fromInside && exchange.state == State.LIKELY) {
      exchange.become(State.DONE, now);
      finished(contest, remote, host, now);
    }
    return new Verdict.Forward();
  }

  /**
   * Lets a message go that enables the remote to send under a new SPI, or keeps it back while such
   * an SPI of another host is about to come: negotiations follow one another, traffic never waits.
   */
  private Verdict inTurn(Contest contest, Exchange exchange, State next, long now) {
    if (hold > 0 && !exchange.released) {
      long until = Long.MIN_VALUE;
      long latest = exchange.state == State.HELD ? exchange.since + hold : now + hold;
      for (Exchange other : contest.exchanges()) {
        if (other.host != exchange.host && other.isPlausible() && now - other.since < hold) {
          until = Math.max(until, Math.min(latest, other.since + hold));
        }
      }
      if (until > now) {
        exchange.become(State.HELD, now);
        return new Verdict.Hold(until);
      }
      exchange.released = true;
    }
    exchange.become(next, now);
    return new Verdict.Forward();
  }

  @Override
  public void goesOn(int host, int remote, Ike message, long now) {
    Contest contest = contests.get(remote);
    if (contest == null) {
      return;
    }
    for (Exchange exchange : contest.exchanges(host)) {
      // The two ends of an IKE SA number their requests independently (RFC 7296, 2.2).
      exchange.released |=
          exchange.state == State.HELD
              && exchange.cookie == message.initiator()
              && exchange.message == message.messageId()
              && (message.major() == 1 || exchange.fromInside != message.answers());
    }
    ike(host, remote, message, true, now);
  }

  /** An exchange of a host has ended well: what waits for that can be bound. */
  private void finished(Contest contest, int remote, int host, long now) {
    int number = contest.number(host);
    for (Stray stray : List.copyOf(contest.strays)) {
      if (stray.isCandidate(number) && contest.strays.contains(stray)) {
        decide(contest, remote, stray, now);
      }
    }
  }

  @Override
  public void newCookies(int host, int remote, long now) {
    Contest contest = contests.get(remote);
    if (contest == null) {
      return;
    }
    Exchange latest = null;
    for (Exchange exchange : contest.exchanges(host)) {
      if (isOfNewCookies(exchange, now) && (latest == null || latest.state != State.IKE_ALONE)) {
        latest = exchange;
      }
    }
    if (latest != null) {
      contest.remove(latest);
      ruleOut(contest, remote, host, now);
    }
  }

  private static boolean isOfNewCookies(Exchange exchange, long now) {
    return (exchange.state == State.IKE_ALONE
            || (exchange.isPlausible() && exchange.mayConcernIkeAlone()))
        && now - exchange.since < Contest.NEW_COOKIES;
  }

  @Override
  public void eachRekeying(int remote, long now, IntConsumer host) {
    Contest contest = contests.get(remote);
    if (contest != null) {
      for (Exchange exchange : contest.exchanges()) {
        if (isOfNewCookies(exchange, now)) {
          host.accept(exchange.host);
        }
      }
    }
  }

  // ---- the rest --------------------------------------------------------------------------------

  @Override
  public void left(int host, int remote, long now) {
    Contest contest = contests.get(remote);
    if (contest != null) {
      contest.removeIf(e -> e.host == host);
      for (Stray stray : contest.strays) {
        stray.removeIf(c -> c.host == host);
      }
      contest.strays.removeIf(s -> s.candidates().isEmpty());
    }
  }

  @Override
  public void tick(long now) {
    contests.forEach((remote, contest) -> {
      contest.expire(now, lifetime);
      if (contest.unsettled) {
        settle(contest, remote, now);
      }
    });
    contests.values().removeIf(Contest::isEmpty);
  }

  /** What was compared for a remote, as long as something is open with it. */
  long comparisons(int remote) {
    Contest contest = contests.get(remote);
    return contest == null ? 0 : contest.effort.all();
  }

  @Override
  public List<Undecided> undecided() {
    List<Undecided> all = new ArrayList<>();
    contests.forEach((remote, contest) -> {
      for (Stray stray : contest.strays) {
        all.add(
            new Undecided(
                Address.v4(remote),
                stray.spi,
                stray.first,
                stray.packets,
                addresses(stray.candidates())));
      }
    });
    return all;
  }
}
