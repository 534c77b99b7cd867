package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads what {@code ipset save} prints. A set of a type without words of ours, and an element that
 * is not understood, are carried as open: a rule that asks for them holds or does not.
 */
final class IpsetSave {
  /** Of all sets together: a file may be larger than what is worth a proof. */
  private static final int MOST_ELEMENTS = 300_000;

  /** Of one set: each is looked for in all of its elements. */
  private static final int MOST_EXCEPTIONS = 100;

  private static final Set<String> COUNTED =
      Set.of("hashsize", "maxelem", "bucketsize", "initval", "probes", "resize", "size", "range");

  private static final Set<String> FLAGS =
      Set.of("counters", "comment", "skbinfo", "forceadd", "-exist");

  private static final Set<String> BESIDE_AN_ELEMENT =
      Set.of("timeout", "packets", "bytes", "comment", "skbmark", "skbprio", "skbqueue");

  private static final Set<String> PORTED = Set.of("tcp", "udp", "sctp", "udplite");

  private final String file;
  private final Set<String> changed;
  private final Map<String, Parts> sets = new LinkedHashMap<>();
  private final List<Remark> remarks = new ArrayList<>();
  private int elements;

  /** A set while it is read. */
  private static final class Parts {
    private final Origin origin;
    private final List<Ipset.Part> parts;
    private final Optional<Family> family;
    private final OptionalInt netmask;
    private final boolean timeout;
    private Optional<String> unclear;
    private final List<Ipset.Element> elements = new ArrayList<>();
    private int exceptions;

    Parts(
        Origin origin,
        List<Ipset.Part> parts,
        Optional<Family> family,
        OptionalInt netmask,
        boolean timeout,
        Optional<String> unclear) {
      this.origin = origin;
      this.parts = parts;
      this.family = family;
      this.netmask = netmask;
      this.timeout = timeout;
      this.unclear = unclear;
    }

    /** Of several parts the narrowest of those with the same others would have to be found. */
    boolean exceptions(List<Value> values) {
      return ++exceptions <= MOST_EXCEPTIONS
          && parts.equals(List.of(Ipset.Part.ADDRESS))
          && values.getFirst() instanceof Expression.Net;
    }

    void unclear(String text) {
      unclear = unclear.or(() -> Optional.of(text));
      elements.clear();
    }
  }

  private IpsetSave(String file, Set<String> changed) {
    this.file = file;
    this.changed = changed;
  }

  /**
   * The sets by name.
   *
   * @param remarks on what could not be read
   */
  record Read(Map<String, Ipset> sets, List<Remark> remarks) {
    static final Read NOTHING = new Read(Map.of(), List.of());

    Read {
      sets = Map.copyOf(sets);
      remarks = List.copyOf(remarks);
    }
  }

  /**
   * The sets; where a line is none of such a file, or the last one is cut off, all of them open.
   *
   * @param changed the names of sets that rules put packets into, or take them out of
   */
  static Read read(String file, String text, Set<String> changed) {
    return new IpsetSave(file, changed).read(text);
  }

  private Read read(String text) {
    boolean broken = false;
    int number = 0;
    for (String line : (Iterable<String>) text.lines()::iterator) {
      number++;
      if (!line.isBlank() && !line.strip().startsWith("#") && !line(number, line)) {
        if (!broken) {
          remarks.add(Remark.unreadable(file, number, 1, "no line of ipset save: " + line));
        }
        broken = true;
      }
    }
    if (!text.isEmpty() && !text.endsWith("\n")) {
      remarks.add(Remark.unreadable(file, number, 1, "it ends within a line"));
      broken = true;
    }
    if (elements > MOST_ELEMENTS) {
      remarks.add(Remark.unreadable(file, 0, 0, "more than " + MOST_ELEMENTS + " elements"));
    }
    Map<String, Ipset> all = new LinkedHashMap<>();
    for (Map.Entry<String, Parts> one : sets.entrySet()) {
      Parts set = one.getValue();
      if (broken) {
        set.unclear(file + " could not be read as a whole");
      }
      all.put(
          one.getKey(),
          new Ipset(
              one.getKey(),
              set.parts,
              set.family,
              set.timeout || changed.contains(one.getKey()),
              set.elements,
              set.unclear,
              set.origin));
    }
    return new Read(all, remarks);
  }

  private boolean line(int number, String line) {
    List<String> words =
        Words.of(line).stream().flatMap(List::stream).map(Words.Word::text).toList();
    if (words.size() < 3) {
      return false;
    }
    List<String> rest = words.subList(3, words.size());
    return switch (words.getFirst()) {
      case "create" -> create(number, line, words.get(1), words.get(2), rest);
      case "add" -> add(words.get(1), words.get(2), rest);
      default -> false;
    };
  }

  // ---- sets

