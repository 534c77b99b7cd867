package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntPredicate;

/**
 * Who talks to whom: inbound SPIs with their hosts, outbound SPIs, and the hosts of each remote.
 * Bounded for each host, each remote and all together.
 */
final class Flows {
  // Columns of inbound SPIs, keyed by remote and SPI.
  private static final int HOST = 0;
  private static final int SEEN = 1;
  private static final int SINCE = 2;
  private static final int EVIDENCE = 3;

  // Columns of outbound SPIs, keyed by remote, SPI and host.
  private static final int OUT_SEEN = 0;
  private static final int OUT_SINCE = 1;

  // Columns of clients, a client being a host with one remote; keyed by these two.
  private static final int CLIENT_SEEN = 0;
  private static final int NEWEST = 1;
  private static final int NEXT = 2;
  private static final int PREVIOUS = 3;
  private static final int SPIS = 4;

  private static final int HOST_SPIS = 0;

  private static final int FIRST_CLIENT = 0;
  private static final int CLIENT_COUNT = 1;
  private static final int OLDEST_CLIENT = 2;

  /** Hosts of one remote that are looked at because of one packet from outside. */
  static final int LOOKED_AT = 1024;

  private final Settings.Limits limits;
  private final int lifetime;
  private final Ledger ledger;
  private final SlotTable inbound;
  private final SlotTable outbound;
  private final SlotTable clients;
  private final SlotTable hosts;
  private final SlotTable remotes;

  Flows(Settings settings, Ledger ledger, long salt) {
    this.limits = settings.limits();
    this.lifetime = Ticks.of(settings.lifetime().toMillis());
    this.ledger = ledger;
    this.inbound = new SlotTable(4, limits.flows(), salt);
    this.outbound = new SlotTable(2, limits.flows(), salt);
    this.clients = new SlotTable(5, limits.flows(), salt);
    this.hosts = new SlotTable(1, 2 * limits.flows(), salt);
    this.remotes = new SlotTable(3, limits.flows(), salt);
  }

  private static long pair(int remote, int spi) {
    return (long) remote << 32 | (spi & 0xffffffffL);
  }

  // ---- inbound ---------------------------------------------------------------------------------

  /** The number of a binding, or {@link SlotTable#NONE}. */
  int find(int remote, int spi) {
    return inbound.find(pair(remote, spi), 0);
  }

  int hostOf(int binding) {
    return inbound.at(HOST, binding);
  }

  Evidence evidenceOf(int binding) {
    return Evidence.of(inbound.at(EVIDENCE, binding));
  }

  int seen(int binding) {
    return inbound.at(SEEN, binding);
  }

  int since(int binding) {
    return inbound.at(SINCE, binding);
  }

  int remoteOf(int binding) {
    return (int) (inbound.high(binding) >>> 32);
  }

  int spiOf(int binding) {
    return (int) inbound.high(binding);
  }

  /** Traffic was seen. */
  void touch(int binding, long now) {
    inbound.put(SEEN, binding, Math.max(inbound.at(SEEN, binding), Ticks.of(now)));
  }

  /**
   * Gives an SPI that has no host to one.
   *
   * @return why not, or empty
   */
  Optional<Reason> bind(int remote, int spi, int host, Evidence evidence, long now) {
    if (spisOf(host) >= limits.spis()) {
      return Optional.of(Reason.HOST_LIMIT);
    }
    Optional<Reason> refused = join(host, remote, now);
    if (refused.isPresent()) {
      return refused;
    }
    int slot = inbound.add(pair(remote, spi), 0);
    if (slot == SlotTable.NONE) {
      return Optional.of(Reason.FULL);
    }
    count(host, remote, 1);
    inbound.put(HOST, slot, host);
    inbound.put(SEEN, slot, Ticks.of(now));
    inbound.put(SINCE, slot, Ticks.of(now));
    inbound.put(EVIDENCE, slot, evidence.code());
    // Numbers from 1, so that 0 says that there is none.
    clients.put(NEWEST, clients.find(pair(remote, host), 1), slot + 1);
    ledger.write(new Change.Bind(Address.v4(remote), spi, Address.v4(host)));
    return Optional.empty();
  }

  /**
   * Gives an SPI that has a host to another, or to the same with other evidence; where that cannot
   * be, it stays what it was.
   *
   * @return why not, or empty
   */
  Optional<Reason> rebind(int binding, int host, Evidence evidence, long now) {
    int remote = remoteOf(binding);
    int spi = spiOf(binding);
    if (hostOf(binding) != host && spisOf(host) >= limits.spis()) {
      return Optional.of(Reason.HOST_LIMIT);
    }
    Optional<Reason> refused = join(host, remote, now);
    if (refused.isPresent()) {
      return refused;
    }
    unbind(binding);
    // There is room for it: its own.
    return bind(remote, spi, host, evidence, now);
  }

