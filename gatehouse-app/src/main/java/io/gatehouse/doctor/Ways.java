package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Routes with what the model of the path leaves out: gateways, and the source that the kernel gives
 * to packets of this host.
 *
 * @param routes in the order of the listing
 * @param order tables in the order in which rules without a condition look into them
 * @param units MTU by device
 */
record Ways(List<Way> routes, List<String> order, Map<String, Integer> units, HostState host) {
  private static final JsonMapper MAPPER = new JsonMapper();

  /**
   * A route.
   *
   * @param file that it stands in
   * @param protocol who made it; `boot` where nobody says
   */
  record Way(
      String file,
      Prefix destination,
      String table,
      long metric,
      Optional<Address> gateway,
      Optional<String> device,
      Optional<Address> source,
      String protocol) {
    /** As ip(8) takes it. */
    List<String> words() {
      List<String> words = new ArrayList<>();
      words.add(destination.isAll() ? "default" : destination.toString());
      gateway.ifPresent(g -> words.addAll(List.of("via", g.toString())));
      device.ifPresent(d -> words.addAll(List.of("dev", d)));
      return words;
    }

    String text() {
      return String.join(" ", words());
    }

    Finding.Evidence evidence() {
      return new Finding.Evidence(
          "route "
              + text()
              + source.map(s -> " src " + s).orElse("")
              + (isMain() ? "" : " table " + table),
          file);
    }

    boolean isMain() {
      return table.equals("main") || table.equals("254");
    }
  }

  static Ways of(Map<String, String> texts, HostState host) {
    List<Way> routes = new ArrayList<>();
    List<String> order = new ArrayList<>();
    for (Family family : Family.values()) {
      String six = family == Family.V4 ? "" : "-6";
      String file = "ip-route" + six + ".json";
      for (JsonNode node : list(texts.getOrDefault(file, ""))) {
        way(file, node, family).ifPresent(routes::add);
      }
      for (JsonNode node : list(texts.getOrDefault("ip-rule" + six + ".json", ""))) {
        String source = text(node, "src").orElse("all");
        if (source.equals("all") && !node.has("fwmark") && !node.has("iif") && !node.has("dst")) {
          text(node, "table").filter(t -> !order.contains(t)).ifPresent(order::add);
        }
      }
    }
    for (String table : List.of("main", "254")) {
      if (!order.contains(table)) {
        order.add(table);
      }
    }
    Map<String, Integer> units = new HashMap<>();
    for (JsonNode node : list(texts.getOrDefault("ip-addr.json", ""))) {
      text(node, "ifname")
          .filter(name -> node.path("mtu").isInt())
          .ifPresent(name -> units.put(name, node.path("mtu").intValue()));
    }
    return new Ways(List.copyOf(routes), List.copyOf(order), Map.copyOf(units), host);
  }

  /** The elements of a list; none where the text is no list: SeenHost has said so. */
  static List<JsonNode> list(String json) {
    try {
      JsonNode tree = MAPPER.readTree(json);
      return tree != null && tree.isArray()
          ? StreamSupport.stream(tree.spliterator(), false).toList()
          : List.of();
    } catch (JacksonException e) {
      return List.of();
    }
  }

  static Optional<String> text(JsonNode node, String key) {
    JsonNode value = node.path(key);
    return value.isString()
        ? Optional.of(value.stringValue())
        : value.isIntegralNumber() ? Optional.of(value.toString()) : Optional.empty();
  }

  private static Optional<Way> way(String file, JsonNode node, Family family) {
    if (text(node, "type").filter(t -> !t.equals("unicast") && !t.equals("1")).isPresent()) {
      return Optional.empty();
    }
    Prefix all = family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
    return text(node, "dst")
        .flatMap(dst ->
            dst.equals("default")
                ? Optional.of(all)
                : Prefix.parse(dst).or(() -> Address.parse(dst).map(Prefix::host)))
        .map(destination ->
            new Way(
                file,
                destination,
                text(node, "table").orElse("main"),
                text(node, "metric")
                    .filter(m -> m.matches("[0-9]{1,10}"))
                    .map(Long::valueOf)
                    .orElse(0L),
                text(node, "gateway").flatMap(Address::parse),
                text(node, "dev"),
                text(node, "prefsrc").flatMap(Address::parse),
                text(node, "protocol").orElse("boot")));
  }

  /** The route that packets of this host to the address take, marks and sources aside. */
  Optional<Way> to(Address address) {
    for (String table : order) {
      Optional<Way> best =
          routes.stream()
              .filter(r -> r.table.equals(table) && r.destination.contains(address))
              .min(
                  Comparator.comparingInt((Way r) -> -r.destination.length())
                      .thenComparingLong(Way::metric));
      if (best.isPresent()) {
        return best;
      }
    }
    return Optional.empty();
  }

  /** The source that the kernel gives to what this host sends by the route (inet_select_addr). */
  Optional<Address> source(Way way) {
    Family family = way.destination.family();
    return way.source.or(() ->
        way.device.flatMap(name ->
            host.devices().stream()
                .filter(d -> d.name().equals(name))
                .flatMap(d -> d.addresses().stream())
                .map(InterfaceAddress::address)
                .filter(a -> a.family() == family)
                .findFirst()));
  }
}
