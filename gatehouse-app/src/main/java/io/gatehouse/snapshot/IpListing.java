package io.gatehouse.snapshot;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code ip rule}, {@code ip route} and {@code ip addr} print for people, in the words in
 * which they print it for programs: old collections have only that. A line that is none of theirs,
 * or a word that we do not know, stays in the result as something that its reader does not know.
 */
final class IpListing {
  private static final Pattern FILE =
      Pattern.compile(
          "ip-(?:([46])-)?(rule|route|addr)(?:[a-z-]*?)(?:-table-([A-Za-z0-9_]+))?(-6)?\\.txt");

  private static final Pattern RULE = Pattern.compile("([0-9]+):\\s*(.*)");
  private static final Pattern DEVICE = Pattern.compile("[0-9]+: ([^:@\\s]+)(?:@[^:]*)?: (.*)");
  private static final Pattern ADDRESS = Pattern.compile("inet6? (\\S+?)(?: peer (\\S+))?( .*|)");

  private static final Set<String> TYPES =
      Set.of(
          "unicast",
          "local",
          "broadcast",
          "multicast",
          "throw",
          "unreachable",
          "prohibit",
          "blackhole",
          "anycast");

  /** Words of a route that say nothing about where a packet goes; those with a value behind. */
  private static final Set<String> VALUED =
      Set.of("proto", "scope", "pref", "mtu", "advmss", "realm", "expires", "hoplimit", "error");

  private static final Set<String> FLAGS =
      Set.of("onlink", "linkdown", "dead", "pervasive", "notify", "cache", "offload");

  private IpListing() {}

  /**
   * Adds to a collection's texts what its listings for people say, where those for programs lack.
   */
  static void addTo(Map<String, String> texts) {
    Map<String, List<Map<String, Object>>> made = new TreeMap<>();
    for (Map.Entry<String, String> file : texts.entrySet()) {
      Matcher name = FILE.matcher(file.getKey());
      if (!name.matches()) {
        continue;
      }
      boolean six = "6".equals(name.group(1)) || name.group(4) != null;
      String kind = name.group(2);
      String target = "ip-" + kind + (six && !kind.equals("addr") ? "-6" : "") + ".json";
      if (texts.containsKey(target)) {
        continue;
      }
      Optional<String> table = Optional.ofNullable(name.group(3)).filter(t -> !t.equals("all"));
      List<Map<String, Object>> entries =
          switch (kind) {
            case "rule" -> rules(file.getValue());
            case "route" -> routes(file.getValue(), table);
            default -> devices(file.getValue());
          };
      made.computeIfAbsent(target, t -> new ArrayList<>()).addAll(entries);
    }
    JsonMapper mapper = new JsonMapper();
    made.forEach((target, entries) -> texts.put(target, mapper.writeValueAsString(entries)));
  }

  private static List<String> words(String line) {
    return List.of(line.strip().split("\\s+", -1));
  }

  // ---- rules

  private static List<Map<String, Object>> rules(String text) {
    List<Map<String, Object>> rules = new ArrayList<>();
    for (String line : text.lines().filter(l -> !l.isBlank()).toList()) {
      Matcher matcher = RULE.matcher(line.strip());
      Map<String, Object> rule = new LinkedHashMap<>();
      if (matcher.matches() && matcher.group(1).length() < 11) {
        rule.put("priority", Long.valueOf(matcher.group(1)));
        rule(words(matcher.group(2)), rule);
      } else {
        rule.put("unread", line);
      }
      rules.add(rule);
    }
    return rules;
  }

  private static void rule(List<String> words, Map<String, Object> rule) {
    int i = 0;
    while (i < words.size()) {
      String word = words.get(i++);
      String value = i < words.size() ? words.get(i) : "";
      switch (word) {
        case "not" -> rule.put("not", true);
        case "from", "to" -> {
          prefix(rule, word.equals("from") ? "src" : "dst", value);
          i++;
        }
        case "fwmark" -> {
          int slash = value.indexOf('/');
          rule.put("fwmark", slash < 0 ? value : value.substring(0, slash));
          if (slash >= 0) {
            rule.put("fwmask", value.substring(slash + 1));
          }
          i++;
        }
        case "iif", "oif", "ipproto", "goto", "protocol", "proto" -> {
          rule.put(word.equals("proto") ? "protocol" : word, value);
          i++;
        }
        case "sport", "dport" -> {
          int dash = value.indexOf('-');
          rule.put(dash < 0 ? word : word + "_start", dash < 0 ? value : value.substring(0, dash));
          if (dash >= 0) {
            rule.put(word + "_end", value.substring(dash + 1));
          }
          i++;
        }
        case "lookup", "table" -> {
          rule.put("table", value);
          i++;
        }
        case "suppress_prefixlength" -> {
          rule.put("suppress_prefixlen", value);
          i++;
        }
        case "unreachable", "prohibit", "blackhole", "nop" -> rule.put("action", word);
        case "[detached]" -> rule.put("detached", true);
        default -> rule.merge("unread", word, (old, now) -> old + " " + now);
      }
    }
  }

