package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A talk at one point, seen from its client.
 *
 * @param straight whether the talk's first host is the client
 */
record Side(Talk talk, boolean straight) {
  Address client() {
    return straight ? talk.one : talk.other;
  }

  Address server() {
    return straight ? talk.other : talk.one;
  }

  Optional<Flow> flow(Channel channel, boolean toServer) {
    return Optional.ofNullable(talk.flows(toServer == straight).get(channel));
  }

  long count(Channel channel, boolean toServer) {
    return flow(channel, toServer).map(flow -> flow.count).orElse(0L);
  }

  boolean toServer(boolean forth) {
    return forth == straight;
  }

  Stream<Sa> sas(boolean toServer) {
    return talk.sas.values().stream().filter(sa -> toServer(sa.forth) == toServer);
  }

  int keepalives(boolean toServer) {
    return toServer == straight ? talk.keepalivesForth : talk.keepalivesBack;
  }

  int firstFragments(boolean toServer) {
    return toServer == straight ? talk.firstFragmentsForth : talk.firstFragmentsBack;
  }

  int laterFragments(boolean toServer) {
    return toServer == straight ? talk.laterFragmentsForth : talk.laterFragmentsBack;
  }

  int hops(boolean toServer) {
    return toServer == straight ? talk.hopsForth : talk.hopsBack;
  }
}
