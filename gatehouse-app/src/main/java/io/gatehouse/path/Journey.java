package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.TunnelClasses.TunnelClass;
import io.gatehouse.ruleset.Rule;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What became of a set of packets: each hop with the packets that reached it and what decided about
 * which of them, and the ends. All sets are sets of packets as they arrived, so that a packet is
 * followed by asking each set whether it is in it.
 */
public final class Journey {

  /** What decides about packets. */
  public sealed interface Decider {
    /** A rule, by its place; {@code number} counts from 1 in its chain. */
    record ByRule(String family, String table, String chain, int number, Rule rule)
        implements Decider {
      @Override
      public String toString() {
        return family + " " + table + " " + chain + " rule " + number;
      }
    }

    /** A base chain's policy. */
    record ByChainPolicy(String family, String table, String chain) implements Decider {
      @Override
      public String toString() {
        return family + " " + table + " " + chain + " policy";
      }
    }

    /** An xfrm policy; in a {@link Decision} about many packets it may stand for those like it. */
    record ByXfrmPolicy(HostState.Policy policy) implements Decider {}

    /** The kernel itself; {@code reason} is its counter's name where it has one. */
    record ByKernel(String reason) implements Decider {
      @Override
      public String toString() {
        return reason;
      }
    }
  }

  /** What it decided. */
  public enum Effect {
    /** The rule's conditions held, and it goes on. */
    MATCHED,
    ACCEPTED,
    DROPPED,
    TRANSLATED,
    ROUTED
  }

  /**
   * A decision.
   *
   * @param packets about which it was taken
   */
  public record Decision(Decider by, Effect effect, int packets) {}

  /**
   * A point of the way.
   *
   * @param name such as {@code prerouting ip nat PREROUTING}, {@code route}, {@code xfrm out}
   * @param reached the packets that came here
   */
  public record Hop(String name, int reached, List<Decision> decisions) {
    public Hop {
      decisions = List.copyOf(decisions);
    }

    /** What it stopped. */
    public int dropped(Bdd bdd) {
      int all = Bdd.FALSE;
      for (Decision decision : decisions) {
        all = decision.effect == Effect.DROPPED ? bdd.or(all, decision.packets) : all;
      }
      return all;
    }
  }

  private record LookUp(State asked, List<SpdModel.Run> answering) {}

  private final HeaderSpace space;
  private final int started;
  private final List<Hop> hops = new ArrayList<>();
  private final Map<Integer, LookUp> lookUps = new HashMap<>();
  private int delivered = Bdd.FALSE;
  private int left = Bdd.FALSE;
  private State atHost;
  private State atExit;

  Journey(HeaderSpace space, int started, State state) {
    this.space = space;
    this.started = started;
    this.atHost = state;
    this.atExit = state;
  }

  void add(Hop hop) {
    hops.add(hop);
  }

  /**
   * Adds a look-up of policies.
   *
   * @param asked what was asked about
   * @param answering the policies that decided
   */
  void add(Hop hop, State asked, Collection<SpdModel.Run> answering) {
    lookUps.put(hops.size(), new LookUp(asked, List.copyOf(answering)));
    hops.add(hop);
  }

  void deliver(int packets, State state) {
    delivered = packets;
    atHost = state;
  }

  void leave(int packets, State state) {
    left = packets;
    atExit = state;
  }

  /** What set out; less than was asked for where no such packets can be. */
  public int started() {
    return started;
  }

  public List<Hop> hops() {
    return List.copyOf(hops);
  }

  /** What reached a socket or handler of this host. */
  public int delivered() {
    return delivered;
  }

  /** What left this host, in clear or protected. */
  public int left() {
    return left;
  }

  /** What left in clear: no SA was applied to it. */
  public int leftInClear() {
    return space.bdd().difference(left, atExit.bundled);
  }

  /** What left inside a tunnel's ESP or AH. */
  public int leftProtected() {
    return space.bdd().and(left, atExit.bundled);
  }

  /** What left inside this tunnel's ESP or AH. */
  public int leftThrough(String tunnel) {
    return leftThrough(List.of(tunnel));
  }