  private static void prefix(Map<String, Object> rule, String key, String value) {
    int slash = value.indexOf('/');
    rule.put(key, slash < 0 ? value : value.substring(0, slash));
    if (slash >= 0) {
      rule.put(key + "len", value.substring(slash + 1));
    }
  }

  // ---- routes

  private static List<Map<String, Object>> routes(String text, Optional<String> table) {
    List<Map<String, Object>> routes = new ArrayList<>();
    for (String line : text.lines().filter(l -> !l.isBlank()).toList()) {
      List<String> words = words(line);
      // A hop of the multipath route above.
      if (words.getFirst().equals("nexthop") && !routes.isEmpty()) {
        int dev = words.indexOf("dev");
        if (dev > 0 && dev + 1 < words.size()) {
          @SuppressWarnings("unchecked")
          List<Map<String, Object>> hops =
              (List<Map<String, Object>>)
                  routes.getLast().computeIfAbsent("nexthops", k -> new ArrayList<>());
          hops.add(Map.of("dev", words.get(dev + 1)));
        }
        continue;
      }
      routes.add(route(words, table));
    }
    return routes;
  }

  private static Map<String, Object> route(List<String> words, Optional<String> table) {
    Map<String, Object> route = new LinkedHashMap<>();
    table.ifPresent(t -> route.put("table", t));
    int i = 0;
    if (TYPES.contains(words.getFirst())) {
      route.put("type", words.getFirst());
      i++;
    }
    route.put("dst", i < words.size() ? words.get(i++) : "nothing");
    while (i < words.size()) {
      String word = words.get(i++);
      String value = i < words.size() ? words.get(i) : "";
      switch (word) {
        case "via" -> {
          boolean family = value.equals("inet6") || value.equals("inet");
          route.put("gateway", family && i + 1 < words.size() ? words.get(i + 1) : value);
          i += family ? 2 : 1;
        }
        case "dev", "table", "tos", "from" -> {
          route.put(word, value);
          i++;
        }
        case "src" -> {
          route.put("prefsrc", value);
          i++;
        }
        case "metric" -> {
          route.put("metric", value);
          i++;
        }
        default -> {
          if (word.equals("proto")) {
            route.put("protocol", value);
          }
          if (VALUED.contains(word)) {
            i++;
          } else if (!FLAGS.contains(word)) {
            // Named as a route that serves some packets only.
            route.merge("tos", word, (old, now) -> old + " " + now);
          }
        }
      }
    }
    return route;
  }

  // ---- devices

  private static List<Map<String, Object>> devices(String text) {
    List<Map<String, Object>> devices = new ArrayList<>();
    List<Map<String, Object>> addresses = new ArrayList<>();
    for (String line : text.lines().toList()) {
      Matcher device = DEVICE.matcher(line);
      Matcher address = ADDRESS.matcher(line.strip());
      if (device.matches()) {
        Map<String, Object> entry = new LinkedHashMap<>();
        addresses = new ArrayList<>();
        entry.put("ifname", device.group(1));
        List<String> words = words(device.group(2));
        int mtu = words.indexOf("mtu");
        if (mtu >= 0 && mtu + 1 < words.size() && words.get(mtu + 1).matches("[0-9]{1,7}")) {
          entry.put("mtu", Integer.valueOf(words.get(mtu + 1)));
        }
        entry.put("addr_info", addresses);
        devices.add(entry);
      } else if (address.matches()) {
        Map<String, Object> entry = new LinkedHashMap<>();
        String own = address.group(1);
        String link = Optional.ofNullable(address.group(2)).orElse(own);
        entry.put("local", own.contains("/") ? own.substring(0, own.indexOf('/')) : own);
        int slash = link.indexOf('/');
        entry.put(
            "prefixlen",
            slash < 0 ? (link.contains(":") ? "128" : "32") : link.substring(slash + 1));
        addresses.add(entry);
      }
    }
    return devices;
  }
}
