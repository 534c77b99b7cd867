package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which remotes seem to serve one host at a time, by how the inbound SPIs of their hosts are used.
 * In transport mode a remote's policy for one host is its policy for all behind the same address:
 * it sends to whoever made SAs last. Nothing of the mode itself can be seen: it is encrypted.
 */
final class Takeovers {
  /** An SPI in use has had a packet within this time. */
  private static final long LATELY = 15_000;

  /** What was on its way, and the second between two looks at the maps. */
  private static final long STRAGGLERS = 3_000;

  /** Where the remote serves several after all, it shows within this time, mostly. */
  private static final long PATIENCE = 60_000;

  /** One takeover is what any host's first traffic looks like while the others are silent. */
  private static final int SUSPICIOUS = 2;

  private static final int NAMED = 8;

  private final Flows flows;
  private final Map<Integer, Served> remotes = new HashMap<>();

  /** Whom a remote serves. */
  private static final class Served {
    private int host;
    private long since;
    private long seen;
    private int takeovers;
    private long first;
    private long last;
    private final Set<Integer> hosts = new LinkedHashSet<>();

    private void trust() {
      takeovers = 0;
      hosts.clear();
    }
  }

  Takeovers(Flows flows) {
    this.flows = flows;
  }

  /** A binding was used. Remotes that one host alone has to do with take no memory. */
  void used(int binding, long when) {
    int remote = flows.remoteOf(binding);
    if (flows.serves(remote) < 2) {
      return;
    }
    int host = flows.hostOf(binding);
    long since = Ticks.millis(flows.since(binding));
    Served served = remotes.computeIfAbsent(remote, far -> before(far, host, since));
    if (served.host == host) {
      served.since = Math.max(served.since, since);
      served.seen = Math.max(served.seen, when);
    } else if (since <= served.since) {
      if (when > served.since + STRAGGLERS) {
        served.trust(); // the older one goes on: it serves several
      }
    } else {
      if (served.seen + LATELY >= since) {
        if (served.takeovers == 0) {
          served.first = when;
        }
        served.takeovers++;
        served.last = when;
        if (served.hosts.size() < NAMED) {
          served.hosts.add(served.host);
          served.hosts.add(host);
        }
      }
      served.host = host;
      served.since = since;
      served.seen = when;
    }
  }

  /** Whom a remote served before it served this host; this host where nobody. */
  private Served before(int remote, int host, long since) {
    Served served = new Served();
    served.host = host;
    flows.eachLive(
        remote,
        since,
        Integer.MAX_VALUE,
        other -> {
          int newest = flows.newest(other, remote);
          if (other != host
              && newest != SlotTable.NONE
              && Ticks.millis(flows.since(newest)) < since
              && Ticks.millis(flows.seen(newest)) > served.seen) {
            served.host = other;
            served.since = Ticks.millis(flows.since(newest));
            served.seen = Ticks.millis(flows.seen(newest));
          }
          return true;
        });
    return served;
  }

  /** Forgets remotes that were silent for so long, milliseconds. */
  void expire(long lifetime, long now) {
    remotes.values().removeIf(served -> served.seen + lifetime < now);
  }

  List<Suspected> suspected(long now) {
    List<Suspected> all = new ArrayList<>();
    remotes.forEach((remote, served) -> {
      if (served.takeovers >= SUSPICIOUS && now - served.last >= PATIENCE) {
        all.add(
            new Suspected(
                Address.v4(remote),
                served.hosts.stream().map(Address::v4).toList(),
                served.takeovers,
                served.first));
      }
    });
    return all;
  }
}
