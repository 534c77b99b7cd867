package io.gatehouse.masquerade;

import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import java.util.HashMap;
import java.util.Map;

/**
 * The baseline of the HOWTO (6.2) and of Linux 2.0: the first packet under a new SPI is outstanding
 * until an unknown SPI of that remote comes, which is then taken for its answer; meanwhile other
 * first packets to that remote are dropped. It stays outstanding for 120 s; once somebody else
 * waits, for five retries, after which it is kept out for 30 s. What comes while nothing is
 * outstanding goes, unbound, to the host that negotiated last.
 */
final class Serialised implements Association {
  private static final long OUTSTANDING = 120_000;
  private static final int RETRIES = 5;
  private static final long SQUELCH = 30_000;

  private final Flows flows;
  private final Ledger ledger;
  private final Map<Integer, First> outstanding = new HashMap<>();
  private final Map<Key, Long> squelched = new HashMap<>();
  private final Map<Integer, Integer> negotiatedLast = new HashMap<>();

  private record Key(int host, int remote, int spi) {
    boolean isOf(int other, int far) {
      return host == other && remote == far;
    }
  }

  /** The first packet that waits for its answer. */
  private static final class First {
    private final Key key;
    private long until;
    private boolean contended;
    private int retries;

    First(Key key, long until) {
      this.key = key;
      this.until = until;
    }
  }

  Serialised(Flows flows, Ledger ledger) {
    this.flows = flows;
    this.ledger = ledger;
  }

  @Override
  public Verdict outbound(int host, int remote, Esp esp, boolean isNew, long now) {
    Key key = new Key(host, remote, esp.spi());
    First first = outstanding.get(remote);
    if (first != null && first.until < now) {
      outstanding.remove(remote);
      first = null;
    }
    if (first != null && first.key.equals(key)) {
      first.until = now + OUTSTANDING;
      if (first.contended && ++first.retries > RETRIES) {
        outstanding.remove(remote);
        squelched.put(key, now + SQUELCH);
        flows.removeOutbound(host, remote, esp.spi());
        return ledger.refuse(Reason.BLOCKED, host, remote, now);
      }
      return new Verdict.Forward();
    }
    if (!isNew) {
      return new Verdict.Forward();
    }
    if (first != null || squelched.getOrDefault(key, now) > now) {
      if (first != null) {
        first.contended = true;
      }
      flows.removeOutbound(host, remote, esp.spi());
      return ledger.refuse(Reason.BLOCKED, host, remote, now);
    }
    outstanding.put(remote, new First(key, now + OUTSTANDING));
    return new Verdict.Forward();
  }

  @Override
  public Verdict unknown(int remote, Esp esp, long now) {
    First first = outstanding.get(remote);
    if (first != null && first.until >= now) {
      outstanding.remove(remote);
      int host = first.key.host();
      return flows
          .bind(remote, esp.spi(), host, Evidence.SERIALISED, now)
          .map(reason -> ledger.refuse(reason, 0, remote, now))
          .orElseGet(() -> Association.to(host));
    }
    Integer last = negotiatedLast.get(remote);
    return last == null ? ledger.refuse(Reason.NO_HOST, 0, remote, now) : Association.to(last);
  }

  @Override
  public Verdict ike(int host, int remote, Ike message, boolean fromInside, long now) {
    boolean negotiates =
        message.major() == 1
            ? message.exchange() == Ike.QUICK_MODE
            : message.exchange() == Ike.AUTH || message.exchange() == Ike.CREATE_CHILD_SA;
    if (negotiates) {
      negotiatedLast.put(remote, host);
    }
    return new Verdict.Forward();
  }

  @Override
  public void left(int host, int remote, long now) {
    outstanding.values().removeIf(first -> first.key.isOf(host, remote));
    squelched.keySet().removeIf(key -> key.isOf(host, remote));
    negotiatedLast.remove(remote, host);
  }

  /** What is over, and who negotiated last with a remote that nobody has to do with any more. */
  @Override
  public void tick(long now) {
    outstanding.values().removeIf(first -> first.until < now);
    squelched.values().removeIf(until -> until <= now);
    negotiatedLast.keySet().removeIf(remote -> flows.serves(remote) == 0);
  }

  /** How many things are remembered. */
  int size() {
    return outstanding.size() + squelched.size() + negotiatedLast.size();
  }
}
