package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads {@code ip xfrm policy} and {@code ip xfrm state}, which have no JSON: an entry's selector
 * on a line, then indented lines about it. Policies of the same templates make a tunnel.
 *
 * <p>What cannot be said of a policy's selector is decided to the side on which no leak hides: a
 * policy that protects or blocks is then left out, one that lets pass in clear is taken as wider.
 */
final class XfrmText {
  private static final Set<String> ALGORITHMS = Set.of("aead", "auth", "auth-trunc", "enc", "comp");

  private final String file;
  private final List<Policy> policies = new ArrayList<>();
  private final Map<String, Template> templates = new LinkedHashMap<>();
  private final List<Remark> remarks = new ArrayList<>();

  /** What a policy asks an SA for. */
  private record Template(
      String name,
      boolean tunnelMode,
      OptionalInt reqid,
      Optional<Address> local,
      Optional<Address> remote,
      OptionalInt protocol) {}

  /** An SA, as far as policies find it. */
  private record Association(String name, boolean setsMark) {}

  /**
   * What stands in the kernel.
   *
   * @param tunnels up where an SA stands, waiting for one where not; in any state where the SAs are
   *     not known
   */
  record Spd(List<Policy> policies, List<Tunnel> tunnels, List<Remark> remarks) {}

  private XfrmText(String file) {
    this.file = file;
  }

  /**
   * @param states the listing of SAs, where there is one
   */
  static Spd read(String file, String policies, Optional<String> states) {
    XfrmText reader = new XfrmText(file);
    int line = 1;
    for (List<String> entry : entries(policies)) {
      reader.policy(entry, line);
      line += entry.size();
    }
    Optional<List<Association>> associations = states.map(XfrmText::associations);
    List<Tunnel> tunnels =
        reader.templates.values().stream().map(t -> tunnel(t, associations)).toList();
    return new Spd(List.copyOf(reader.policies), tunnels, List.copyOf(reader.remarks));
  }

  private static Tunnel tunnel(Template template, Optional<List<Association>> associations) {
    Set<SpdState> states =
        associations
            .<Set<SpdState>>map(all ->
                all.stream().anyMatch(a -> a.name.equals(template.name))
                    ? EnumSet.of(SpdState.UP)
                    : EnumSet.of(SpdState.NO_SA))
            .orElse(EnumSet.allOf(SpdState.class));
    boolean marks =
        associations
            .map(all -> all.stream().anyMatch(a -> a.name.equals(template.name) && a.setsMark))
            .orElse(true);
    return new Tunnel(
        template.name,
        states,
        template.tunnelMode,
        template.reqid,
        marks,
        template.local,
        template.remote,
        template.protocol);
  }

  /** Lines of one entry each; lines before the first are an entry of their own. */
  private static List<List<String>> entries(String text) {
    List<List<String>> entries = new ArrayList<>();
    text.lines()
        .forEach(line -> {
          boolean begins = !line.isEmpty() && !Character.isWhitespace(line.charAt(0));
          if (begins || entries.isEmpty()) {
            entries.add(new ArrayList<>());
          }
          entries.getLast().add(line);
        });
    return entries;
  }

  private static List<String> words(String line) {
    return Stream.of(line.strip().split("\\s+", -1)).toList();
  }

  private static Optional<String> after(List<String> words, String word) {
    int at = words.indexOf(word);
    return at >= 0 && at + 1 < words.size() ? Optional.of(words.get(at + 1)) : Optional.empty();
  }

  private static Optional<Long> number(String text) {
    return IptablesMatch.number(text, 0xffffffffL);
  }

  // ---- policies
  // -----------------------------------------------------------------------------------------------------------------------

