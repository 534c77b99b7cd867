package io.gatehouse.snapshot;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Reads {@code nft -j list ruleset} into tables: every set, chain and rule, in the kernel's order.
 * (Not with {@code -t}, which leaves the elements of sets out.)
 */
final class NftJson {
  /** Objects of a table that decide nothing by themselves; rules that use them say so. */
  private static final Set<String> SILENT =
      Set.of(
          "metainfo",
          "counter",
          "quota",
          "limit",
          "ct helper",
          "ct timeout",
          "ct expectation",
          "secmark",
          "synproxy",
          "flowtable");

  private final String file;
  private final Map<Key, Parts> tables = new LinkedHashMap<>();
  private final List<Remark> remarks = new ArrayList<>();

  private record Key(String family, String name) {}

  /** A table while it is read. */
  private static final class Parts {
    private final List<NftSet> sets = new ArrayList<>();
    private final Map<String, List<Optional<Base>>> chains = new LinkedHashMap<>();
    private final Map<String, List<Rule>> rules = new LinkedHashMap<>();
    private boolean dormant;
  }

  private NftJson(String file) {
    this.file = file;
  }

  /**
   * Tables in the order in which they were made. A text that is no such listing becomes a table in
   * which anything may happen.
   *
   * @param file for origins and messages
   */
  static TablesRead read(String file, String json) {
    JsonNode objects;
    try {
      objects = Json.strict(json).path("nftables");
    } catch (JacksonException e) {
      return broken(
          file,
          Math.max(0, e.getLocation() == null ? 0 : e.getLocation().getLineNr()),
          Math.max(0, e.getLocation() == null ? 0 : e.getLocation().getColumnNr()),
          "not whole JSON: " + e.getOriginalMessage());
    }
    if (!objects.isArray()) {
      return broken(file, 0, 0, "not what `nft -j list ruleset` prints");
    }
    NftJson reader = new NftJson(file);
    for (JsonNode object : objects) {
      reader.object(object);
    }
    return reader.done();
  }

  private static TablesRead broken(String file, int line, int column, String why) {
    return new TablesRead(
        List.of(Opaque.table("inet", new Origin(file, line, column, ""), file + ": " + why)),
        List.of(Remark.unreadable(file, line, column, why)));
  }

  private void object(JsonNode object) {
    Optional<Map.Entry<String, JsonNode>> only = NftTerms.only(object);
    String word = only.map(Map.Entry::getKey).orElse("");
    JsonNode of = only.map(Map.Entry::getValue).orElse(object);
    Optional<Parts> table =
        Json.text(of, "family")
            .flatMap(family ->
                Json.text(of, word.equals("table") ? "name" : "table")
                    .map(name -> tables.computeIfAbsent(new Key(family, name), k -> new Parts())));
    if (SILENT.contains(word)) {
      return;
    }
    boolean understood =
        table.isPresent()
            && switch (word) {
              case "table" -> {
                table.get().dormant |= NftTerms.words(of.path("flags")).contains("dormant");
                yield true;
              }
              case "set", "map" -> set(table.get(), of);
              case "chain" -> chain(table.get(), of);
              case "rule" -> rule(table.get(), of);
              default -> false;
            };
    if (!understood) {
      unknown(table, object);
    }
  }

  /** It may be a chain or rule: whatever it does stays open. */
  private void unknown(Optional<Parts> table, JsonNode object) {
    Origin where = new Origin(file, 0, 0, "");
    remarks.add(Remark.notUnderstood(where, object.toString()));
    Table open = Opaque.table("inet", where, object.toString());
    Parts parts =
        table.orElseGet(
            () -> tables.computeIfAbsent(new Key("inet", open.name()), k -> new Parts()));
    for (Chain chain : open.chains()) {
      parts.chains.computeIfAbsent(chain.name(), n -> new ArrayList<>(List.of(chain.base())));
      parts.rules.computeIfAbsent(chain.name(), n -> new ArrayList<>()).addAll(chain.rules());
    }
  }

  private Origin origin(JsonNode of, String what) {
    String handle = Json.number(of, "handle").map(h -> " handle " + h).orElse("");
    return new Origin(file, 0, 0, Opaque.brief(what + handle));
  }

  // ---- chains
  // -------------------------------------------------------------------------------------------------------------------------

  private boolean chain(Parts table, JsonNode of) {
    Optional<String> name = Json.text(of, "name");
    if (name.isEmpty()) {
      return false;
    }
    List<Optional<Base>> places = new ArrayList<>();
    if (of.has("hook")) {
      Optional<Hook> hook =
          Json.text(of, "hook")
              .flatMap(word ->
                  Arrays.stream(Hook.values())
                      .filter(h -> h.name().toLowerCase(Locale.ROOT).equals(word))
                      .findFirst());
      Optional<Long> priority = Json.number(of, "prio").filter(p -> p == p.intValue());
      if (hook.isEmpty() || priority.isEmpty()) {
        return false;
      }
      List<String> devices = NftTerms.words(of.path("dev"));
      boolean drops = Json.text(of, "policy").filter("drop"::equals).isPresent();
      String type = Json.text(of, "type").orElse("filter");
      // A chain of several devices stands at each of them.
      for (int i = 0; i < Math.max(1, devices.size()); i++) {
        Optional<String> device =
            devices.isEmpty() ? Optional.empty() : Optional.of(devices.get(i));
        places.add(
            Optional.of(new Base(type, hook.get(), priority.get().intValue(), drops, device)));
      }
    } else {
      places.add(Optional.empty());
    }
    table.chains.put(name.get(), places);
    return true;
  }

