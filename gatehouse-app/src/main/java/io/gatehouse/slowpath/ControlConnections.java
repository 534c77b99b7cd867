package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Tcp;
import io.gatehouse.pptp.Call;
import io.gatehouse.pptp.CallStatus;
import io.gatehouse.pptp.Calls;
import io.gatehouse.pptp.Change;
import io.gatehouse.pptp.Change.Allowance;
import io.gatehouse.pptp.Segment;
import io.gatehouse.ruleset.NftSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Makes of segments of PPTP's control connections what is to be done. A function of what it is
 * told; times are milliseconds that never go back.
 */
final class ControlConnections {
  private final LiveMaps.OfCalls maps;
  private final CallMaps elements;
  private final Calls calls;

  /** Those that there were when the last listing was taken. */
  private List<Call> before = List.of();

  ControlConnections(LiveMaps.OfCalls maps, long salt) {
    this.maps = maps;
    elements = new CallMaps(maps);
    calls = new Calls(salt);
  }

  /** What the kernel lists of the three maps. */
  record Listed(List<SetElement> hosts, List<SetElement> ids, List<SetElement> allowed) {
    Listed {
      hosts = List.copyOf(hosts);
      ids = List.copyOf(ids);
      allowed = List.copyOf(allowed);
    }
  }

  /** Takes over the calls that a predecessor has left, as far as they are whole. */
  void recall(Listed listed, long now) {
    Map<Bytes, SetElement> hosts = byKey(listed.hosts());
    for (SetElement element : listed.ids()) {
      CallMaps.call(element)
          .filter(call -> isLed(call, hosts) && elements.isKnown(call.host()))
          .ifPresent(call -> calls.recall(call, now));
    }
    listed.allowed().stream()
        .flatMap(element -> CallMaps.allowance(element).stream())
        .forEach(calls::recall);
    calls.changes(); // of what stands: `everything` says them
  }

  /** What makes the maps hold all that is to stand, and nothing else. */
  Step everything(Listed listed) {
    Step step = new Step();
    Map<Bytes, SetElement> hosts = byKey(listed.hosts());
    Map<Bytes, SetElement> ids = byKey(listed.ids());
    Set<Call> right = new HashSet<>();
    for (Call call : calls.all()) {
      Optional<SetElement> id = Optional.ofNullable(ids.get(CallMaps.keyOfId(call)));
      if (isLed(call, hosts) && id.flatMap(CallMaps::call).filter(call::equals).isPresent()) {
        right.add(call);
      }
    }
    wrong(maps.hosts(), listed.hosts(), keys(right, CallMaps::key), step);
    wrong(maps.ids(), listed.ids(), keys(right, CallMaps::keyOfId), step);
    calls.all().stream()
        .filter(call -> !right.contains(call))
        .forEach(call -> step.change(elements.add(call)));
    Set<Bytes> wanted = new HashSet<>();
    calls.allowed().forEach(allowance -> wanted.add(CallMaps.key(allowance)));
    wrong(maps.allowed(), listed.allowed(), wanted, step);
    Map<Bytes, SetElement> allowed = byKey(listed.allowed());
    calls.allowed().stream()
        .filter(allowance -> !allowed.containsKey(CallMaps.key(allowance)))
        .forEach(allowance -> step.change(elements.add(allowance)));
    return step;
  }

  /**
   * Whether the kernel has every call that began before it was asked.
   *
   * @param hosts the elements that lead to them
   */
  boolean stand(List<SetElement> hosts) {
    Set<Bytes> listed = byKey(hosts).keySet();
    boolean all =
        before.stream()
            .filter(call -> calls.has(call.remote(), call.id()))
            .allMatch(call -> listed.contains(CallMaps.key(call)));
    before = List.copyOf(calls.all());
    return all;
  }

  private static boolean isLed(Call call, Map<Bytes, SetElement> hosts) {
    return Optional.ofNullable(hosts.get(CallMaps.key(call)))
        .filter(element -> CallMaps.leadsTo(element, call))
        .isPresent();
  }

  private static Set<Bytes> keys(Set<Call> all, Function<Call, Bytes> key) {
    return all.stream().map(key).collect(Collectors.toSet());
  }

  private static Map<Bytes, SetElement> byKey(List<SetElement> listed) {
    Map<Bytes, SetElement> all = new HashMap<>();
    listed.forEach(element -> all.put(element.key(), element));
    return all;
  }

  private static void wrong(NftSet set, List<SetElement> listed, Set<Bytes> right, Step step) {
    listed.stream()
        .filter(element -> !right.contains(element.key()))
        .forEach(element -> step.change(CallMaps.remove(set, element)));
  }

  /** What to do about a segment. */
  Step asked(Asked asked, Tcp tcp, long now) {
    Ip packet = asked.packet();
    Address host = asked.inbound() ? packet.destination() : packet.source();
    Address remote = asked.inbound() ? packet.source() : packet.destination();
    Step step = new Step();
    if (!elements.isKnown(host)) {
      step.rule(asked, Ruling.DROP);
      return step;
    }
    switch (calls.segment(new Segment(host, remote, !asked.inbound(), tcp), now)) {
      case io.gatehouse.pptp.Ruling.Drop drop -> step.rule(asked, Ruling.DROP);
      case io.gatehouse.pptp.Ruling.Pass(io.gatehouse.packet.Bytes data) -> {
        take(step);
        if (!data.equals(tcp.data())) {
          step.rule(asked, Segments.with(asked.raw(), data));
        } else if (!step.changes().isEmpty()) {
          step.rule(asked, asked.raw()); // as it is, but not before the maps hold what it agrees on
        } else {
          step.rule(asked, Ruling.ACCEPT);
        }
      }
    }
    take(step);
    return step;
  }

  private void take(Step step) {
    for (Change change : calls.changes()) {
      switch (change) {
        case Change.Begun(Call call) -> step.change(elements.add(call));
        case Change.Ended(Call call) -> step.change(elements.remove(call));
        case Change.Allowed(Allowance allowance) -> step.change(elements.add(allowance));
        case Change.Forbidden(Allowance allowance) -> step.change(elements.remove(allowance));
      }
    }
  }

  /** Forgets what is over; every second or so. */
  Step tick(long now) {
    Step step = new Step();
    calls.tick(now);
    take(step);
    return step;
  }

  /** Frees what a host has with a remote. */
  Step release(Address host, Address remote, long now) {
    Step step = new Step();
    calls.release(host, remote, now);
    take(step);
    return step;
  }

  CallStatus status() {
    return calls.status();
  }
}
