package io.gatehouse.config;

import io.gatehouse.model.Located;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the description calls a service. */
final class Services {
  /** Protocols and ports that one name may stand for. */
  private static final int LIMIT = 256;

  /** Names within names. */
  private static final int DEPTH = 32;

  private static final Pattern REVERSED =
      Pattern.compile("([0-9]{1,5}(?:-[0-9]{1,5})?)/([a-z]{2,8})");

  private static final Pattern PORTS = Pattern.compile("[1-9][0-9]{0,4}(-[1-9][0-9]{0,4})?");

  private static final Map<String, Protocol> PROTOCOLS = protocols();

  private static final Map<String, List<Service>> PREDEFINED = predefined();

  private final Problems problems;
  private final Map<String, Node.Entry> defined = new LinkedHashMap<>();
  private final Map<String, List<Service>> done = new HashMap<>();
  private final Set<String> open = new LinkedHashSet<>();

  /** Names in a circle that was told. */
  private final Set<String> circular = new HashSet<>();

  Services(Problems problems) {
    this.problems = problems;
  }

  private static Map<String, Protocol> protocols() {
    Map<String, Protocol> all = new LinkedHashMap<>();
    for (Protocol protocol : Protocol.values()) {
      all.put(protocol.text(), protocol);
    }
    all.put("icmpv6", Protocol.ICMPV6);
    return all;
  }

  private static Map<String, List<Service>> predefined() {
    Map<String, List<Service>> all = new LinkedHashMap<>();
    Language.SERVICES.forEach(
        (name, texts) -> all.put(name, texts.stream().map(Services::constant).toList()));
    return all;
  }