  /** What left inside the ESP or AH of one of these tunnels. */
  public int leftThrough(Collection<String> tunnels) {
    Bdd bdd = space.bdd();
    int all = Bdd.FALSE;
    for (Map.Entry<Integer, List<String>> some : space.classes().byNumber(tunnels).entrySet()) {
      int there = atExit.bundle.in(bdd, IntervalSet.of(some.getKey()));
      TunnelClass of = space.classes().numbered(some.getKey());
      if (of.isMany()) {
        there =
            bdd.and(
                there,
                atExit.bundleDestination.in(bdd, space.addresses().of(of.of(some.getValue()))));
      }
      all = bdd.or(all, bdd.and(leftProtected(), there));
    }
    return all;
  }

  /** What left by this device. */
  public int leftBy(String device) {
    int index = space.devices().indexOf(device);
    return index < 0
        ? Bdd.FALSE
        : space.bdd().and(left, atExit.oif.in(space.bdd(), IntervalSet.of(index)));
  }

  /**
   * How packets end on two hosts.
   *
   * @param otherwise with different addresses or ports
   * @param undecided with addresses that nothing says of either host
   */
  public record Endings(int otherwise, int undecided) {}

  /**
   * Compares the addresses and ports with which packets end here and on another host. Both journeys
   * are over the same packets ({@link PacketPath#together}). Which port NAT chooses where it has to
   * is left aside.
   *
   * @param leaves of those that leave; of those that the host itself gets otherwise
   */
  public Endings endings(Journey other, boolean leaves) {
    State here = leaves ? atExit : atHost;
    State there = leaves ? other.atExit : other.atHost;
    Bdd bdd = space.bdd();
    int both = leaves ? bdd.and(left, other.left) : bdd.and(delivered, other.delivered);
    HeaderSpace.Differing source = space.addressesGiven(here.source, there.source);
    HeaderSpace.Differing destination = space.addressesGiven(here.destination, there.destination);
    int ports =
        bdd.or(
            space.portsGiven(here.sourcePort, there.sourcePort).surely(),
            space.portsGiven(here.destinationPort, there.destinationPort).surely());
    int have = bdd.or(space.protocol(6), space.protocol(17));
    int otherwise = bdd.or(bdd.or(source.surely(), destination.surely()), bdd.and(have, ports));
    return new Endings(
        bdd.and(both, otherwise),
        bdd.and(both, bdd.or(source.undecided(), destination.undecided())));
  }

  /** What was stopped, anywhere. */
  public int dropped() {
    int all = Bdd.FALSE;
    for (Hop hop : hops) {
      all = space.bdd().or(all, hop.dropped(space.bdd()));
    }
    return all;
  }

  /** What left with a source in these. */
  public int leftWithSource(Collection<Prefix> prefixes) {
    return space.bdd().and(left, atExit.source.in(space.bdd(), space.addresses().of(prefixes)));
  }

  /** What left with a destination in these. */
  public int leftWithDestination(Collection<Prefix> prefixes) {
    return space
        .bdd()
        .and(left, atExit.destination.in(space.bdd(), space.addresses().of(prefixes)));
  }

  /** What left with a destination port in these. */
  public int leftWithDestinationPort(PortRange ports) {
    IntervalSet set = IntervalSet.of(ports.first(), ports.last());
    return space.bdd().and(left, atExit.destinationPort.in(space.bdd(), set));
  }

  /** What left after NAT gave it another source or destination. */
  public int leftTranslated() {
    return space.bdd().and(left, space.bdd().or(atExit.sourceChanged, atExit.destinationChanged));
  }

  /**
   * What arrived with a source in the one prefix and left with the same place in the other as its
   * source. Both have the same length.
   */
  public int leftWithSourceMoved(Prefix from, Prefix to) {
    return moved(from, to, space.source, atExit.source);
  }

  /** The same for destinations. */
  public int leftWithDestinationMoved(Prefix from, Prefix to) {
    return moved(from, to, space.destination, atExit.destination);
  }

  private int moved(Prefix from, Prefix to, int[] arrived, Field now) {
    Bdd bdd = space.bdd();
    Field then = Field.of(arrived);
    return bdd.and(bdd.and(left, space.in(then, from)), now.same(bdd, space.moved(then, to)));
  }

  /** What left after NAT gave it another source. */
  public int leftAsAnother() {
    return space.bdd().and(left, atExit.sourceChanged);
  }

  /**
   * What left by a device with exactly these addresses and ports; ports count only where the
   * protocol has them.
   */
  public int leftAs(
      String device, Address source, Address destination, int sourcePort, int destinationPort) {
    return space
        .bdd()
        .and(leftBy(device), as(atExit, source, destination, sourcePort, destinationPort));
  }

