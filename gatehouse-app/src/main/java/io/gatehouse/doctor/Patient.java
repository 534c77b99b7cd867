package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import io.gatehouse.snapshot.Collected;
import io.gatehouse.snapshot.Remark;
import io.gatehouse.snapshot.SeenHost;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A gateway under examination: its state in the words of the model, and what the model has no words
 * for.
 *
 * @param links what tunnels protect on the way out
 */
record Patient(
    Collected collected,
    Optional<Collected> earlier,
    HostState host,
    List<Remark> remarks,
    List<Link> links,
    Ways ways,
    List<Sa> associations) {
  /**
   * Behind all that charon gives, so that a client that is connected keeps its own, and in front of
   * any backstop.
   */
  private static final long SUPPOSED_PRIORITY = 400_001;

  static Patient of(Collected collected, Optional<Collected> earlier, List<Supposed> supposed) {
    SeenHost seen = SeenHost.of(collected).withOwnText(Optional.empty());
    Map<String, String> texts = collected.texts();
    HostState asked = supposing(seen.host(), supposed);
    HostState host = supposing(asked, configured(texts.getOrDefault("swanctl.conf", ""), asked));
    Ways ways = Ways.of(texts, host);
    List<Link> links = new ArrayList<>();
    for (Policy policy : host.policies()) {
      if (policy.direction() == Direction.OUT && policy.action() == PolicyAction.PROTECT) {
        policy
            .tunnel()
            .flatMap(name -> tunnel(host, name))
            .ifPresent(tunnel -> links.add(link(tunnel, policy, ways, host)));
      }
    }
    return new Patient(
        collected,
        earlier,
        host,
        seen.remarks(),
        List.copyOf(links),
        ways,
        Sa.all(texts.getOrDefault("xfrm-state.txt", "")));
  }

  private static Link link(Tunnel tunnel, Policy policy, Ways ways, HostState host) {
    Optional<String> own =
        tunnel
            .local()
            .flatMap(local ->
                host.devices().stream()
                    .filter(d -> d.addresses().stream().anyMatch(a -> a.address().equals(local)))
                    .map(HostState.Device::name)
                    .findFirst());
    Optional<String> device =
        tunnel.remote().flatMap(ways::to).flatMap(Ways.Way::device).or(() -> own);
    return new Link(
        tunnel.name(),
        policy.source(),
        policy.destination(),
        policy,
        tunnel.local(),
        tunnel.remote(),
        device);
  }

  /**
   * What charon would lay for tunnels that are not up now; its far sides without those that are.
   */
  private static List<Supposed> configured(String text, HostState host) {
    return Swanctl.read(text).tunnels().stream()
        .filter(one ->
            host.policies().stream()
                .noneMatch(p ->
                    p.direction() == Direction.OUT
                        && p.action() == PolicyAction.PROTECT
                        && p.destination().equals(one.far())))
        .toList();
  }

  private static HostState supposing(HostState host, List<Supposed> supposed) {
    if (supposed.isEmpty()) {
      return host;
    }
    List<Policy> policies = new ArrayList<>(host.policies());
    List<Tunnel> tunnels = new ArrayList<>(host.tunnels());
    for (Supposed one : supposed) {
      tunnels.add(
          new Tunnel(
              one.name(),
              Set.of(SpdState.UP),
              true,
              OptionalInt.empty(),
              false,
              one.local(),
              one.remote(),
              OptionalInt.empty()));
      for (Direction direction : Direction.values()) {
        boolean out = direction == Direction.OUT;
        policies.add(
            Policy.protecting(
                one.name(),
                direction,
                out ? one.near() : one.far(),
                out ? one.far() : one.near(),
                SUPPOSED_PRIORITY,
                one.origin()));
      }
    }
    return new HostState(
        host.tables(),
        host.devices(),
        host.rules(),
        host.routes(),
        policies,
        tunnels,
        host.blockedByDefault(),
        host.sysctls());
  }

  private static Optional<Tunnel> tunnel(HostState host, String name) {
    return host.tunnels().stream().filter(t -> t.name().equals(name)).findFirst();
  }

  boolean has(String file) {
    return collected.texts().containsKey(file);
  }

  String text(String file) {
    return collected.texts().getOrDefault(file, "");
  }

  /** Whether the address is this host's. */
  boolean isOwn(Address address) {
    return host.addresses(address.family()).contains(address);
  }

  /** Whether nothing but this host is behind the prefix. */
  boolean isOwn(Prefix prefix) {
    return prefix.length() == prefix.family().bits() && isOwn(prefix.first());
  }

  /** The tunnels of a family that protect something for others than this host. */
  List<Link> forwarding(Family family) {
    return links.stream().filter(l -> l.family() == family && !isOwn(l.near())).toList();
  }

  Optional<Table> table(String family, String name) {
    return host.tables().stream()
        .filter(t -> t.family().equals(family) && t.name().equals(name))
        .findFirst();
  }

  /** Whether Gatehouse has its rules there. */
  boolean isOurs() {
    return table("inet", "gatehouse").isPresent();
  }

  /** A setting by its key with slashes. */
  Optional<String> setting(String key) {
    return Optional.ofNullable(host.sysctls().get(key));
  }

  /** Whether a setting stands, for all devices or for this one. */
  boolean isSet(Family family, String device, String name, boolean otherwise) {
    String base = "net/" + (family == Family.V4 ? "ipv4" : "ipv6") + "/conf/";
    boolean all = setting(base + "all/" + name).map(v -> !v.equals("0")).orElse(otherwise);
    boolean own = setting(base + device + "/" + name).map(v -> !v.equals("0")).orElse(otherwise);
    return all || own;
  }
}