  private void policy(List<String> entry, int line) {
    Origin where = new Origin(file, line, 1, Opaque.brief(entry.getFirst()));
    List<String> selector = words(entry.getFirst());
    List<String> body = new ArrayList<>();
    List<List<String>> asked = new ArrayList<>();
    Optional<List<String>> template = Optional.empty();
    for (String more : entry.subList(1, entry.size())) {
      List<String> words = words(more);
      if (words.getFirst().equals("tmpl")) {
        List<String> next = new ArrayList<>(words);
        asked.add(next);
        template = Optional.of(next);
      } else if (template.isPresent()) {
        template.get().addAll(words);
      } else {
        body.addAll(words);
      }
    }
    if (entry.stream().allMatch(String::isBlank)) {
      return;
    }
    if (body.contains("socket")) {
      // An IKE daemon's own, for its sockets only.
      return;
    }
    Optional<Direction> direction =
        after(body, "dir")
            .flatMap(dir ->
                Stream.of(Direction.values())
                    .filter(d -> d.name().toLowerCase(Locale.ROOT).equals(dir))
                    .findFirst());
    Optional<Prefix> source = after(selector, "src").flatMap(IptablesRule::prefix);
    Optional<Prefix> destination = after(selector, "dst").flatMap(IptablesRule::prefix);
    if (direction.isEmpty()
        || source.isEmpty()
        || destination.isEmpty()
        || source.get().family() != destination.get().family()) {
      remarks.add(Remark.unreadable(file, line, 1, "no policy: " + entry.getFirst()));
      return;
    }
    boolean blocks = body.contains("block");
    // Only what has to be there protects; a template of `level use` lets pass in clear.
    List<Template> needed =
        asked.stream()
            .filter(t -> !t.contains("use"))
            .map(t -> template(t, direction.get(), asked.size() == 1))
            .toList();
    PolicyAction action =
        blocks ? PolicyAction.BLOCK : needed.isEmpty() ? PolicyAction.BYPASS : PolicyAction.PROTECT;
    if (!asked.isEmpty() && needed.isEmpty()) {
      remarks.add(
          Remark.notUnderstood(where, "templates of level use only: taken as passing in clear"));
    }
    Narrowing narrowing = narrowing(selector, body);
    if (!narrowing.whole) {
      boolean wider = action == PolicyAction.BYPASS;
      remarks.add(
          Remark.notUnderstood(
              where, wider ? "taken as wider than it is" : "left out, as if nothing stood there"));
      if (!wider) {
        return;
      }
    }
    Optional<Template> tunnel = needed.stream().reduce((first, last) -> last);
    if (action == PolicyAction.PROTECT) {
      tunnel.ifPresent(t -> templates.putIfAbsent(t.name, t));
    }
    policies.add(
        new Policy(
            direction.get(),
            source.get(),
            destination.get(),
            narrowing.protocol,
            narrowing.sourcePorts,
            narrowing.destinationPorts,
            after(body, "priority").flatMap(XfrmText::number).orElse(0L),
            narrowing.mark,
            narrowing.interfaceId,
            action,
            action == PolicyAction.PROTECT ? tunnel.map(Template::name) : Optional.empty(),
            where));
  }

  /**
   * What a selector says beyond addresses.
   *
   * @param whole whether this is all
   */
  private record Narrowing(
      OptionalInt protocol,
      Optional<PortRange> sourcePorts,
      Optional<PortRange> destinationPorts,
      Optional<Routing.Mark> mark,
      long interfaceId,
      boolean whole) {}

  private static Narrowing narrowing(List<String> selector, List<String> body) {
    Optional<String> name = after(selector, "proto");
    OptionalInt protocol = name.map(XfrmText::protocol).orElse(OptionalInt.empty());
    Optional<PortRange> source = ports(selector, "sport");
    Optional<PortRange> destination = ports(selector, "dport");
    Optional<Routing.Mark> mark = after(body, "mark").flatMap(XfrmText::mark);
    Optional<Long> interfaceId = after(body, "if_id").flatMap(XfrmText::number);
    boolean whole =
        Set.of("src", "dst", "proto", "sport", "dport").containsAll(keys(selector))
            && name.isPresent() == protocol.isPresent()
            && selector.contains("sport") == source.isPresent()
            && selector.contains("dport") == destination.isPresent()
            && body.contains("mark") == mark.isPresent()
            && body.contains("if_id") == interfaceId.isPresent();
    return new Narrowing(protocol, source, destination, mark, interfaceId.orElse(0L), whole);
  }

  /** Every other word. */
  private static Set<String> keys(List<String> selector) {
    Set<String> keys = new java.util.HashSet<>();
    for (int i = 0; i < selector.size(); i += 2) {
      keys.add(selector.get(i));
    }
    return keys;
  }

