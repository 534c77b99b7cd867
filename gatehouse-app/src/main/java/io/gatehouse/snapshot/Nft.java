package io.gatehouse.snapshot;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * Reads {@code nft -j -t list ruleset}: which base chains there are, and whether they drop or
 * rewrite.
 */
final class Nft {

  private record Key(String family, String table, String chain) {}

  private Nft() {}

  /** Every base chain of every table. */
  static List<Seen.BaseChain> baseChains(String json) {
    Map<Key, JsonNode> chains = new LinkedHashMap<>();
    Map<Key, List<JsonNode>> rules = new LinkedHashMap<>();
    for (JsonNode node : Json.elements(Json.tree(json).path("nftables"))) {
      key(node.path("chain"), "name").ifPresent(key -> chains.put(key, node.path("chain")));
      key(node.path("rule"), "chain")
          .ifPresent(
              key -> rules.computeIfAbsent(key, k -> new ArrayList<>()).add(node.path("rule")));
    }
    List<Seen.BaseChain> base = new ArrayList<>();
    chains.forEach((key, chain) ->
        Json.text(chain, "hook")
            .ifPresent(hook -> {
              List<JsonNode> own = rules.getOrDefault(key, List.of());
              boolean drops =
                  Json.text(chain, "policy").filter("drop"::equals).isPresent()
                      || (!own.isEmpty() && dropsAll(own.getLast()));
              List<Integer> rewrites = new ArrayList<>();
              boolean spares = false;
              for (int i = 0; i < own.size(); i++) {
                if (rewrites(key, own.get(i), rules, new HashSet<>())) {
                  rewrites.add(i + 1);
                } else if (rewrites.isEmpty() && sparesIpsec(own.get(i))) {
                  spares = true;
                }
              }
              base.add(
                  new Seen.BaseChain(
                      key.family(),
                      key.table(),
                      key.chain(),
                      Json.text(chain, "type").orElse(""),
                      hook,
                      Json.number(chain, "prio").orElse(0L),
                      drops,
                      rewrites,
                      spares,
                      own.stream().flatMap(rule -> targets(rule).stream()).toList()));
            }));
    return List.copyOf(base);
  }

  /** Where a rule leads. */
  private static List<String> targets(JsonNode rule) {
    return Json.elements(rule.path("expr")).stream()
        .flatMap(statement -> target(statement).stream())
        .toList();
  }

  private static Optional<String> target(JsonNode statement) {
    return Json.text(statement.path("jump"), "target")
        .or(() -> Json.text(statement.path("goto"), "target"));
  }

  private static Optional<Key> key(JsonNode node, String name) {
    return Json.text(node, "family")
        .flatMap(family ->
            Json.text(node, "table")
                .flatMap(
                    table -> Json.text(node, name).map(chain -> new Key(family, table, chain))));
  }

  private static boolean dropsAll(JsonNode rule) {
    for (JsonNode statement : Json.elements(rule.path("expr"))) {
      if (statement.has("drop") || statement.has("reject")) {
        return true;
      }
      if (!statement.has("counter") && !statement.has("log")) {
        return false;
      }
    }
    return false;
  }

  /** Whether the rule, or a chain that it goes to, rewrites sources. {@code visited} ends loops. */
  private static boolean rewrites(
      Key at, JsonNode rule, Map<Key, List<JsonNode>> rules, Set<Key> visited) {
    for (JsonNode statement : Json.elements(rule.path("expr"))) {
      // A condition on IPsec at all is somebody who has thought of it.
      if (ipsec(statement)) {
        return false;
      }
      if (statement.has("masquerade") || statement.has("snat")) {
        return true;
      }
      // iptables' own targets and matches are printed by name only.
      String target = Json.text(statement.path("xt"), "name").orElse("");
      if (target.equals("MASQUERADE") || target.equals("SNAT")) {
        return true;
      }
      Optional<String> jump = target(statement);
      if (jump.isPresent()) {
        Key next = new Key(at.family(), at.table(), jump.get());
        if (visited.add(next)
            && rules.getOrDefault(next, List.of()).stream()
                .anyMatch(r -> rewrites(next, r, rules, visited))) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean sparesIpsec(JsonNode rule) {
    List<JsonNode> statements = Json.elements(rule.path("expr"));
    return statements.stream().anyMatch(Nft::ipsec)
        && statements.stream().anyMatch(s -> s.has("accept") || s.has("return"));
  }

  private static boolean ipsec(JsonNode statement) {
    JsonNode left = statement.path("match").path("left");
    return Json.text(left.path("rt"), "key").filter("ipsec"::equals).isPresent()
        || Json.text(left.path("meta"), "key")
            .filter(k -> k.equals("ipsec") || k.equals("secpath"))
            .isPresent()
        || left.has("ipsec")
        || Json.text(statement.path("xt"), "name").filter("policy"::equals).isPresent();
  }
}
