package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Restriction;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.TunnelClasses.TunnelClass;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The packets of one family as they arrive, as variables of an arena, and the sets of them that
 * questions are made of. A set is the number of a function in {@link #bdd()}.
 *
 * <p>Order of the variables: device, secpath, conntrack, protocol, ports, addresses, and what a
 * walk adds as it meets it. Addresses stand low because sets of them are large: there they are
 * shared by all that is asked above them.
 */
public final class HeaderSpace {

  /** What conntrack says about a packet. The numbers are those of the variables. */
  public enum Connection {
    /** The first packet. */
    NEW(0),
    ESTABLISHED(1),
    /** An ICMP error about a connection, or what a helper expects. */
    RELATED(2),
    /** Conntrack can make nothing of it. */
    INVALID(3);

    private final int number;

    Connection(int number) {
      this.number = number;
    }
  }

  /** Stands for every device that no rule and no route names. */
  public static final String ANOTHER_DEVICE = "(another device)";

  /** What a connection's earlier packets left there. */
  static final String CONNECTION_MARK = "the connection's mark";

  /** Of a field that forwarding changes, its name behind that. */
  static final String AT_EXIT = " when it leaves";

  private final Bdd bdd;
  private final Family family;
  private final List<String> devices;
  private final TunnelClasses classes;
  private final Map<Integer, Unknown> unknowns = new LinkedHashMap<>();
  private final Map<String, int[]> properties = new HashMap<>();

  /** What live maps hold, for each look into one, and which of these a variable belongs to. */
  private final List<HeldVerdict> held = new ArrayList<>();

  private final Map<Integer, HeldVerdict> spelling = new HashMap<>();

  /** Of the variables kept for that, those that nothing has taken yet. */
  private final Deque<Integer> kept = new ArrayDeque<>();

  /** By what is said of the maps; of those only that have been asked for until now. */
  private final Map<Map<String, Verdict>, Settlement> settlements = new HashMap<>();

  // A question is about the same few lists again and again, of ten thousands of prefixes some.
  private final Map<List<Prefix>, Integer> sources = new HashMap<>();
  private final Map<List<Prefix>, Integer> destinations = new HashMap<>();

  private int sane = FALSE;

  /** All variables of what is open, as a cube; FALSE where it is to be made anew. */
  private int everythingOpen = FALSE;

  final int[] iif;
  final int[] secpath;

  /**
   * Of a class of many tunnels, whether that one decrypted it whose far address its source is;
   * another of the class otherwise.
   */
  final int[] own;

  final int[] connection;
  final int[] reply;
  final int[] laterFragment;
  final int[] extensionHeader;
  final int[] protocol;
  final int[] destination;
  final int[] source;
  final int[] destinationPort;
  final int[] sourcePort;
  final int[] icmpType;
  final int[] icmpCode;
  final int[] mark;

  private final Addresses addresses;
  private final Optional<Pairing> pairing;

  /**
   * @param held how many variables are kept for what live maps hold
   */
  HeaderSpace(Bdd bdd, Addresses addresses, List<String> devices, TunnelClasses classes, int held) {
    this(bdd, addresses, devices, classes, held, Optional.empty());
  }

  /**
   * @param pairing where walks of several hosts share what is open
   */
  HeaderSpace(
      Bdd bdd,
      Addresses addresses,
      List<String> devices,
      TunnelClasses classes,
      int held,
      Optional<Pairing> pairing) {
    this.pairing = pairing;
    this.bdd = bdd;
    this.addresses = addresses;
    this.family = addresses.family();
    this.devices = List.copyOf(devices);
    this.classes = classes;
    // What is the same for most of all packets stands on top, where it costs a node each; then what
    // most rules ask for, in the order in which they narrow. Counted on gateways of 50 to 500
    // rules: half the work of the fields in the order of a header.
    mark = variables(32);
    laterFragment = variables(1);
    extensionHeader = variables(1);
    source = variables(addresses.width());
    secpath = variables(bitsFor(classes.count() + 2));
    iif = variables(bitsFor(devices.size()));
    own = variables(1);
    // Whose group a client is in is asked when its source is known, and decides about all below:
    // what one group may is a branch of its own, and taking that branch leaves the others alone.
    for (int i = 0; i < held; i++) {
      kept.add(bdd.newVariable());
    }
    destination = variables(addresses.width());
    connection = variables(2);
    reply = variables(1);
    protocol = variables(8);
    destinationPort = variables(16);
    sourcePort = variables(16);
    icmpType = variables(8);
    icmpCode = variables(8);
  }

  private static int bitsFor(int values) {
    return Math.max(1, 32 - Integer.numberOfLeadingZeros(values - 1));
  }

  private int[] variables(int count) {
    int[] bits = new int[count];
    for (int i = 0; i < count; i++) {
      bits[i] = bdd.variable(bdd.newVariable());
    }
    return bits;
  }

  /** The arena that the sets live in. */
  public Bdd bdd() {
    return bdd;
  }

  public Family family() {
    return family;
  }

  /** The devices that packets are told apart by. */
  public List<String> devices() {
    return devices;
  }

  /** The tunnels that a packet may have come through. */
  TunnelClasses classes() {
    return classes;
  }

  // ---- what is open
  // -------------------------------------------------------------------------------------------------------------------

  /** A variable for something that is open. */
  int open(Unknown unknown) {
    return open(unknown, 0);
  }

  private int open(Unknown unknown, int bit) {
    return opened(
        pairing.map(p -> p.variable(unknown, bit, bdd)).orElseGet(bdd::newVariable), unknown);
  }

  private int opened(int variable, Unknown unknown) {
    unknowns.put(variable, unknown);
    everythingOpen = FALSE;
    return bdd.variable(variable);
  }

  int[] open(int width, Unknown unknown) {
    int[] bits = new int[width];
    for (int i = 0; i < width; i++) {
      bits[i] = open(unknown, i);
    }
    return bits;
  }

  /** What live maps hold, as values of their variables and as a set. */
  private record Settlement(Restriction values, int circumstances) {}

  /**
   * What a live map with a contract holds for a key that may stand in it.
   *
   * @param verdicts each of which it may hold, all different
   * @return for each of them where it is held; elsewhere it holds nothing
   */
  List<Integer> held(String map, List<Verdict> verdicts, String place) {
    // Of several hosts each verdict has the same number on all of them.
    List<Verdict> all = pairing.map(p -> p.verdicts(map)).orElse(verdicts);
    Unknown unknown = new Unknown(Unknown.Kind.LIVE_MAP, "what @" + map + " holds", place);
    int[] bits = new int[HeldVerdict.width(all.size())];
    boolean fits = pairing.isEmpty() && kept.size() >= bits.length;
    for (int i = 0; i < bits.length; i++) {
      bits[i] = fits ? opened(kept.remove(), unknown) : open(unknown, i);
    }
    HeldVerdict one = new HeldVerdict(map, all, Arrays.stream(bits).map(bdd::top).toArray());
    held.add(one);
    for (int variable : one.variables()) {
      spelling.put(variable, one);
    }
    settlements.clear();
    return verdicts.stream()
        .map(verdict -> Field.member(bdd, bits, IntervalSet.of(one.number(verdict))))
        .toList();
  }

  /**
   * The set when every key that may stand in a live map leads to the one verdict that is said of
   * the map, or when the map is empty where nothing is said of it.
   */
  public int settled(int set, Map<String, Verdict> said) {
    return bdd.restrict(set, settlement(said).values());
  }

  private Settlement settlement(Map<String, Verdict> said) {
    return settlements.computeIfAbsent(
        Map.copyOf(said),
        all -> {
          BitSet known = new BitSet();
          spelling.keySet().forEach(known::set);
          BitSet holding = holding(all);
          int circumstances = TRUE;
          for (int v = known.length() - 1; v >= 0; v = known.previousSetBit(v - 1)) {
            circumstances =
                holding.get(v)
                    ? bdd.node(v, FALSE, circumstances)
                    : bdd.node(v, circumstances, FALSE);
          }
          return new Settlement(bdd.restriction(known, holding), circumstances);
        });
  }

  /** The same circumstances as a set: everything that happens in them. */
  public int circumstances(Map<String, Verdict> said) {
    return settlement(said).circumstances();
  }

  /** The live maps whose contents decide about a set. */
  public Set<String> mapsThatDecide(int set) {
    BitSet open = bdd.support(set);
    return spelling.entrySet().stream()
        .filter(one -> open.get(one.getKey()))
        .map(one -> one.getValue().map())
        .collect(Collectors.toSet());
  }

  private BitSet holding(Map<String, Verdict> said) {
    BitSet holding = new BitSet();
    held.forEach(one -> one.put(Optional.ofNullable(said.get(one.map())), holding));
    return holding;
  }

  /**
   * Where two contents of a field differ. Where one of them is open, so is the answer: comparing
   * two unknown addresses bit by bit takes more room than it is worth.
   */
  int differs(Field before, Field after, String place) {
    return opened(differing(before, after, bits -> true), place);
  }

  /** The same of addresses. */
  int addressesDiffer(Field before, Field after, String place) {
    return opened(differing(before, after, addresses::isOne), place);
  }

  /** Where addresses differ that two hosts give. */
  Differing addressesGiven(Field one, Field other) {
    return differing(one, other, addresses::isOne);
  }

  /** Where ports differ that two hosts give. */
  Differing portsGiven(Field one, Field other) {
    return differing(one, other, bits -> true);
  }

  /** Where two contents differ, and where neither is known. */
  record Differing(int surely, int undecided) {}

  private int opened(Differing differing, String place) {
    if (differing.undecided == FALSE) {
      return differing.surely;
    }
    Unknown unknown = new Unknown(Unknown.Kind.ENVIRONMENT, "whether NAT changed anything", place);
    return bdd.or(differing.surely, bdd.and(differing.undecided, open(unknown)));
  }

  private Differing differing(Field before, Field after, Predicate<int[]> isOne) {
    int differs = FALSE;
    int undecided = FALSE;
    for (Field.Case left : before.cases()) {
      for (Field.Case right : after.cases()) {
        int guard = bdd.and(left.guard(), right.guard());
        boolean known =
            (isConstant(left.bits()) && isOne.test(left.bits()))
                || (isConstant(right.bits()) && isOne.test(right.bits()))
                || (eachAddress() && isPlain(left.bits(), right.bits()));
        boolean same =
            Arrays.equals(left.bits(), right.bits()) && (known || !isConstant(left.bits()));
        if (guard == FALSE || same) {
          continue;
        }
        if (known) {
          for (int i = 0; i < left.bits().length && guard != FALSE; i++) {
            int differ = bdd.and(guard, bdd.xor(left.bits()[i], right.bits()[i]));
            differs = bdd.or(differs, differ);
            guard = bdd.difference(guard, differ);
          }
        } else {
          undecided = bdd.or(undecided, guard);
        }
      }
    }
    return new Differing(differs, undecided);
  }

  private static boolean isConstant(int[] bits) {
    return Arrays.stream(bits).allMatch(b -> b <= TRUE);
  }

  /** Whether an address is told by all of its bits, which are then a number. */
  private boolean eachAddress() {
    return addresses.width() == family.bits();
  }

  /** An address with the bits of a prefix in front. */
  Field moved(Field address, Prefix to) {
    return moved(address, () -> Field.bits(to));
  }

  /** An address with something in front, as many bits as that has. */
  Field moved(Field address, Supplier<int[]> front) {
    if (!eachAddress()) {
      addresses.needsBits(); // the question will be asked again
      return address;
    }
    return address.fronted(front.get());
  }

  /**
   * Whether each bit is the same in both, or a constant in one of them: then comparing is cheap.
   */
  private static boolean isPlain(int[] left, int[] right) {
    return IntStream.range(0, left.length)
        .allMatch(i -> left[i] == right[i] || left[i] <= TRUE || right[i] <= TRUE);
  }

  /**
   * A property of the packet that nothing on the way changes and that we do not model as a header:
   * the same each time it is asked for.
   */
  int[] property(String name, int width) {
    return properties.computeIfAbsent(name + "/" + width, n -> variables(width));
  }

  /**
   * What arrives with this number in a field that is asked for by nft's name of it, such as {@code
   * tcp flags} or {@code meta length}.
   */
  public int having(String field, long value) {
    int width =
        switch (field) {
          case "tcp flags", "meta pkttype" -> 8;
          case "meta iiftype", "tcp option maxseg size" -> 16;
          case "meta length" -> 32;
          default -> Names.width(field.split(" ", 2)[0], field.split(" ", 2)[1]);
        };
    if (width == 0) {
      throw new IllegalArgumentException("no such field: " + field);
    }
    return Field.member(bdd, property(field, width), IntervalSet.of(value));
  }

  /** The same of {@code ip ttl} and {@code ip6 hoplimit} as they are when the packet leaves. */
  public int leavingWith(String field, long value) {
    return Field.member(bdd, property(field + AT_EXIT, 8), IntervalSet.of(value));
  }

  /** What is open in a set: it is in the set, or is not, depending on these. */
  public List<Unknown> unknowns(int set) {
    return bdd.support(set).stream()
        .filter(unknowns::containsKey)
        .mapToObj(unknowns::get)
        .distinct()
        .toList();
  }

  /** Of what is open, what holds there. */
  List<String> chosen(BitSet place) {
    return unknowns.entrySet().stream()
        .filter(open -> place.get(open.getKey()))
        .flatMap(open ->
            words(open.getKey(), place).map(words -> words + " (" + open.getValue().place() + ")"))
        .distinct()
        .toList();
  }

  private Stream<String> words(int variable, BitSet place) {
    Optional<HeldVerdict> one = Optional.ofNullable(spelling.get(variable));
    return one.isPresent()
        ? one.get().at(place).map(v -> "@" + one.get().map() + " holds " + v).stream()
        : Optional.ofNullable(unknowns.get(variable)).map(Unknown::text).stream();
  }

  /**
   * Where nothing of what is open and chosen here holds: its switches are off, its numbers zero.
   */
  public int none(Predicate<? super Unknown> which) {
    BitSet variables = open(which);
    int all = TRUE;
    for (int v = variables.length() - 1; v >= 0; v = variables.previousSetBit(v - 1)) {
      all = bdd.node(v, all, FALSE);
    }
    return all;
  }

  private BitSet open(Predicate<? super Unknown> which) {
    BitSet variables = new BitSet();
    unknowns.forEach((variable, unknown) -> {
      if (which.test(unknown)) {
        variables.set(variable);
      }
    });
    return variables;
  }

  /** Whether several hosts are handed these packets. */
  boolean isOfSeveralHosts() {
    return pairing.isPresent();
  }

  /** What is not understood on one of several hosts and does not stand on all the others. */
  public List<Unknown> unpaired() {
    return pairing.map(Pairing::unpaired).orElse(List.of());
  }

  private int notUnderstood() {
    return bdd.cube(open(unknown -> unknown.kind() == Unknown.Kind.NOT_UNDERSTOOD));
  }

  /** What may be in the set: it is, for some meaning of what we do not understand. */
  public int upperBound(int set) {
    return bdd.exists(set, notUnderstood());
  }

  /** What is surely in the set, whatever that means which we do not understand. */
  public int lowerBound(int set) {
    return bdd.forAll(set, notUnderstood());
  }

  /**
   * The set without regard to anything that is open: the packets that may be in it in some
   * circumstances.
   */
  public int packets(int set) {
    if (everythingOpen == FALSE) {
      everythingOpen = bdd.cube(open(unknown -> true));
    }
    return bdd.exists(set, everythingOpen);
  }

  // ---- sets of packets as they arrive
  // -------------------------------------------------------------------------------------------------

  public int source(Collection<Prefix> prefixes) {
    return sources.computeIfAbsent(
        List.copyOf(prefixes), some -> Field.member(bdd, source, addresses.of(some)));
  }

  public int source(Prefix... prefixes) {
    return source(List.of(prefixes));
  }

  public int destination(Collection<Prefix> prefixes) {
    return destinations.computeIfAbsent(
        List.copyOf(prefixes), some -> Field.member(bdd, destination, addresses.of(some)));
  }

  public int destination(Prefix... prefixes) {
    return destination(List.of(prefixes));
  }

  /** Where a field holds an address of these. */
  int in(Field address, Prefix... prefixes) {
    return address.in(bdd, addresses.of(List.of(prefixes)));
  }

  /** The addresses as far as they are told apart. */
  Addresses addresses() {
    return addresses;
  }

  public int protocol(int number) {
    return Field.member(bdd, protocol, IntervalSet.of(number));
  }

  public int sourcePort(PortRange ports) {
    return Field.member(bdd, sourcePort, IntervalSet.of(ports.first(), ports.last()));
  }

  public int destinationPort(PortRange ports) {
    return Field.member(bdd, destinationPort, IntervalSet.of(ports.first(), ports.last()));
  }

  public int icmpType(int type) {
    return Field.member(bdd, icmpType, IntervalSet.of(type));
  }

  /** What comes in by the device; nothing where no such device is known. */
  public int arrivesOn(String device) {
    int index = devices.indexOf(device);
    return index < 0 ? Bdd.FALSE : Field.member(bdd, iif, IntervalSet.of(index));
  }

  /** What comes in by one of the devices that are wanted. */
  int cameBy(Predicate<String> wanted) {
    int all = Bdd.FALSE;
    for (String device : devices) {
      all = wanted.test(device) ? bdd.or(all, arrivesOn(device)) : all;
    }
    return all;
  }

  /** The number of a device in the fields that hold one; nothing where no such device is known. */
  IntervalSet device(String device) {
    int index = devices.indexOf(device);
    return index < 0 ? IntervalSet.EMPTY : IntervalSet.of(index);
  }

  /** What was not decrypted. */
  public int inClear() {
    return Field.member(bdd, secpath, IntervalSet.of(0));
  }

  /**
   * What the tunnel's SA may have decrypted: for some sources nobody knows which of many it was.
   */
  public int through(String tunnel) {
    int number = classes.number(tunnel);
    if (number == 0) {
      return FALSE;
    }
    TunnelClass of = classes.numbered(number);
    int through = Field.member(bdd, secpath, IntervalSet.of(number));
    if (!of.isMany()) {
      return through;
    }
    int theirs = Field.member(bdd, source, addresses.of(of.of(List.of(tunnel))));
    return bdd.and(through, bdd.ifThenElse(own[0], theirs, bdd.not(theirs)));
  }

  /**
   * What one of these tunnels decrypted: of tunnels that are told apart by their far addresses
   * alone, the one whose address the source is.
   */
  public int throughItsOwn(Collection<String> tunnels) {
    int all = FALSE;
    for (Map.Entry<Integer, List<String>> some : classes.byNumber(tunnels).entrySet()) {
      int through = Field.member(bdd, secpath, IntervalSet.of(some.getKey()));
      TunnelClass of = classes.numbered(some.getKey());
      if (of.isMany()) {
        through =
            bdd.and(
                through,
                bdd.and(own[0], Field.member(bdd, source, addresses.of(of.of(some.getValue())))));
      }
      all = bdd.or(all, through);
    }
    return all;
  }

  /** What one of many decrypted whose far address the source is not. */
  int throughAnotherOfItsClass() {
    int many = FALSE;
    for (int number = 1; number <= classes.count(); number++) {
      if (classes.numbered(number).isMany()) {
        many = bdd.or(many, Field.member(bdd, secpath, IntervalSet.of(number)));
      }
    }
    return bdd.difference(many, own[0]);
  }

  /**
   * What an SA in transport mode decrypted that belongs to none of the tunnels. Of such an SA the
   * mode is open as well, the same at each point of a packet's way.
   */
  public int throughAnotherInTransportMode() {
    int another = Field.member(bdd, secpath, IntervalSet.of(classes.count() + 1L));
    return bdd.and(another, property("another SA is in transport mode", 1)[0]);
  }

  /** What conntrack says this about. */
  public int is(Connection state) {
    return Field.member(bdd, connection, IntervalSet.of(state.number));
  }

  /** The first packet of a connection. */
  public int firstOfConnection() {
    return bdd.difference(is(Connection.NEW), reply[0]);
  }

  /** Packets whose transport header is where one looks for it. */
  public int whole() {
    return bdd.not(bdd.or(laterFragment[0], extensionHeader[0]));
  }

  /** A packet that conntrack can make nothing of. */
  public int invalid() {
    return is(Connection.INVALID);
  }

  /** Packets of connections that stand already. */
  public int established() {
    return is(Connection.ESTABLISHED);
  }

  /**
   * Packets that belong to a connection without being of it: ICMP errors, and what a helper
   * expects.
   */
  public int related() {
    return is(Connection.RELATED);
  }

  /** Packets against the direction of their connection's first one. */
  public int reply() {
    return reply[0];
  }

  /**
   * What is no first packet, and whose connection began with this source or towards it. Of packets
   * in the direction of the first one conntrack's word is their own, and this says nothing.
   */
  public int ofConnectionWith(Collection<Prefix> prefixes) {
    return bdd.or(original("saddr", prefixes), original("daddr", prefixes));
  }

  /** Answers and errors of connections that began with this source. */
  public int ofConnectionFrom(Collection<Prefix> prefixes) {
    return bdd.and(original("saddr", prefixes), bdd.or(reply[0], related()));
  }

  /** Answers and errors of connections that began towards this destination. */
  public int ofConnectionTo(Collection<Prefix> prefixes) {
    return bdd.and(original("daddr", prefixes), bdd.or(reply[0], related()));
  }

  /** What is no first packet, and whose connection has these bits of a mark. */
  public int ofConnectionMarked(long value, long mask) {
    Field of = Field.of(property(CONNECTION_MARK, 32));
    return of.combine(bdd, Field.constant(32, mask), bdd::and).in(bdd, IntervalSet.of(value));
  }

  private int original(String end, Collection<Prefix> prefixes) {
    int[] address = property("the connection's original " + end, addresses.width());
    return Field.member(bdd, address, addresses.of(prefixes));
  }

  /** Marks that have any of these bits. */
  public int markedWith(long bits) {
    Field masked = Field.of(mark).combine(bdd, Field.constant(32, bits), bdd::and);
    return bdd.not(masked.in(bdd, IntervalSet.of(0)));
  }

  /** Mark zero, as packets have it that nobody marked. */
  public int unmarked() {
    return Field.member(bdd, mark, IntervalSet.of(0));
  }

  /**
   * Whether the variables spell a packet that there can be: devices and tunnels that exist, replies
   * only of what stands.
   */
  int sane() {
    if (sane == FALSE) {
      sane = allSane();
    }
    return sane;
  }

  private int allSane() {
    int sane = Field.member(bdd, iif, IntervalSet.of(0, devices.size() - 1));
    sane = bdd.and(sane, Field.member(bdd, secpath, IntervalSet.of(0, classes.count() + 1L)));
    int byTheOwner = FALSE;
    for (int number = 1; number <= classes.count(); number++) {
      TunnelClass of = classes.numbered(number);
      if (of.isMany()) {
        int through = Field.member(bdd, secpath, IntervalSet.of(number));
        byTheOwner =
            bdd.or(byTheOwner, bdd.and(through, Field.member(bdd, source, addresses.of(of.all()))));
      }
    }
    sane = bdd.difference(sane, bdd.difference(own[0], byTheOwner));
    int first = bdd.or(is(Connection.NEW), is(Connection.INVALID));
    sane = bdd.difference(sane, bdd.and(first, reply[0]));
    return family == Family.V4 ? bdd.difference(sane, extensionHeader[0]) : sane;
  }

  // ---- one packet
  // ---------------------------------------------------------------------------------------------------------------------

  /**
   * A packet as it arrives.
   *
   * @param tunnel whose SA has just decrypted it
   * @param reply whether it goes against the direction of its connection's first packet
   */
  public record Packet(
      String device,
      Optional<String> tunnel,
      Connection connection,
      boolean reply,
      int protocol,
      Address source,
      Address destination,
      int sourcePort,
      int destinationPort,
      int icmpType,
      int icmpCode) {}

  /** The set of this one packet, unmarked. */
  public int only(Packet packet) {
    int set =
        bdd.and(arrivesOn(packet.device()), packet.tunnel().map(this::through).orElse(inClear()));
    set = bdd.and(set, bdd.and(is(packet.connection()), unmarked()));
    set = packet.reply() ? bdd.and(set, reply[0]) : bdd.difference(set, reply[0]);
    set = bdd.difference(set, bdd.or(laterFragment[0], extensionHeader[0]));
    set = bdd.and(set, protocol(packet.protocol()));
    set = bdd.and(set, source(Prefix.host(packet.source())));
    set = bdd.and(set, destination(Prefix.host(packet.destination())));
    set = bdd.and(set, Field.member(bdd, sourcePort, IntervalSet.of(packet.sourcePort())));
    set =
        bdd.and(set, Field.member(bdd, destinationPort, IntervalSet.of(packet.destinationPort())));
    set = bdd.and(set, Field.member(bdd, icmpType, IntervalSet.of(packet.icmpType())));
    set = bdd.and(set, Field.member(bdd, icmpCode, IntervalSet.of(packet.icmpCode())));
    return bdd.and(set, sane());
  }

  /**
   * One packet of the set, as plausible as the set allows; nothing where the set is empty.
   *
   * @param wishes sets that it should be in, the more important first
   */
  public Optional<Packet> witness(int set, int... wishes) {
    return choose(set, wishes).map(this::packet);
  }

  /** One packet and what was open, as the values of all variables. */
  Optional<BitSet> choose(int set, int... wishes) {
    int possible = bdd.and(set, sane());
    if (possible == Bdd.FALSE) {
      return Optional.empty();
    }
    int[] all = new int[wishes.length + 6];
    System.arraycopy(wishes, 0, all, 0, wishes.length);
    int at = wishes.length;
    all[at++] = bdd.not(bdd.or(laterFragment[0], extensionHeader[0]));
    all[at++] = firstOfConnection();
    all[at++] = protocol(17);
    all[at++] = protocol(6);
    all[at++] = Field.member(bdd, sourcePort, IntervalSet.of(32768, 60999));
    all[at] = Field.member(bdd, destinationPort, IntervalSet.of(1, 65535));
    return Optional.of(bdd.satisfyOne(possible, all));
  }

  Packet packet(BitSet place) {
    return new Packet(
        devices.get((int) number(iif, place)),
        decryptedBy(place),
        Connection.values()[(int) number(connection, place)],
        bdd.holds(reply[0], place),
        (int) number(protocol, place),
        address(source, place),
        address(destination, place),
        (int) number(sourcePort, place),
        (int) number(destinationPort, place),
        (int) number(icmpType, place),
        (int) number(icmpCode, place));
  }

  private Optional<String> decryptedBy(BitSet place) {
    int number = (int) number(secpath, place);
    if (number == 0 || number > classes.count()) {
      return Optional.empty();
    }
    TunnelClass of = classes.numbered(number);
    if (!of.isMany()) {
      return Optional.of(of.members().getFirst());
    }
    Optional<String> owner = of.owner(address(source, place));
    return bdd.holds(own[0], place)
        ? owner
        : of.members().stream().filter(name -> !owner.equals(Optional.of(name))).findFirst();
  }

  /** The number that functions spell at a place. */
  long number(int[] bits, BitSet place) {
    long number = 0;
    for (int bit : bits) {
      number = number << 1 | (bdd.holds(bit, place) ? 1 : 0);
    }
    return number;
  }

  Address address(int[] bits, BitSet place) {
    int split = Math.max(0, bits.length - 64);
    return addresses.at(
        number(Arrays.copyOfRange(bits, 0, split), place),
        number(Arrays.copyOfRange(bits, split, bits.length), place));
  }
}
