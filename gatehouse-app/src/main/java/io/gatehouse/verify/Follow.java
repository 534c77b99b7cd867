package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.path.Journey.Trace;
import io.gatehouse.path.PacketPath;
import io.gatehouse.path.Unknown;
import io.gatehouse.ruleset.Ruleset;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Follows one packet, and its answer, through a gateway: the walk of the proofs, with a set of one
 * packet.
 */
public final class Follow {
  private static final int NODES = 2_000_000;

  private final Hosts hosts;

  /** The host that a packet meets. */
  private interface Hosts {
    /**
     * @param through the tunnel that brought it
     * @param others the state of the other tunnels; nothing where they are as they are
     */
    HostState meeting(Optional<String> through, Optional<SpdState> others);
  }

  private Follow(Hosts hosts) {
    this.hosts = hosts;
  }

  /** On the host that a description makes; its tunnels are up unless somebody says otherwise. */
  public static Follow described(Gateway gateway, Ruleset ruleset) {
    return new Follow((through, others) ->
        DescribedHost.of(
            gateway,
            ruleset,
            tunnel ->
                through.filter(tunnel.name()::equals).isPresent()
                    ? EnumSet.of(SpdState.UP)
                    : Set.of(others.orElse(SpdState.UP))));
  }

  /** On a host as it stands. */
  public static Follow standing(HostState host) {
    return new Follow((through, others) ->
        host.withTunnels(tunnel ->
            through.filter(tunnel.name()::equals).isPresent()
                ? Set.of(SpdState.UP)
                : others.<Set<SpdState>>map(Set::of).orElse(tunnel.states())));
  }

  /**
   * What becomes of a packet.
   *
   * @param arrives one way on which it leaves or reaches this host, where there is one
   * @param stops one way on which it does not, where there is one
   * @param open what that depends on, where it does both
   */
  public record Ends(Optional<Trace> arrives, Optional<Trace> stops, List<Unknown> open) {
    public Ends {
      open = List.copyOf(open);
    }

    /** Whether it arrives whatever is open. */
    public boolean surely() {
      return arrives.isPresent() && stops.isEmpty();
    }
  }

  /**
   * Follows a packet. Empty where it took more room than there is.
   *
   * @param made whether this host makes it
   * @param tunnels the state of all tunnels but the one that brought it; nothing where they are as
   *     they are
   */
  public Optional<Ends> packet(Packet packet, boolean made, Optional<SpdState> tunnels) {
    return ask(
        packet,
        tunnels,
        path -> {
          Journey journey = journey(path, packet, made);
          return ends(path.space(), journey, Bdd.TRUE);
        });
  }

  /**
   * Follows the answer to a packet that arrived, with the tunnels as they are: it arrives where it
   * gets back to where the packet came from. Empty where it took more room than there is.
   */
  public Optional<Ends> answer(Packet packet, boolean made, Outcome arrived) {
    boolean here = arrived.device().isEmpty();
    Packet answer = answer(packet, arrived);
    return ask(
        answer,
        Optional.empty(),
        path -> {
          Journey journey = journey(path, answer, here);
          int home = made ? journey.delivered() : home(path, journey, packet);
          return ends(path.space(), journey, home);
        });
  }

  /** The answer as it arrives: its ends swapped, as the other side sees them. */
  static Packet answer(Packet packet, Outcome arrived) {
    boolean echo = packet.icmpType() == 8 || packet.icmpType() == 128;
    return new Packet(
        arrived.device().orElse("lo"),
        arrived.tunnel(),
        Connection.ESTABLISHED,
        !packet.reply(),
        packet.protocol(),
        /* source= */ arrived.destination(),
        /* destination= */ arrived.source(),
        /* sourcePort= */ arrived.destinationPort(),
        /* destinationPort= */ arrived.sourcePort(),
        isIcmp(packet.protocol()) && echo ? (packet.icmpType() == 8 ? 0 : 129) : packet.icmpType(),
        packet.icmpCode());
  }

  private static boolean isIcmp(int protocol) {
    return protocol == Protocol.ICMP.number() || protocol == Protocol.ICMPV6.number();
  }

  /** What leaves the way that the packet came, with its ends swapped. */
  private static int home(PacketPath path, Journey journey, Packet packet) {
    Bdd bdd = path.space().bdd();
    int home = Bdd.FALSE;
    for (String device : path.space().devices()) {
      if (packet.tunnel().isPresent() || device.equals(packet.device())) {
        home =
            bdd.or(
                home,
                journey.leftAs(
                    device,
                    /* source= */ packet.destination(),
                    /* destination= */ packet.source(),
                    /* sourcePort= */ packet.destinationPort(),
                    /* destinationPort= */ packet.sourcePort()));
      }
    }
    int means = packet.tunnel().map(journey::leftThrough).orElseGet(journey::leftInClear);
    return bdd.and(home, means);
  }

  private Optional<Ends> ask(
      Packet packet,
      Optional<SpdState> tunnels,
      java.util.function.Function<? super PacketPath, Ends> question) {
    HostState host = hosts.meeting(packet.tunnel(), tunnels);
    List<Prefix> about = List.of(Prefix.host(packet.source()), Prefix.host(packet.destination()));
    return switch (PacketPath.ask(host, packet.source().family(), NODES, about, question)) {
      case Bounded.Answer<Ends> answer -> Optional.of(answer.value());
      case Bounded.GaveUp<Ends> gaveUp -> Optional.empty();
    };
  }

  private static Journey journey(PacketPath path, Packet packet, boolean made) {
    int set = path.space().only(packet);
    return made ? path.sent(set) : path.received(set);
  }

  private static Ends ends(HeaderSpace space, Journey journey, int wanted) {
    Bdd bdd = space.bdd();
    int arrives = bdd.and(bdd.or(journey.left(), journey.delivered()), wanted);
    int stops = bdd.difference(journey.started(), arrives);
    return new Ends(
        journey.trace(arrives),
        journey.trace(stops),
        arrives == Bdd.FALSE || stops == Bdd.FALSE ? List.of() : space.unknowns(arrives));
  }
}