  void unbind(int binding) {
    int remote = remoteOf(binding);
    ledger.write(new Change.Unbind(Address.v4(remote), spiOf(binding)));
    count(inbound.at(HOST, binding), remote, -1);
    inbound.remove(binding);
  }

  /** The binding that a host got last with a remote and still has, or NONE. */
  int newest(int host, int remote) {
    int client = clients.find(pair(remote, host), 1);
    int slot = client == SlotTable.NONE ? SlotTable.NONE : clients.at(NEWEST, client) - 1;
    boolean stands =
        slot >= 0
            && slot < inbound.top()
            && inbound.isUsed(slot)
            && remoteOf(slot) == remote
            && hostOf(slot) == host;
    return stands ? slot : SlotTable.NONE;
  }

  /**
   * Whether what a host got last from a remote may not be what it receives under now: it is none,
   * or was taken over from a predecessor and has not been used since. The predecessor may have died
   * while the SPI that replaced it was not decided yet.
   */
  boolean mayLackOne(int host, int remote) {
    int newest = newest(host, remote);
    return newest == SlotTable.NONE
        || (evidenceOf(newest) == Evidence.RECALLED && seen(newest) <= since(newest));
  }

  // ---- outbound --------------------------------------------------------------------------------

  /** Whether a host's outbound SPI is known; if so, its traffic was seen. */
  boolean touchOutbound(int host, int remote, int spi, long now) {
    int slot = outbound.find(pair(remote, spi), host);
    if (slot == SlotTable.NONE) {
      return false;
    }
    outbound.put(OUT_SEEN, slot, Ticks.of(now));
    return true;
  }

  /** When a known outbound SPI began, in ticks. */
  int outboundSince(int host, int remote, int spi) {
    return outbound.at(OUT_SINCE, outbound.find(pair(remote, spi), host));
  }

  /**
   * Remembers a new outbound SPI.
   *
   * @return why not, or empty
   */
  Optional<Reason> addOutbound(int host, int remote, int spi, long now) {
    if (spisOf(host) >= limits.spis()) {
      return Optional.of(Reason.HOST_LIMIT);
    }
    Optional<Reason> refused = join(host, remote, now);
    if (refused.isPresent()) {
      return refused;
    }
    int slot = outbound.add(pair(remote, spi), host);
    if (slot == SlotTable.NONE) {
      return Optional.of(Reason.FULL);
    }
    count(host, remote, 1);
    outbound.put(OUT_SEEN, slot, Ticks.of(now));
    outbound.put(OUT_SINCE, slot, Ticks.of(now));
    return Optional.empty();
  }

  void removeOutbound(int host, int remote, int spi) {
    int slot = outbound.find(pair(remote, spi), host);
    if (slot != SlotTable.NONE) {
      count(host, remote, -1);
      outbound.remove(slot);
    }
  }

  // ---- hosts and remotes -----------------------------------------------------------------------

  /**
   * Notes that a host talks to a remote.
   *
   * @return why it may not, or empty
   */
  Optional<Reason> join(int host, int remote, long now) {
    int client = clients.find(pair(remote, host), 1);
    if (client != SlotTable.NONE) {
      clients.put(CLIENT_SEEN, client, Ticks.of(now));
      return Optional.empty();
    }
    int far = remotes.find(remote, 2);
    if (far != SlotTable.NONE && remotes.at(CLIENT_COUNT, far) >= limits.hosts()) {
      return Optional.of(Reason.REMOTE_LIMIT);
    }
    if (far == SlotTable.NONE) {
      far = remotes.add(remote, 2);
    }
    client = far == SlotTable.NONE ? SlotTable.NONE : clients.add(pair(remote, host), 1);
    if (client == SlotTable.NONE) {
      if (far != SlotTable.NONE && remotes.at(CLIENT_COUNT, far) == 0) {
        remotes.remove(far); // else it would stay for ever: nobody leaves it
      }
      return Optional.of(Reason.FULL);
    }
    int second = remotes.at(FIRST_CLIENT, far);
    clients.put(CLIENT_SEEN, client, Ticks.of(now));
    clients.put(NEXT, client, second);
    if (second != 0) {
      clients.put(PREVIOUS, second - 1, client + 1);
    } else {
      remotes.put(OLDEST_CLIENT, far, client + 1);
    }
    remotes.put(FIRST_CLIENT, far, client + 1);
    remotes.put(CLIENT_COUNT, far, remotes.at(CLIENT_COUNT, far) + 1);
    return Optional.empty();
  }

  /** How many hosts have to do with a remote. */
  int serves(int remote) {
    int far = remotes.find(remote, 2);
    return far == SlotTable.NONE ? 0 : remotes.at(CLIENT_COUNT, far);
  }

