package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.ruleset.Routing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Reads {@code ip -j rule}, {@code ip -j route} and {@code ip -j addr} for the model of the path.
 */
final class IpState {
  private static final Set<String> RULE_KEYS =
      Set.of(
          "priority",
          "src",
          "srclen",
          "dst",
          "dstlen",
          "iif",
          "oif",
          "fwmark",
          "fwmask",
          "ipproto",
          "sport",
          "dport",
          "sport_start",
          "sport_end",
          "dport_start",
          "dport_end",
          "table",
          "suppress_prefixlen",
          "goto",
          "action",
          "not",
          "protocol",
          "detached",
          "iif_detached",
          "oif_detached");

  private static final long ALL_BITS = 0xffffffffL;

  /** Of tables that have a name and, as far as we know, no number. */
  private static final int FIRST_NAMED = 1 << 30;

  private final Map<String, Integer> tables = new HashMap<>();
  private final List<Remark> remarks = new ArrayList<>();

  List<Remark> remarks() {
    return List.copyOf(remarks);
  }

  /** A listing's entries; nothing, and a remark, where it is no whole one. */
  private Optional<List<JsonNode>> list(String file, String json) {
    try {
      JsonNode tree = json.isBlank() ? Json.tree("[]") : Json.strict(json);
      if (tree.isArray()) {
        return Optional.of(Json.elements(tree));
      }
      remarks.add(Remark.unreadable(file, 0, 0, "no list"));
    } catch (JacksonException e) {
      remarks.add(Remark.unreadable(file, 0, 0, "not whole JSON: " + e.getOriginalMessage()));
    }
    return Optional.empty();
  }

  private void unclear(String file, JsonNode node) {
    remarks.add(Remark.notUnderstood(new Origin(file, 0, 0, ""), node.toString()));
  }

  // ---- rules
  // --------------------------------------------------------------------------------------------------------------------------

  Optional<List<RoutingRule>> rules(String file, String json, Family family) {
    return list(file, json)
        .map(nodes -> {
          List<RoutingRule> rules = new ArrayList<>();
          for (JsonNode node : nodes) {
            rules.add(rule(file, node, family));
          }
          return rules;
        });
  }

  private RoutingRule rule(String file, JsonNode node, Family family) {
    boolean known = node.isObject() && RULE_KEYS.containsAll(node.propertyNames());
    Optional<Prefix> from = prefix(node, "src", "srclen");
    Optional<Prefix> to = prefix(node, "dst", "dstlen");
    Optional<Long> mark = Json.number(node, "fwmark");
    long mask = Json.number(node, "fwmask").orElse(ALL_BITS);
    Optional<PortRange> sourcePorts = ports(node, "sport");
    Optional<PortRange> destinationPorts = ports(node, "dport");
    OptionalInt protocol = protocol(node);
    boolean read =
        known
            && stands(node, "src", from)
            && stands(node, "dst", to)
            && node.has("fwmark") == mark.isPresent()
            && (node.has("sport") || node.has("sport_start")) == sourcePorts.isPresent()
            && (node.has("dport") || node.has("dport_start")) == destinationPorts.isPresent()
            && node.has("ipproto") == protocol.isPresent();
    if (!read) {
      unclear(file, node);
    }
    return new RoutingRule(
        family,
        Json.number(node, "priority").map(IpState::clamped).orElse(0),
        node.has("not"),
        from,
        to,
        Json.text(node, "iif"),
        Json.text(node, "oif"),
        mark.map(value -> new Routing.Mark(value & ALL_BITS, mask & ALL_BITS)),
        protocol,
        sourcePorts,
        destinationPorts,
        action(file, node),
        read ? Optional.empty() : Optional.of(Opaque.brief(node.toString())));
  }

  private static int clamped(long number) {
    return (int) Math.max(0, Math.min(Integer.MAX_VALUE, number));
  }

  private static boolean stands(JsonNode node, String key, Optional<Prefix> prefix) {
    return prefix.isPresent()
        || !node.has(key)
        || Json.text(node, key).filter("all"::equals).isPresent();
  }

  private static Optional<Prefix> prefix(JsonNode node, String key, String length) {
    return Json.text(node, key)
        .flatMap(
            text -> Prefix.parse(Json.number(node, length).map(l -> text + "/" + l).orElse(text)));
  }

  private static Optional<PortRange> ports(JsonNode node, String key) {
    Optional<Long> first = Json.number(node, key).or(() -> Json.number(node, key + "_start"));
    Optional<Long> last = Json.number(node, key + "_end").or(() -> first);
    return first
        .filter(f -> f >= 0 && f <= 0xffff)
        .flatMap(f ->
            last.filter(l -> l >= f && l <= 0xffff)
                .map(l -> new PortRange(f.intValue(), l.intValue())));
  }

  private static OptionalInt protocol(JsonNode node) {
    Optional<Long> number =
        Json.number(node, "ipproto")
            .or(() ->
                Json.text(node, "ipproto")
                    .flatMap(name ->
                        switch (name) {
                          case "icmp" -> Optional.of(1L);
                          case "tcp" -> Optional.of(6L);
                          case "udp" -> Optional.of(17L);
                          case "gre" -> Optional.of(47L);
                          case "esp" -> Optional.of(50L);
                          case "ah" -> Optional.of(51L);
                          case "ipv6-icmp" -> Optional.of(58L);
                          case "sctp" -> Optional.of(132L);
                          default -> Optional.empty();
                        }));
    return number.filter(n -> n > 0 && n < 256).isPresent()
        ? OptionalInt.of(number.get().intValue())
        : OptionalInt.empty();
  }

