package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.packet.Ah;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Udp;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Many IPsec hosts behind one address: which of them a packet from outside belongs to. Fed with the
 * packets that the live maps do not know, and with how their entries are used; answers with a
 * verdict for each packet and with changes of the maps.
 *
 * <p>Times are milliseconds of one clock that starts near zero and never goes back; where it does,
 * the latest time known holds. Not for several threads.
 */
public final class Masquerade {
  private final Settings settings;
  private final Ledger ledger = new Ledger();
  private final Flows flows;
  private final Association association;
  private final Sessions sessions;
  private final Set<OwnSpi> ownSpis = new HashSet<>();
  private final Takeovers takeovers;
  private long latest;

  private record OwnSpi(int remote, int spi) {}

  /**
   * @param salt a number that strangers do not know, or 0 where the same run is wanted again
   */
  public Masquerade(Settings settings, long salt) {
    this.settings = settings;
    this.flows = new Flows(settings, ledger, salt);
    this.association =
        switch (settings.method()) {
          case EVIDENCE -> new ByEvidence(settings, flows, ledger);
          case SERIALISED -> new Serialised(flows, ledger);
          case FIFO -> new Fifo(flows, ledger);
        };
    this.takeovers = new Takeovers(flows);
    this.sessions = new Sessions(settings, flows, association, ledger, salt);
  }

  /** A packet that a host inside sends to the world, before its source is translated. */
  public Verdict outbound(Ip packet, long at) {
    long now = clock(at);
    if (packet.family() == Family.V6) {
      return new Verdict.NotOurs();
    }
    int host = (int) packet.source().low();
    int remote = (int) packet.destination().low();
    return switch (packet.body()) {
      case Esp esp -> outboundEsp(host, remote, esp, now);
      case Ah ah -> ledger.refuse(Reason.AUTHENTICATION_HEADER, host, remote, now);
      case Malformed malformed when packet.protocol() == Ip.ESP ->
          ledger.refuse(Reason.MALFORMED, host, remote, now);
      case Udp udp when isIke(udp) ->
          switch (udp.content()) {
            case Ike ike -> sessions.outbound(host, remote, ike, now);
            case Malformed malformed -> ledger.refuse(Reason.MALFORMED, host, remote, now);
            default -> new Verdict.NotOurs();
          };
      default -> new Verdict.NotOurs();
    };
  }

  /**
   * A packet of a host's that was to be held, and for which there was no room, has gone on: what it
   * makes possible is so from now on.
   */
  public void goesOn(Ip packet, long at) {
    long now = clock(at);
    if (packet.family() == Family.V4
        && packet.body() instanceof Udp udp
        && isIke(udp)
        && udp.content() instanceof Ike ike) {
      association.goesOn((int) packet.source().low(), (int) packet.destination().low(), ike, now);
    }
  }

  /** A packet that a remote sends to this machine's public address. */
  public Verdict inbound(Ip packet, long at) {
    long now = clock(at);
    if (packet.family() == Family.V6) {
      return new Verdict.NotOurs();
    }
    int remote = (int) packet.source().low();
    return switch (packet.body()) {
      case Esp esp -> inboundEsp(remote, esp, now);
      case Ah ah -> ledger.refuse(Reason.AUTHENTICATION_HEADER, 0, remote, now);
      case Malformed malformed when packet.protocol() == Ip.ESP ->
          ledger.refuse(Reason.MALFORMED, 0, remote, now);
      case Udp udp when isIke(udp) ->
          switch (udp.content()) {
            case Ike ike -> sessions.inbound(remote, ike, now);
            case Malformed malformed -> ledger.refuse(Reason.MALFORMED, 0, remote, now);
            default -> new Verdict.NotOurs();
          };
      default -> new Verdict.NotOurs();
    };
  }

  /** Port 500 on both sides; port 4500 is conntrack's, because its ports may be rewritten. */
  private static boolean isIke(Udp udp) {
    return udp.sourcePort() == Udp.IKE && udp.destinationPort() == Udp.IKE;
  }

  private Verdict outboundEsp(int host, int remote, Esp esp, long now) {
    if (esp.spi() == 0) {
      return ledger.refuse(Reason.ZERO_SPI, host, remote, now);
    }
    boolean isNew = !flows.touchOutbound(host, remote, esp.spi(), now);
    if (isNew) {
      if (!settings.parallel() && !sessions.isFirst(host, remote, now)) {
        return ledger.refuse(Reason.PARALLEL, host, remote, now);
      }
      Optional<Reason> refused = flows.addOutbound(host, remote, esp.spi(), now);
      if (refused.isPresent()) {
        return ledger.refuse(refused.get(), host, remote, now);
      }
    }
    return association.outbound(host, remote, esp, isNew, now);
  }

  private Verdict inboundEsp(int remote, Esp esp, long now) {
    if (!ownSpis.isEmpty() && ownSpis.contains(new OwnSpi(remote, esp.spi()))) {
      return new Verdict.Own();
    }
    if (esp.spi() == 0) {
      return ledger.refuse(Reason.ZERO_SPI, 0, remote, now);
    }
    int binding = flows.find(remote, esp.spi());
    if (binding == SlotTable.NONE) {
      return association.unknown(remote, esp, now);
    }
    flows.touch(binding, now);
    int host = flows.hostOf(binding);
    association.used(binding, now);
    return Association.to(host);
  }