  /**
   * Hosts that have had anything to do with a remote within the lifetime, newest first.
   *
   * @param most how many are looked at, live or not: a forged packet may be the reason to ask
   * @param host told each; whether the next is wanted, too
   */
  void eachLive(int remote, long now, int most, IntPredicate host) {
    int far = remotes.find(remote, 2);
    int client = far == SlotTable.NONE ? 0 : remotes.at(FIRST_CLIENT, far);
    for (int looked = 0; client != 0 && looked < most; looked++) {
      if (isLive(client - 1, remote, now) && !host.test((int) clients.high(client - 1))) {
        return;
      }
      client = clients.at(NEXT, client - 1);
    }
  }

  /** Of those hosts, who has been one for the longest time. */
  OptionalInt oldestLive(int remote, long now) {
    int far = remotes.find(remote, 2);
    int client = far == SlotTable.NONE ? 0 : remotes.at(OLDEST_CLIENT, far);
    while (client != 0 && !isLive(client - 1, remote, now)) {
      client = clients.at(PREVIOUS, client - 1);
    }
    return client == 0 ? OptionalInt.empty() : OptionalInt.of((int) clients.high(client - 1));
  }

  private boolean isLive(int client, int remote, long now) {
    int newest = newest((int) clients.high(client), remote);
    int seen =
        newest == SlotTable.NONE
            ? clients.at(CLIENT_SEEN, client)
            : Math.max(clients.at(CLIENT_SEEN, client), seen(newest));
    return Ticks.of(now) - seen <= lifetime;
  }

  /** Forgets that a host talks to a remote, with all SPIs between them. */
  void leave(int host, int remote) {
    for (int slot = 0; slot < inbound.top(); slot++) {
      if (inbound.isUsed(slot) && hostOf(slot) == host && remoteOf(slot) == remote) {
        unbind(slot);
      }
    }
    for (int slot = 0; slot < outbound.top(); slot++) {
      if (outbound.isUsed(slot)
          && outbound.low(slot) == host
          && (int) (outbound.high(slot) >>> 32) == remote) {
        count(host, remote, -1);
        outbound.remove(slot);
      }
    }
    int client = clients.find(pair(remote, host), 1);
    if (client != SlotTable.NONE) {
      removeClient(client);
    }
  }

  private void removeClient(int client) {
    int remote = (int) (clients.high(client) >>> 32);
    int far = remotes.find(remote, 2);
    int after = clients.at(NEXT, client);
    int before = clients.at(PREVIOUS, client);
    if (before == 0) {
      remotes.put(FIRST_CLIENT, far, after);
    } else {
      clients.put(NEXT, before - 1, after);
    }
    if (after != 0) {
      clients.put(PREVIOUS, after - 1, before);
    } else {
      remotes.put(OLDEST_CLIENT, far, before);
    }
    int left = remotes.at(CLIENT_COUNT, far) - 1;
    remotes.put(CLIENT_COUNT, far, left);
    if (left == 0) {
      remotes.remove(far);
    }
    clients.remove(client);
  }

  private int spisOf(int host) {
    int slot = hosts.find(host, 0);
    return slot == SlotTable.NONE ? 0 : hosts.at(HOST_SPIS, slot);
  }

  /** There are as many hosts as SPIs at most, so that their table is never full before. */
  private void count(int host, int remote, int change) {
    int client = clients.find(pair(remote, host), 1);
    clients.put(SPIS, client, clients.at(SPIS, client) + change);
    int slot = hosts.find(host, 0);
    if (slot == SlotTable.NONE) {
      slot = hosts.add(host, 0);
    }
    int left = hosts.at(HOST_SPIS, slot) + change;
    hosts.put(HOST_SPIS, slot, left);
    if (left == 0) {
      hosts.remove(slot);
    }
  }

  /** Forgets what has seen no traffic for the lifetime; of large tables, a slice at a time. */
  void expire(long now) {
    int oldest = Ticks.of(now) - lifetime;
    inbound.sweep(slot -> {
      if (inbound.at(SEEN, slot) < oldest) {
        unbind(slot);
      }
    });
    outbound.sweep(slot -> {
      if (outbound.at(OUT_SEEN, slot) < oldest) {
        count(outbound.low(slot), (int) (outbound.high(slot) >>> 32), -1);
        outbound.remove(slot);
      }
    });
    clients.sweep(slot -> {
      if (clients.at(CLIENT_SEEN, slot) < oldest && clients.at(SPIS, slot) == 0) {
        removeClient(slot);
      }
    });
  }

  List<Binding> bindings() {
    List<Binding> all = new ArrayList<>();
    for (int slot = 0; slot < inbound.top(); slot++) {
      if (inbound.isUsed(slot)) {
        all.add(
            new Binding(
                Address.v4(remoteOf(slot)),
                spiOf(slot),
                Address.v4(hostOf(slot)),
                evidenceOf(slot),
                Ticks.millis(since(slot)),
                Ticks.millis(seen(slot))));
      }
    }
    return all;
  }

  int size() {
    return inbound.size() + outbound.size();
  }
}