  private RuleAction action(String file, JsonNode node) {
    Optional<Long> to = Json.number(node, "goto");
    if (to.isPresent()) {
      return new RuleAction.Goto(clamped(to.get()));
    }
    Optional<String> action = Json.text(node, "action");
    if (action.isPresent()) {
      // As numbers (FR_ACT_…) with -N of some versions.
      switch (action.get()) {
        case "unreachable", "prohibit", "blackhole" -> {
          return new RuleAction.Refuse(action.get());
        }
        case "nop" -> {
          return new RuleAction.Nothing();
        }
        default -> unclear(file, node);
      }
    }
    OptionalInt suppress =
        Json.number(node, "suppress_prefixlen").filter(l -> l >= 0 && l <= 128).isPresent()
            ? OptionalInt.of(Json.number(node, "suppress_prefixlen").orElse(0L).intValue())
            : OptionalInt.empty();
    return new RuleAction.Lookup(table(node), suppress);
  }

  private int table(JsonNode node) {
    Optional<Long> number = Json.number(node, "table");
    if (number.isPresent() && number.get() > 0 && number.get() < FIRST_NAMED) {
      return number.get().intValue();
    }
    return Json.text(node, "table").map(this::table).orElse(Route.MAIN);
  }

  /** The number of a table, one of our own where only its name is known. */
  int table(String name) {
    return switch (name) {
      case "main" -> Route.MAIN;
      case "local" -> Route.LOCAL;
      case "default" -> 253;
      default ->
          name.matches("[0-9]{1,9}")
              ? Integer.parseInt(name)
              : tables.computeIfAbsent(name, n -> FIRST_NAMED + tables.size());
    };
  }

  // ---- routes
  // -------------------------------------------------------------------------------------------------------------------------

  /**
   * @param table of routes that do not say theirs
   */
  Optional<List<Route>> routes(String file, String json, Family family, String table) {
    return list(file, json)
        .map(nodes -> {
          List<Route> routes = new ArrayList<>();
          for (JsonNode node : nodes) {
            Optional<Route> route = route(node, family, table);
            route.ifPresent(routes::add);
            boolean multicast =
                Json.text(node, "type")
                    .filter(t -> t.equals("multicast") || t.equals("5"))
                    .isPresent();
            if (route.isEmpty() && !multicast) {
              unclear(file, node);
            }
          }
          return routes;
        });
  }

  private Optional<Route> route(JsonNode node, Family family, String table) {
    Optional<Prefix> destination =
        Json.text(node, "dst")
            .flatMap(text ->
                text.equals("default")
                    ? Optional.of(family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6)
                    : Prefix.parse(text))
            .filter(prefix -> prefix.family() == family);
    // A route by source (`from`, IPv6) or by TOS serves some packets only.
    if (node.has("from") || node.has("tos") || destination.isEmpty()) {
      return Optional.empty();
    }
    int in = node.has("table") ? table(node) : table(table);
    long metric = Json.number(node, "metric").orElse(family == Family.V6 ? 1024L : 0L);
    return kind(node).map(kind -> new Route(destination.get(), in, metric, kind));
  }

  private static Optional<RouteKind> kind(JsonNode node) {
    List<String> devices = new ArrayList<>();
    Json.text(node, "dev").ifPresent(devices::add);
    for (JsonNode hop : Json.elements(node.path("nexthops"))) {
      Json.text(hop, "dev").filter(d -> !devices.contains(d)).ifPresent(devices::add);
    }
    String type = Json.text(node, "type").orElse("unicast");
    return switch (type) {
      case "unicast", "1" ->
          devices.isEmpty() ? Optional.empty() : Optional.of(new RouteKind.Via(devices));
      case "local", "2", "anycast", "4" ->
          Optional.of(new RouteKind.Local(devices.isEmpty() ? "lo" : devices.getFirst()));
      case "broadcast", "3" ->
          devices.isEmpty()
              ? Optional.empty()
              : Optional.of(new RouteKind.Broadcast(devices.getFirst()));
      case "blackhole", "6" -> Optional.of(new RouteKind.Refuse("blackhole"));
      case "unreachable", "7" -> Optional.of(new RouteKind.Refuse("unreachable"));
      case "prohibit", "8" -> Optional.of(new RouteKind.Refuse("prohibit"));
      case "throw", "9" -> Optional.of(new RouteKind.Throw());
      default -> Optional.empty();
    };
  }

  // ---- devices
  // ------------------------------------------------------------------------------------------------------------------------

  Optional<List<Device>> devices(String file, String json) {
    return list(file, json)
        .map(nodes -> {
          List<Device> devices = new ArrayList<>();
          for (JsonNode node : nodes) {
            Optional<String> name = Json.text(node, "ifname");
            List<InterfaceAddress> addresses = new ArrayList<>();
            for (JsonNode one : Json.elements(node.path("addr_info"))) {
              address(one).ifPresent(addresses::add);
            }
            if (name.isPresent()) {
              boolean all = addresses.size() == Json.elements(node.path("addr_info")).size();
              devices.add(new Device(name.get(), addresses, all));
            } else if (!node.isEmpty()) {
              unclear(file, node);
            }
          }
          return devices;
        });
  }

  private static Optional<InterfaceAddress> address(JsonNode node) {
    return Json.text(node, "local")
        .flatMap(Address::parse)
        .flatMap(address ->
            Json.number(node, "prefixlen")
                .filter(length -> length >= 0 && length <= address.family().bits())
                .map(length -> new InterfaceAddress(address, length.intValue())));
  }
}
