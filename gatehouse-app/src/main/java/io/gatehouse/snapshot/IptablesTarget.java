package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Assign;
import io.gatehouse.ruleset.Statement.Nat;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.snapshot.IptablesRule.Group;
import io.gatehouse.snapshot.IptablesRule.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Targets of iptables as statements; nothing where one has no equal. */
final class IptablesTarget {
  private static final long ALL_BITS = 0xffffffffL;
  private static final Meta MARK = new Meta(Meta.Key.MARK);
  private static final Ct CONNECTION_MARK = new Ct("mark", Optional.empty());

  private final Group group;
  private final Family family;

  private IptablesTarget(Group group, Family family) {
    this.group = group;
    this.family = family;
  }

  static Optional<List<Statement>> statements(Group group, Family family) {
    return group.options().stream().anyMatch(Option::negated)
        ? Optional.empty()
        : new IptablesTarget(group, family).statements();
  }

  private Optional<List<Statement>> statements() {
    return switch (group.name()) {
      case "ACCEPT" -> alone(new Verdict.Accept());
      case "DROP" -> alone(new Verdict.Drop());
      case "RETURN" -> alone(new Verdict.Return());
      case "NOTRACK" -> alone(new Statement.NoTrack());
      case "REJECT" -> reject();
      case "LOG" ->
          Optional.of(List.of(new Statement.Log(prefix("--log-prefix"), OptionalInt.empty())));
      case "NFLOG" ->
          Optional.of(List.of(new Statement.Log(prefix("--nflog-prefix"), OptionalInt.of(0))));
      // They mark what the model does not know, write down, or fail, and the rule goes on.
      case "AUDIT", "TRACE", "CHECKSUM", "CLASSIFY", "RATEEST", "LED", "SECMARK", "CONNSECMARK" ->
          Optional.of(List.of(Opaque.condition(group.text("-j "))));
      case "SET" -> Optional.of(List.of(Opaque.condition(group.text("-j "))));
      case "MASQUERADE" ->
          nat(Set.of(), true).map(p -> new Nat.Masquerade(p.ports, p.flags)).map(List::of);
      case "REDIRECT" ->
          nat(Set.of(), true).map(p -> new Nat.Redirect(p.ports, p.flags)).map(List::of);
      case "SNAT" ->
          nat(Set.of("--to-source", "--to"), false)
              .map(p -> new Nat.Source(p.address, p.ports, p.flags))
              .map(List::of);
      case "DNAT" ->
          nat(Set.of("--to-destination", "--to"), false)
              .map(p -> new Nat.Destination(p.address, p.ports, p.flags))
              .map(List::of);
      case "MARK" -> mark(MARK).map(List::of);
      case "CONNMARK" -> connectionMark().map(List::of);
      case "TCPMSS" -> segmentSize().map(List::of);
      case "CT" -> tracking();
      case "NFQUEUE" -> queue().map(List::of);
      default -> Optional.empty();
    };
  }

  private Optional<List<Statement>> alone(Statement statement) {
    return group.options().isEmpty() ? Optional.of(List.of(statement)) : Optional.empty();
  }

  private String prefix(String name) {
    return group.option(name).map(o -> String.join(" ", o.values())).orElse("");
  }

  private Optional<List<Statement>> reject() {
    if (!group.hasOnly("--reject-with")) {
      return Optional.empty();
    }
    String with = group.option("--reject-with").map(Option::value).orElse("");
    String words =
        switch (with) {
          case "tcp-reset", "tcp-rst" -> "tcp reset";
          case "icmp-proto-unreachable", "proto-unreach" -> "icmp prot-unreachable";
          default -> {
            int dash = with.indexOf('-');
            yield with.startsWith("icmp") && dash > 0
                ? with.substring(0, dash) + " " + with.substring(dash + 1)
                : "";
          }
        };
    return Optional.of(List.of(new Verdict.Reject(Opaque.brief(words))));
  }

  // ---- addresses
  // ----------------------------------------------------------------------------------------------------------------------

  private record Place(
      Optional<Expression> address, Optional<Expression> ports, List<String> flags) {}

