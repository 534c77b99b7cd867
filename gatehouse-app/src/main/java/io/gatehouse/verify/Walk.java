package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import java.util.Collection;

/**
 * Everything that comes to a host, and everything that it makes itself, followed to its end.
 *
 * @param received all packets that come in, decrypted ones too
 * @param sent all that this host makes with a source of its own
 */
record Walk(HostState host, HeaderSpace space, Bdd bdd, Journey received, Journey sent) {

  static Walk of(HostState host, PacketPath path) {
    HeaderSpace space = path.space();
    int own =
        space.source(
            host.addresses(space.family()).stream().map(io.gatehouse.model.Prefix::host).toList());
    return new Walk(host, space, space.bdd(), path.received(Bdd.TRUE), path.sent(own));
  }

  int and(int first, int... more) {
    int all = first;
    for (int set : more) {
      all = bdd.and(all, set);
    }
    return all;
  }

  int or(int first, int... more) {
    int all = first;
    for (int set : more) {
      all = bdd.or(all, set);
    }
    return all;
  }

  int minus(int set, int... others) {
    int rest = set;
    for (int other : others) {
      rest = bdd.difference(rest, other);
    }
    return rest;
  }

  int cameBy(Collection<String> devices) {
    int all = Bdd.FALSE;
    for (String device : devices) {
      all = bdd.or(all, space.arrivesOn(device));
    }
    return all;
  }

  int leftBy(Journey journey, Collection<String> devices) {
    int all = Bdd.FALSE;
    for (String device : devices) {
      all = bdd.or(all, journey.leftBy(device));
    }
    return all;
  }

  /** First packets as a host sends them: no fragments, no extension headers. */
  int ordinary() {
    return and(space.firstOfConnection(), space.whole());
  }

  /** What no rule about standing connections can let through. */
  int ofNoConnection() {
    return minus(Bdd.TRUE, space.is(Connection.ESTABLISHED), space.is(Connection.RELATED));
  }
}