  /**
   * What this host got with exactly these addresses and ports; ports count only where the protocol
   * has them.
   */
  public int deliveredAs(Address source, Address destination, int sourcePort, int destinationPort) {
    return space.bdd().and(delivered, as(atHost, source, destination, sourcePort, destinationPort));
  }

  /** What left with this mark. */
  public int leftMarked(long mark) {
    return space.bdd().and(left, atExit.mark.in(space.bdd(), IntervalSet.of(mark)));
  }

  /** What left and has left these bits of a mark to its connection. */
  public int leftMarkingConnection(long value, long mask) {
    Bdd bdd = space.bdd();
    Field bits = atExit.connectionMark.combine(bdd, Field.constant(32, mask), bdd::and);
    return bdd.and(left, bits.in(bdd, IntervalSet.of(value)));
  }

  /** What this host got with this mark. */
  public int deliveredMarked(long mark) {
    return space.bdd().and(delivered, atHost.mark.in(space.bdd(), IntervalSet.of(mark)));
  }

  private int as(
      State state, Address source, Address destination, int sourcePort, int destinationPort) {
    Bdd bdd = space.bdd();
    int addresses =
        bdd.and(
            state.source.in(bdd, space.addresses().of(source)),
            state.destination.in(bdd, space.addresses().of(destination)));
    int ports =
        bdd.and(
            state.sourcePort.in(bdd, IntervalSet.of(sourcePort)),
            state.destinationPort.in(bdd, IntervalSet.of(destinationPort)));
    int without = bdd.not(bdd.or(space.protocol(6), space.protocol(17)));
    return bdd.and(addresses, bdd.or(ports, without));
  }

  /** What this host got with this destination, whichever it set out with. */
  public int deliveredTo(Address address, int port) {
    Bdd bdd = space.bdd();
    int there = atHost.destination.in(bdd, space.addresses().of(address));
    int here = bdd.and(there, atHost.destinationPort.in(bdd, IntervalSet.of(port)));
    return bdd.and(delivered, here);
  }

  /** When these leave or are delivered: a function of what is open, as in the next two. */
  public int ended(FirstPackets packets) {
    return space.bdd().or(packets.in(left), packets.in(delivered));
  }

  /** When these leave or are delivered with this source address. */
  public int endedWithSource(FirstPackets packets, Address address) {
    return space
        .bdd()
        .or(
            packets.holding(packets.in(left), atExit.source, address),
            packets.holding(packets.in(delivered), atHost.source, address));
  }

  /** When these leave or are delivered with this destination; no port stands for any. */
  public int endedWithDestination(FirstPackets packets, Address address, OptionalInt port) {
    int out = packets.holding(packets.in(left), atExit.destination, address);
    int in = packets.holding(packets.in(delivered), atHost.destination, address);
    if (port.isPresent()) {
      out = packets.holding(out, atExit.destinationPort, port.getAsInt());
      in = packets.holding(in, atHost.destinationPort, port.getAsInt());
    }
    return space.bdd().or(out, in);
  }

  /**
   * A packet as it left, or as this host got it.
   *
   * @param device nothing for this host
   * @param tunnel that protects it
   */
  public record Outcome(
      Optional<String> device,
      Optional<String> tunnel,
      Address source,
      Address destination,
      int sourcePort,
      int destinationPort,
      long mark) {}

  /** A decision about one packet. */
  public record Step(String hop, Decider by, Effect effect) {}

  /**
   * One packet's way.
   *
   * @param steps every decision about it, in order
   * @param open what the packet does not decide, and was chosen
   * @param outcome nothing where it was dropped
   */
  public record Trace(
      HeaderSpace.Packet packet, List<Step> steps, List<String> open, Optional<Outcome> outcome) {
    public Trace {
      steps = List.copyOf(steps);
      open = List.copyOf(open);
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(packet.toString());
      steps.forEach(step ->
          text.append("\n  ")
              .append(step.hop())
              .append(": ")
              .append(step.by())
              .append(' ')
              .append(step.effect()));
      return text.append("\n  ").append(outcome.map(Object::toString).orElse("dropped")).toString();
    }
  }

  /**
   * The way of one packet of the set, as plausible as the set allows; nothing where it is empty.
   *
   * @param wishes sets that it should be in, the more important first
   */
  public Optional<Trace> trace(int packets, int... wishes) {
    return space.choose(space.bdd().and(packets, started), wishes).map(this::trace);
  }