  /** The kernel's entry for an SPI was used; ignored where it is bound to nobody. */
  public void used(Address remote, int spi, long when) {
    long now = clock(when);
    int binding = flows.find((int) remote.low(), spi);
    if (binding != SlotTable.NONE) {
      flows.touch(binding, when);
      takeovers.used(binding, when);
      association.used(binding, now);
    }
  }

  /**
   * A host says itself, or its updown hook does, under which SPI it receives from a remote. Where
   * that cannot be, nothing changes.
   *
   * @return why that cannot be, or empty
   */
  public Optional<Reason> register(Address host, Address remote, int spi, long at) {
    long now = clock(at);
    int far = (int) remote.low();
    int binding = flows.find(far, spi);
    if (spi == 0) {
      return Optional.of(Reason.ZERO_SPI);
    }
    if (ownSpis.contains(new OwnSpi(far, spi))) {
      return Optional.of(Reason.OWN_SPI);
    }
    if (!settings.parallel() && !sessions.isFirst((int) host.low(), far, now)) {
      ledger.refuse(Reason.PARALLEL, (int) host.low(), far, now);
      return Optional.of(Reason.PARALLEL);
    }
    boolean stands = binding != SlotTable.NONE;
    boolean anothers = stands && flows.hostOf(binding) != (int) host.low();
    if (anothers && flows.evidenceOf(binding) == Evidence.REGISTERED) {
      ledger.collide();
      return Optional.of(Reason.SPI_COLLISION);
    }
    Optional<Reason> refused =
        stands
            ? flows.rebind(binding, (int) host.low(), Evidence.REGISTERED, now)
            : flows.bind(far, spi, (int) host.low(), Evidence.REGISTERED, now);
    if (refused.isEmpty()) {
      if (anothers) {
        ledger.revise();
      }
      association.bound(far, spi, now);
    }
    return refused;
  }

  /**
   * A binding that stands since before this engine began. It is taken over whether parallel
   * sessions are allowed or not; of a remote's hosts the one that is told first is its first.
   */
  public void recall(Address remote, int spi, Address host, long at) {
    long now = clock(at);
    int far = (int) remote.low();
    boolean free = flows.find(far, spi) == SlotTable.NONE;
    if (free
        && !ownSpis.contains(new OwnSpi(far, spi))
        && flows.bind(far, spi, (int) host.low(), Evidence.RECALLED, now).isEmpty()) {
      association.bound(far, spi, now);
    }
  }

  /** An IKE SA that stands since before this engine began, by its initiator's cookie. */
  public void recallCookie(Address remote, long cookie, Address host, long at) {
    sessions.recall((int) host.low(), (int) remote.low(), cookie, clock(at));
  }

  /** This machine receives under an SPI itself: it is never given to a host. */
  public void own(Address remote, int spi) {
    ownSpis.add(new OwnSpi((int) remote.low(), spi));
    association.own((int) remote.low(), spi);
    int binding = flows.find((int) remote.low(), spi);
    if (binding != SlotTable.NONE) {
      ledger.revise();
      flows.unbind(binding);
    }
  }

  /** This machine does so no longer. */
  public void disown(Address remote, int spi) {
    ownSpis.remove(new OwnSpi((int) remote.low(), spi));
  }

  /** Frees what a host, whose session is dead, holds with a remote. */
  public void release(Address host, Address remote, long at) {
    int inside = (int) host.low();
    int far = (int) remote.low();
    association.left(inside, far, clock(at));
    sessions.leave(inside, far);
    flows.leave(inside, far);
  }

  /** Who has the session with a remote where only one host may; empty where nobody has. */
  public Optional<Address> first(Address remote, long at) {
    OptionalInt first = flows.oldestLive((int) remote.low(), clock(at));
    return first.isPresent() ? Optional.of(Address.v4(first.getAsInt())) : Optional.empty();
  }

  /** Whether packets of a host's known SPIs are wanted too, because one of its own is undecided. */
  public boolean watches(Address host, Address remote) {
    return association.watches((int) host.low(), (int) remote.low());
  }

  /** Forgets what has seen no traffic for too long; every second or so. */
  public void tick(long at) {
    long now = clock(at);
    flows.expire(now);
    sessions.expire(now);
    association.tick(now);
    takeovers.expire(settings.lifetime().toMillis(), now);
  }

  /** Changes of the live maps since this was last asked, in their order. */
  public List<Change> changes() {
    return ledger.takeChanges();
  }

  /** What stands, what waits, what was refused. */
  public Status status() {
    return ledger.status(flows.bindings(), association.undecided(), takeovers.suspected(latest));
  }

  /** Why an inbound SPI is its host's; nothing where it is nobody's. */
  public Optional<Evidence> evidence(Address remote, int spi) {
    int binding = flows.find((int) remote.low(), spi);
    return binding == SlotTable.NONE ? Optional.empty() : Optional.of(flows.evidenceOf(binding));
  }

  /** Inbound and outbound SPIs that are known. */
  public int size() {
    return flows.size();
  }

  private long clock(long at) {
    latest = Math.max(latest, at);
    return latest;
  }
}