  private static Service constant(String text) {
    int slash = text.indexOf('/');
    return slash < 0
        ? new Service(protocol(text), Optional.empty())
        : Service.of(
            protocol(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
  }

  private static Protocol protocol(String name) {
    return Protocol.valueOf(name.toUpperCase(Locale.ROOT));
  }

  /** Takes the names that the description defines; then understands each. */
  void define(List<Node.Entry> entries) {
    for (Node.Entry entry : entries) {
      String name = entry.key().text();
      if (PROTOCOLS.containsKey(name) || name.equals("ping")) {
        problems.error(
            entry.key().spot(),
            name.equals("ping")
                ? "`ping` is not a service: `host.ping` says who may"
                : "`" + name + "` is a protocol: a service of that name would hide it",
            "take another name");
      } else {
        defined.put(name, entry);
      }
    }
    defined.keySet().forEach(this::resolve);
  }

  /** What a name stands for; nothing where it is none. */
  List<Service> resolve(String name) {
    List<Service> known = done.get(name);
    if (known != null) {
      return known;
    }
    Node.Entry entry = defined.get(name);
    if (entry == null) {
      return PREDEFINED.getOrDefault(name, List.of());
    }
    open.add(name);
    List<Node> items =
        entry.value() instanceof Node.Sequence sequence ? sequence.items() : List.of(entry.value());
    Set<Service> all = new LinkedHashSet<>();
    for (Node item : items) {
      if (item instanceof Node.Scalar scalar && !scalar.isMissing()) {
        all.addAll(one(scalar));
      }
      if (all.size() > LIMIT) {
        problems.error(
            entry.key().spot(), "service `" + name + "` stands for more than " + LIMIT + " others");
        break;
      }
    }
    open.remove(name);
    List<Service> list = all.stream().limit(LIMIT).toList();
    done.put(name, list);
    return list;
  }

  /** What one item says; empty where that was told to be wrong. */
  List<Service> one(Node.Scalar scalar) {
    return one(scalar, scalar.text());
  }

  /**
   * What a part of a value says.
   *
   * @param text that part
   */
  List<Service> one(Node.Scalar scalar, String text) {
    if (open.contains(text)) {
      if (circular.addAll(open)) {
        List<String> round = new ArrayList<>(open);
        round = round.subList(round.indexOf(text), round.size());
        problems.error(
            scalar.spot(),
            "service `"
                + text
                + "` stands for itself: "
                + String.join(" → ", round.stream().limit(8).toList())
                + " → "
                + text,
            "leave one of them out");
      }
      return List.of();
    }
    if (open.size() > DEPTH) {
      problems.error(scalar.spot(), "services stand for each other more than " + DEPTH + " deep");
      return List.of();
    }
    if (defined.containsKey(text) || PREDEFINED.containsKey(text)) {
      return resolve(text);
    }
    int slash = text.indexOf('/');
    Protocol protocol = PROTOCOLS.get(slash < 0 ? text : text.substring(0, slash));
    if (protocol == null) {
      unknown(scalar, text, slash);
      return List.of();
    }
    if (slash < 0) {
      return List.of(new Service(protocol, Optional.empty()));
    }
    return ports(scalar, protocol, text.substring(slash + 1))
        .map(range -> List.of(new Service(protocol, Optional.of(range))))
        .orElse(List.of());
  }

  private void unknown(Node.Scalar scalar, String text, int slash) {
    Optional<String> wayOut;
    Matcher reversed = REVERSED.matcher(text);
    if (text.equals("ping")) {
      wayOut = Optional.of("`host.ping` says who may ping this host; elsewhere write `icmp`");
    } else if (text.matches("[0-9]{1,5}(-[0-9]{1,5})?")) {
      wayOut = Optional.of("say the protocol: tcp/" + text);
    } else if (reversed.matches() && PROTOCOLS.containsKey(reversed.group(2))) {
      wayOut = Optional.of("did you mean `" + reversed.group(2) + "/" + reversed.group(1) + "`?");
    } else if (slash > 0) {
      String rest = text.substring(slash);
      wayOut =
          Nearest.to(text.substring(0, slash), PROTOCOLS.keySet())
              .filter(p -> rest.length() < 16)
              .map(p -> "did you mean `" + p + Quote.bare(rest) + "`?");
    } else {
      wayOut = problems.didYouMean(text, this::known);
    }
    problems.error(
        scalar.spot(),
        slash > 0
            ? Quote.of(text.substring(0, slash)) + " is not a protocol"
            : "no service is called " + Quote.of(text),
        wayOut.or(() ->
            Optional.of(
                slash > 0
                    ? "protocols: " + String.join(", ", PROTOCOLS.keySet())
                    : "such as `tcp/22`, or a name under `services:`")));
  }

  private Collection<String> known() {
    Set<String> all = new LinkedHashSet<>(defined.keySet());
    all.addAll(PREDEFINED.keySet());
    all.addAll(PROTOCOLS.keySet());
    return all;
  }

  private Optional<PortRange> ports(Node.Scalar scalar, Protocol protocol, String text) {
    if (!protocol.hasPorts()) {
      problems.error(
          scalar.spot(),
          "`" + protocol.text() + "` has no ports",
          "write `" + protocol.text() + "` alone");
      return Optional.empty();
    }
    if (PORTS.matcher(text).matches()) {
      int dash = text.indexOf('-');
      int first = Integer.parseInt(dash < 0 ? text : text.substring(0, dash));
      int last = dash < 0 ? first : Integer.parseInt(text.substring(dash + 1));
      if (last <= 65535 && first <= last) {
        return Optional.of(new PortRange(first, last));
      }
      if (first <= 65535 && last <= 65535) {
        problems.error(
            scalar.spot(),
            Quote.bare(text) + " runs backwards",
            "did you mean " + last + "-" + first + "?");
        return Optional.empty();
      }
    }
    problems.error(
        scalar.spot(),
        Quote.of(text) + " is not a port",
        named(protocol, text)
            .or(() ->
                Optional.of(
                    "ports are 1 to 65535, such as `"
                        + protocol.text()
                        + "/22`; a range is `a-b`")));
    return Optional.empty();
  }

  private static Optional<String> named(Protocol protocol, String text) {
    return PREDEFINED.getOrDefault(text, List.of()).stream()
        .filter(service -> service.protocol() == protocol)
        .findFirst()
        .map(service -> "did you mean `" + service + "`, or `" + text + "` alone?");
  }

  /** Everything that a list of services says, each once. */
  List<Service> all(List<Node.Scalar> scalars) {
    Set<Service> all = new LinkedHashSet<>();
    scalars.forEach(scalar -> all.addAll(one(scalar)));
    return List.copyOf(all);
  }

  /** The same, each with its place. */
  List<Located<Service>> located(List<Node.Scalar> scalars) {
    Map<Service, Located<Service>> all = new LinkedHashMap<>();
    for (Node.Scalar scalar : scalars) {
      for (Service service : one(scalar)) {
        all.computeIfAbsent(service, s -> new Located<>(s, scalar.spot().origin()));
      }
    }
    return List.copyOf(all.values());
  }
}