  /** The ways of one packet on two hosts. */
  public record Both(Trace first, Trace second) {}

  /**
   * The ways of one packet of the set on two hosts, in the same circumstances; nothing where the
   * set is empty. Both journeys are over the same packets ({@link PacketPath#together}).
   *
   * @param wishes sets that it should be in, the more important first
   */
  public static Optional<Both> trace(Journey one, Journey other, int packets, int... wishes) {
    return one.space
        .choose(packets, wishes)
        .map(place -> new Both(one.trace(place), other.trace(place)));
  }

  /** The packets about which this was decided at that hop. */
  public int decided(Step step) {
    int all = Bdd.FALSE;
    for (Hop hop : hops) {
      if (hop.name().equals(step.hop())) {
        for (Decision decision : hop.decisions()) {
          if (decision.effect() == step.effect() && decision.by().equals(step.by())) {
            all = space.bdd().or(all, decision.packets());
          }
        }
      }
    }
    return all;
  }

  private Trace trace(BitSet place) {
    Bdd bdd = space.bdd();
    List<Step> steps = new ArrayList<>();
    for (int at = 0; at < hops.size(); at++) {
      Optional<LookUp> lookUp = Optional.ofNullable(lookUps.get(at));
      for (Decision decision : hops.get(at).decisions()) {
        if (bdd.holds(decision.packets(), place)) {
          Decider by = lookUp.map(l -> decider(decision.by(), l, place)).orElse(decision.by());
          steps.add(new Step(hops.get(at).name(), by, decision.effect()));
        }
      }
    }
    Optional<Outcome> outcome =
        bdd.holds(left, place)
            ? Optional.of(outcome(place, true))
            : bdd.holds(delivered, place) ? Optional.of(outcome(place, false)) : Optional.empty();
    return new Trace(space.packet(place), steps, space.chosen(place), outcome);
  }

  /** Of policies that are alike, the one that the packet meets. */
  private Decider decider(Decider by, LookUp lookUp, BitSet place) {
    Bdd bdd = space.bdd();
    Address source = space.address(lookUp.asked().source.functions(bdd), place);
    Address destination = space.address(lookUp.asked().destination.functions(bdd), place);
    return lookUp.answering().stream()
        .filter(run -> run.isMany() && run.decider().equals(by))
        .flatMap(run -> run.policies().stream())
        .filter(p -> p.source().contains(source) && p.destination().contains(destination))
        .<Decider>map(Decider.ByXfrmPolicy::new)
        .findFirst()
        .orElse(by);
  }

  /**
   * What became of one packet: it left or was delivered as the outcome says, or it was dropped, and
   * then there is nothing. Where the packet alone does not decide, some circumstances are chosen.
   */
  public Optional<Outcome> outcome(int packet) {
    Bdd bdd = space.bdd();
    int out = bdd.and(packet, left);
    int in = bdd.and(packet, delivered);
    if (out == Bdd.FALSE && in == Bdd.FALSE) {
      return Optional.empty();
    }
    boolean leaves = out != Bdd.FALSE;
    return Optional.of(outcome(bdd.satisfyOne(leaves ? out : in), leaves));
  }

  private Outcome outcome(BitSet place, boolean leaves) {
    Bdd bdd = space.bdd();
    State end = leaves ? atExit : atHost;
    boolean isProtected = leaves && bdd.holds(end.bundled, place);
    return new Outcome(
        leaves
            ? Optional.of(space.devices().get((int) space.number(end.oif.functions(bdd), place)))
            : Optional.empty(),
        isProtected ? protectedBy(end, place) : Optional.empty(),
        space.address(end.source.functions(bdd), place),
        space.address(end.destination.functions(bdd), place),
        (int) space.number(end.sourcePort.functions(bdd), place),
        (int) space.number(end.destinationPort.functions(bdd), place),
        space.number(end.mark.functions(bdd), place));
  }

  private Optional<String> protectedBy(State end, BitSet place) {
    Bdd bdd = space.bdd();
    int number = (int) space.number(end.bundle.functions(bdd), place);
    if (number == 0) {
      return Optional.empty();
    }
    TunnelClass of = space.classes().numbered(number);
    return of.isMany()
        ? of.owner(space.address(end.bundleDestination.functions(bdd), place))
        : Optional.of(of.members().getFirst());
  }
}