  private boolean create(int number, String line, String name, String type, List<String> options) {
    List<Ipset.Part> parts = parts(type);
    boolean understood = !parts.isEmpty();
    Optional<Family> family =
        type.equals("bitmap:port") ? Optional.empty() : Optional.of(Family.V4);
    OptionalInt netmask = OptionalInt.empty();
    boolean timeout = false;
    int at = 0;
    while (at < options.size()) {
      String option = options.get(at++);
      if (FLAGS.contains(option)) {
        continue;
      }
      String value = at < options.size() ? options.get(at++) : "";
      switch (option) {
        case "family" -> {
          understood &= value.equals("inet") || value.equals("inet6");
          family = Optional.of(value.equals("inet6") ? Family.V6 : Family.V4);
        }
        case "timeout" -> timeout = true;
        case "netmask" -> {
          understood &= parts.size() == 1 && value.matches("[0-9]{1,3}");
          netmask = understood ? OptionalInt.of(Integer.parseInt(value)) : netmask;
        }
        default -> understood &= COUNTED.contains(option);
      }
    }
    Origin origin = new Origin(file, number, 1, Opaque.brief(line));
    Optional<String> unclear =
        understood ? Optional.empty() : Optional.of("ipset " + name + " " + type);
    if (!understood) {
      remarks.add(Remark.notUnderstood(origin, line));
    }
    return !name.equals(Ipset.NOTHING)
        && sets.putIfAbsent(name, new Parts(origin, parts, family, netmask, timeout, unclear))
            == null;
  }

  /** Nothing for a type that has no words here. */
  private static List<Ipset.Part> parts(String type) {
    return switch (type) {
      case "hash:ip", "hash:net", "bitmap:ip" -> List.of(Ipset.Part.ADDRESS);
      case "bitmap:port" -> List.of(Ipset.Part.PORT);
      case "hash:ip,port", "hash:net,port" -> List.of(Ipset.Part.ADDRESS, Ipset.Part.PORT);
      case "hash:net,net" -> List.of(Ipset.Part.ADDRESS, Ipset.Part.ADDRESS);
      case "hash:ip,port,ip", "hash:ip,port,net", "hash:net,port,net" ->
          List.of(Ipset.Part.ADDRESS, Ipset.Part.PORT, Ipset.Part.ADDRESS);
      default -> List.of();
    };
  }

  // ---- elements

  private boolean add(String name, String entry, List<String> options) {
    Parts set = sets.get(name);
    if (set == null) {
      return false;
    }
    if (++elements > MOST_ELEMENTS) {
      set.unclear("ipset " + name + ", of which not all was read");
    }
    if (set.unclear.isPresent()) {
      return true;
    }
    boolean exception = false;
    int at = 0;
    while (at < options.size()) {
      String option = options.get(at++);
      if (option.equals("nomatch")) {
        exception = true;
      } else if (BESIDE_AN_ELEMENT.contains(option) && at < options.size()) {
        at++;
      } else if (!option.equals("-exist")) {
        set.unclear("ipset " + name + " " + entry + " " + option);
        return true;
      }
    }
    Optional<List<Value>> values = values(set, entry);
    if (values.isEmpty() || (exception && !set.exceptions(values.get()))) {
      set.unclear("ipset " + name + " " + entry);
    } else {
      set.elements.add(new Ipset.Element(values.get(), exception));
    }
    return true;
  }

  private static Optional<List<Value>> values(Parts set, String entry) {
    String[] words = entry.split(",", -1);
    if (words.length != set.parts.size()) {
      return Optional.empty();
    }
    List<Value> values = new ArrayList<>();
    for (int i = 0; i < words.length; i++) {
      boolean read =
          switch (set.parts.get(i)) {
            case ADDRESS -> address(words[i], set).map(values::add).orElse(false);
            case PORT -> port(words[i], set.parts.size() == 1, values);
          };
      if (!read) {
        return Optional.empty();
      }
    }
    return Optional.of(values);
  }

  private static Optional<Value> address(String word, Parts set) {
    Family family = set.family.orElse(Family.V4);
    int dash = word.indexOf('-');
    if (dash >= 0) {
      Optional<Address> first = Address.parse(word.substring(0, dash));
      Optional<Address> last = Address.parse(word.substring(dash + 1));
      return set.netmask.isEmpty()
              && first.filter(a -> a.family() == family).isPresent()
              && last.filter(a -> a.family() == family && a.compareTo(first.get()) >= 0).isPresent()
          ? Optional.of(
              new Expression.Range(
                  new Expression.Addr(first.get()), new Expression.Addr(last.get())))
          : Optional.empty();
    }
    return IptablesRule.prefix(word)
        .filter(prefix -> prefix.family() == family)
        .filter(prefix -> set.netmask.orElse(0) <= prefix.length())
        // The kernel asks for the packet's address under the mask.
        .map(prefix ->
            set.netmask.isPresent()
                ? Prefix.masked(prefix.first(), set.netmask.getAsInt())
                : prefix)
        .map(Expression.Net::new);
  }

  /**
   * {@code udp:53}, {@code tcp:1024-2047}; other protocols have other numbers in that place.
   *
   * @param alone a set of ports alone says no protocol, and has TCP and UDP
   */
  private static boolean port(String word, boolean alone, List<Value> into) {
    int colon = word.indexOf(':');
    String protocol = colon < 0 ? "tcp" : word.substring(0, colon);
    String[] ends = word.substring(colon + 1).split("-", -1);
    Optional<Long> first = IptablesMatch.number(ends[0], 0xffff);
    Optional<Long> last = IptablesMatch.number(ends[ends.length - 1], 0xffff);
    if (ends.length > 2
        || first.isEmpty()
        || last.filter(end -> end >= first.get()).isEmpty()
        || !PORTED.contains(protocol)
        || (alone && colon >= 0)) {
      return false;
    }
    into.add(
        alone
            ? new Expression.AnyOf(
                List.of(new Expression.Symbol("tcp"), new Expression.Symbol("udp")))
            : new Expression.Symbol(protocol));
    into.add(
        ends.length == 1
            ? new Expression.Number(first.get())
            : new Expression.Range(
                new Expression.Number(first.get()), new Expression.Number(last.get())));
    return true;
  }
}