  private boolean rule(Parts table, JsonNode of) {
    Optional<String> chain = Json.text(of, "chain");
    if (chain.isEmpty() || !of.path("expr").isArray()) {
      return false;
    }
    List<Statement> statements =
        Json.elements(of.path("expr")).stream().map(NftSteps::statement).toList();
    Origin where = origin(of, chain.get());
    Rule rule = new Rule(statements, Json.text(of, "comment").orElse(""), where);
    Unclear.texts(rule).forEach(text -> remarks.add(Remark.notUnderstood(where, text)));
    table.rules.computeIfAbsent(chain.get(), c -> new ArrayList<>()).add(rule);
    return true;
  }

  // ---- sets
  // ---------------------------------------------------------------------------------------------------------------------------

  private boolean set(Parts table, JsonNode of) {
    Optional<String> name = Json.text(of, "name");
    if (name.isEmpty()) {
      return false;
    }
    Origin where = origin(of, "set " + name.get());
    Selector key = type(of.path("type"));
    Optional<NftSet.Holds> holds =
        !of.has("map")
            ? Optional.empty()
            : Json.text(of, "map").filter("verdict"::equals).isPresent()
                ? Optional.of(new NftSet.Holds.Verdicts())
                : Optional.of(new NftSet.Holds.Values(type(of.path("map"))));
    EnumSet<NftSet.Flag> flags = EnumSet.noneOf(NftSet.Flag.class);
    List<String> words = NftTerms.words(of.path("flags"));
    Arrays.stream(NftSet.Flag.values())
        .filter(flag -> words.contains(flag.name().toLowerCase(Locale.ROOT)))
        .forEach(flags::add);
    List<NftSet.Element> elements = new ArrayList<>();
    for (JsonNode element : Json.elements(of.path("elem"))) {
      elements.add(element(element, key, holds, where));
    }
    table.sets.add(new NftSet(name.get(), key, holds, flags, elements, Optional.empty(), where));
    return true;
  }

  private static NftSet.Element element(
      JsonNode node, Selector key, Optional<NftSet.Holds> holds, Origin where) {
    if (holds.isEmpty()) {
      return NftSet.Element.of(NftTerms.value(node, key), where);
    }
    List<JsonNode> pair = Json.elements(node);
    if (pair.size() != 2) {
      return NftSet.Element.of(NftTerms.opaque(node), where);
    }
    Expression.Value of = NftTerms.value(pair.get(0), key);
    return switch (holds.get()) {
      case NftSet.Holds.Verdicts verdicts -> {
        Optional<Statement.Verdict> verdict = NftSteps.verdict(pair.get(1));
        yield new NftSet.Element(
            // A key without verdict would count as absent.
            of,
            Optional.of(verdict.orElse(new Statement.Verdict.Jump(Opaque.brief(node.toString())))),
            Optional.empty(),
            where);
      }
      case NftSet.Holds.Values values ->
          new NftSet.Element(
              of, Optional.empty(), Optional.of(NftTerms.value(pair.get(1), values.like())), where);
    };
  }

  /** A selector with values of the type, by nft's name of it; {@code typeof} where nft kept it. */
  private static Selector type(JsonNode node) {
    if (node.isArray() && !node.isEmpty()) {
      return new Expression.Concat(
          Json.elements(node).stream().<Expression>map(NftJson::type).toList());
    }
    if (node.isObject()) {
      return NftTerms.selector(node.has("typeof") ? node.path("typeof") : node);
    }
    String name = node.isString() ? node.stringValue() : "";
    return switch (name) {
      case "ipv4_addr" -> new Expression.Payload("ip", "saddr");
      case "ipv6_addr" -> new Expression.Payload("ip6", "saddr");
      case "ether_addr" -> new Expression.Payload("ether", "saddr");
      case "inet_service" -> new Expression.Payload("th", "dport");
      case "inet_proto" -> new Meta(Meta.Key.L4PROTO);
      case "nf_proto" -> new Meta(Meta.Key.NFPROTO);
      case "mark" -> new Meta(Meta.Key.MARK);
      case "ifname" -> new Meta(Meta.Key.IIFNAME);
      case "iface_index" -> new Meta(Meta.Key.IIF);
      case "iface_type" -> new Meta(Meta.Key.IIFTYPE);
      case "pkt_type" -> new Meta(Meta.Key.PKTTYPE);
      case "uid" -> new Meta(Meta.Key.SKUID);
      case "ct_state" -> new Expression.Ct("state", Optional.empty());
      case "ct_dir" -> new Expression.Ct("direction", Optional.empty());
      case "icmp_type" -> new Expression.Payload("icmp", "type");
      case "icmpv6_type" -> new Expression.Payload("icmpv6", "type");
      default -> new Expression.Opaque(Opaque.brief(node.toString()));
    };
  }

  // ---- together
  // -----------------------------------------------------------------------------------------------------------------------

  private TablesRead done() {
    List<Table> all = new ArrayList<>();
    tables.forEach((key, parts) -> {
      List<Chain> chains = new ArrayList<>();
      parts.rules.keySet().forEach(c -> parts.chains.putIfAbsent(c, List.of(Optional.empty())));
      parts.chains.forEach((name, places) ->
          places.forEach(place ->
              chains.add(
                  new Chain(
                      name,
                      // The kernel takes the chains of a dormant table off their hooks.
                      parts.dormant ? Optional.empty() : place,
                      parts.rules.getOrDefault(name, List.of())))));
      all.add(new Table(key.family(), key.name(), parts.sets, chains));
    });
    return new TablesRead(all, remarks);
  }
}