  /**
   * @param to options that name the new address
   * @param alone whether there is none
   */
  private Optional<Place> nat(Set<String> to, boolean alone) {
    List<String> flags = new ArrayList<>();
    Optional<Place> place = alone ? place("") : Optional.empty();
    for (Option option : group.options()) {
      switch (option.name()) {
        case "--random" -> flags.add("random");
        case "--random-fully" -> flags.add("fully-random");
        case "--persistent" -> flags.add("persistent");
        case "--to-ports" -> {
          place = alone ? place(":" + option.value()) : Optional.empty();
          if (place.isEmpty()) {
            return Optional.empty();
          }
        }
        default -> {
          // Old versions took several addresses.
          if (!to.contains(option.name()) || place.isPresent()) {
            return Optional.empty();
          }
          place = place(option.value());
        }
      }
    }
    return place.map(p -> new Place(p.address, p.ports, flags));
  }

  /** {@code 192.0.2.1}, {@code 192.0.2.1-192.0.2.9:1000-2000}, {@code [2001:db8::1]:80}. */
  private Optional<Place> place(String text) {
    String address = text;
    String ports = "";
    if (text.startsWith("[")) {
      int end = text.indexOf(']');
      address = end < 0 ? "" : text.substring(1, end);
      ports = end < 0 ? "" : text.substring(end + 1);
    } else if (family == Family.V4 || text.startsWith(":")) {
      int colon = text.indexOf(':');
      address = colon < 0 ? text : text.substring(0, colon);
      ports = colon < 0 ? "" : text.substring(colon);
    }
    String[] ends = address.split("-", -1);
    Optional<Address> first = Address.parse(ends[0]).filter(a -> a.family() == family);
    Optional<Address> last = Address.parse(ends[ends.length - 1]).filter(a -> a.family() == family);
    boolean any = address.isEmpty();
    if (ends.length > 2 || (!any && (first.isEmpty() || last.isEmpty()))) {
      return Optional.empty();
    }
    if (any && text.startsWith("[")) {
      return Optional.empty();
    }
    Optional<Expression> to =
        any
            ? Optional.empty()
            : first.equals(last)
                ? first.map(Expression.Addr::new)
                : first.map(f ->
                    new Expression.Range(
                        new Expression.Addr(f), new Expression.Addr(last.orElse(f))));
    if (ports.isEmpty()) {
      return any && !text.isEmpty()
          ? Optional.empty()
          : Optional.of(new Place(to, Optional.empty(), List.of()));
    }
    String[] range = ports.substring(1).split("-", -1);
    Optional<Long> from = IptablesMatch.number(range[0], 0xffff);
    Optional<Long> until = IptablesMatch.number(range[range.length - 1], 0xffff);
    if (!ports.startsWith(":") || range.length > 2 || from.isEmpty() || until.isEmpty()) {
      return Optional.empty();
    }
    Expression chosen =
        from.equals(until)
            ? new Expression.Number(from.get())
            : new Expression.Range(
                new Expression.Number(from.get()), new Expression.Number(until.get()));
    return Optional.of(new Place(to, Optional.of(chosen), List.of()));
  }

  // ---- marks
  // --------------------------------------------------------------------------------------------------------------------------

  private Optional<Statement> mark(Selector target) {
    if (group.options().size() != 1) {
      return Optional.empty();
    }
    Option option = group.options().getFirst();
    String[] parts = option.value().split("/", -1);
    Optional<Long> value = IptablesMatch.number(parts[0], ALL_BITS);
    Optional<Long> mask =
        parts.length == 2 ? IptablesMatch.number(parts[1], ALL_BITS) : Optional.of(ALL_BITS);
    if (parts.length > 2 || value.isEmpty() || mask.isEmpty()) {
      return Optional.empty();
    }
    long v = value.get();
    return switch (option.name()) {
      // Clears the mask's bits and flips the value's.
      case "--set-xmark" -> Optional.of(flipped(target, ALL_BITS & ~mask.get(), v));
      case "--set-mark" -> Optional.of(flipped(target, ALL_BITS & ~(mask.get() | v), v));
      case "--and-mark" -> Optional.of(flipped(target, v, 0));
      case "--or-mark" -> Optional.of(flipped(target, ALL_BITS & ~v, v));
      case "--xor-mark" -> Optional.of(flipped(target, ALL_BITS, v));
      default -> Optional.empty();
    };
  }

  private static Statement flipped(Selector target, long keep, long flip) {
    if (keep == 0) {
      return new Assign(target, new Expression.Number(flip));
    }
    Selector kept =
        keep == ALL_BITS ? target : new Binary(target, Operator.AND, new Expression.Number(keep));
    return new Assign(
        target, flip == 0 ? kept : new Binary(kept, Operator.XOR, new Expression.Number(flip)));
  }