  private static OptionalInt protocol(String name) {
    return switch (name) {
      case "icmp" -> OptionalInt.of(1);
      case "ipencap" -> OptionalInt.of(4);
      case "tcp" -> OptionalInt.of(6);
      case "udp" -> OptionalInt.of(17);
      case "ipv6" -> OptionalInt.of(41);
      case "gre" -> OptionalInt.of(47);
      case "esp" -> OptionalInt.of(50);
      case "ah" -> OptionalInt.of(51);
      case "ipv6-icmp" -> OptionalInt.of(58);
      case "l2tp" -> OptionalInt.of(115);
      case "sctp" -> OptionalInt.of(132);
      default ->
          IptablesMatch.number(name, 255)
              .map(n -> OptionalInt.of(n.intValue()))
              .orElse(OptionalInt.empty());
    };
  }

  private static Optional<PortRange> ports(List<String> selector, String key) {
    return after(selector, key)
        .flatMap(text -> IptablesMatch.number(text, 0xffff))
        .map(port -> PortRange.of(port.intValue()));
  }

  /** {@code 0x1/0xffffffff}. */
  private static Optional<Routing.Mark> mark(String text) {
    String[] parts = text.split("/", -1);
    Optional<Long> mask = parts.length == 2 ? number(parts[1]) : Optional.of(0xffffffffL);
    return parts.length > 2
        ? Optional.empty()
        : number(parts[0]).flatMap(value -> mask.map(m -> new Routing.Mark(value, m)));
  }

  /**
   * @param alone whether the policy asks for no other SA besides
   */
  private static Template template(List<String> words, Direction direction, boolean alone) {
    OptionalInt reqid = reqid(words);
    Optional<Address> source = end(words, "src").filter(a -> alone);
    Optional<Address> destination = end(words, "dst").filter(a -> alone);
    boolean out = direction == Direction.OUT;
    return new Template(
        name(words, reqid),
        after(words, "mode").filter("transport"::equals).isEmpty(),
        reqid,
        out ? source : destination,
        out ? destination : source,
        alone
            ? after(words, "proto").map(XfrmText::protocol).orElse(OptionalInt.empty())
            : OptionalInt.empty());
  }

  /** Any address where it is all zeroes. */
  private static Optional<Address> end(List<String> words, String key) {
    return after(words, key)
        .flatMap(Address::parse)
        .filter(address -> address.high() != 0 || address.low() != 0);
  }

  private static OptionalInt reqid(List<String> words) {
    return after(words, "reqid")
        .map(text -> text.replaceFirst("\\(.*", ""))
        .flatMap(text -> IptablesMatch.number(text, Integer.MAX_VALUE))
        .filter(n -> n > 0)
        .map(n -> OptionalInt.of(n.intValue()))
        .orElse(OptionalInt.empty());
  }

  /** Both directions of a tunnel share its reqid, and without one the two ends. */
  private static String name(List<String> words, OptionalInt reqid) {
    if (reqid.isPresent()) {
      return "reqid " + reqid.getAsInt();
    }
    String one = after(words, "src").orElse("any");
    String other = after(words, "dst").orElse("any");
    return one.compareTo(other) < 0 ? one + " and " + other : other + " and " + one;
  }

  // ---- SAs
  // ----------------------------------------------------------------------------------------------------------------------------

  private static List<Association> associations(String text) {
    List<Association> all = new ArrayList<>();
    for (List<String> entry : entries(text)) {
      List<String> words = new ArrayList<>();
      entry.forEach(line -> words.addAll(words(line)));
      if (words.contains("spi") && !waits(words)) {
        all.add(new Association(name(words, reqid(words)), words.contains("output-mark")));
      }
    }
    return all;
  }

  /**
   * Whether it stands for an answer of the IKE daemon and protects nothing yet: without an SPI, or,
   * where the policy names one, without an algorithm and for the selector of one flow
   * (xfrm_state_find).
   */
  private static boolean waits(List<String> words) {
    boolean zero = after(words, "spi").filter(spi -> spi.matches("0x0+(\\(.*)?")).isPresent();
    return zero || (words.contains("sel") && words.stream().noneMatch(ALGORITHMS::contains));
  }

  /** Directions in which a packet without a policy is blocked, from {@code getdefault}. */
  static Set<Direction> blockedByDefault(String text) {
    Set<Direction> blocked = EnumSet.noneOf(Direction.class);
    for (String line : text.lines().toList()) {
      for (Direction direction : Direction.values()) {
        String word = direction.name().toLowerCase(Locale.ROOT);
        if (line.strip().matches(word + "\\s*:\\s*block")) {
          blocked.add(direction);
        }
      }
    }
    return blocked;
  }
}