  private Optional<Statement> connectionMark() {
    boolean save = group.option("--save-mark").isPresent();
    boolean restore = group.option("--restore-mark").isPresent();
    if (!save && !restore) {
      return mark(CONNECTION_MARK);
    }
    if (save == restore
        || !group.hasOnly("--save-mark", "--restore-mark", "--mask", "--nfmask", "--ctmask")) {
      return Optional.empty();
    }
    Optional<Long> both = mask("--mask");
    Optional<Long> packet = group.option("--nfmask").isPresent() ? mask("--nfmask") : both;
    Optional<Long> connection = group.option("--ctmask").isPresent() ? mask("--ctmask") : both;
    if (packet.isEmpty() || connection.isEmpty()) {
      return Optional.empty();
    }
    // ct = (ct & ~ctmask) ^ (nf & nfmask), and the other way round (xt_connmark.c).
    Selector to = save ? CONNECTION_MARK : MARK;
    Selector from = save ? MARK : CONNECTION_MARK;
    long keep = ALL_BITS & ~(save ? connection.get() : packet.get());
    long take = save ? packet.get() : connection.get();
    Selector taken =
        take == ALL_BITS ? from : new Binary(from, Operator.AND, new Expression.Number(take));
    return Optional.of(
        new Assign(
            to,
            keep == 0
                ? taken
                : new Binary(
                    new Binary(to, Operator.AND, new Expression.Number(keep)),
                    Operator.XOR,
                    taken)));
  }

  private Optional<Long> mask(String name) {
    return group
        .option(name)
        .map(o -> IptablesMatch.number(o.value(), ALL_BITS))
        .orElse(Optional.of(ALL_BITS));
  }

  // ---- the rest
  // -----------------------------------------------------------------------------------------------------------------------

  private Optional<Statement> segmentSize() {
    Selector size = new Expression.TcpOption("maxseg", "size");
    if (group.options().size() != 1) {
      return Optional.empty();
    }
    Option option = group.options().getFirst();
    return switch (option.name()) {
      case "--clamp-mss-to-pmtu" -> Optional.of(new Assign(size, new Expression.Rt("mtu")));
      case "--set-mss" ->
          IptablesMatch.number(option.value(), 0xffff)
              .map(n -> new Assign(size, new Expression.Number(n)));
      default -> Optional.empty();
    };
  }

  private Optional<List<Statement>> tracking() {
    List<Statement> statements = new ArrayList<>();
    for (Option option : group.options()) {
      Optional<Statement> one =
          switch (option.name()) {
            case "--notrack" -> Optional.of(new Statement.NoTrack());
            case "--helper" ->
                option.value().isEmpty()
                    ? Optional.empty()
                    : Optional.of(new Statement.CtHelper(Opaque.brief(option.value())));
            case "--zone" -> zone(Optional.empty(), option);
            case "--zone-orig" -> zone(Optional.of(Expression.Direction.ORIGINAL), option);
            case "--zone-reply" -> zone(Optional.of(Expression.Direction.REPLY), option);
            default -> Optional.empty();
          };
      if (one.isEmpty()) {
        return Optional.empty();
      }
      statements.add(one.get());
    }
    return statements.isEmpty() ? Optional.empty() : Optional.of(List.copyOf(statements));
  }

  private static Optional<Statement> zone(Optional<Expression.Direction> direction, Option option) {
    return IptablesMatch.number(option.value(), 0xffff)
        .map(n -> new Assign(new Ct("zone", direction), new Expression.Number(n)));
  }

  private Optional<Statement> queue() {
    if (!group.hasOnly("--queue-num", "--queue-balance", "--queue-bypass", "--queue-cpu-fanout")) {
      return Optional.empty();
    }
    String numbers =
        group
            .option("--queue-balance")
            .or(() -> group.option("--queue-num"))
            .map(Option::value)
            .orElse("0");
    String[] ends = numbers.split(":", -1);
    Optional<Long> first = IptablesMatch.number(ends[0], 0xffff);
    Optional<Long> last = IptablesMatch.number(ends[ends.length - 1], 0xffff);
    return ends.length > 2
        ? Optional.empty()
        : first.flatMap(f ->
            last.map(l ->
                new Statement.Queue(
                    f.intValue(), l.intValue(), group.option("--queue-bypass").isPresent())));
  }
}
