package io.gatehouse.apply;

import io.gatehouse.ruleset.Sysctl;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Which kernel settings a change writes, and what undoes it. Some writes rewrite other keys
 * (Documentation/networking/ip-sysctl.rst, net/ipv4/devinet.c, net/ipv6/addrconf.c), so the whole
 * tree that a write affects is read before, and written key by key, by interface.
 *
 * @param values each key of the affected trees with its value before and after, in the order of
 *     writing
 * @param base each key that is ours to give back, with its value before us
 * @param absent keys whose device is not there
 */
record SysctlPlan(List<Value> values, Map<String, String> base, List<Sysctl> absent) {

  /**
   * A key's way through the change.
   *
   * @param after also what status expects, where somebody asked for it
   */
  record Value(String key, String before, String after) {}

  private static final String FORWARD4 = "net/ipv4/ip_forward";
  private static final String FORWARD6 = "net/ipv6/conf/all/forwarding";

  SysctlPlan {
    values = List.copyOf(values);
    base = Map.copyOf(base);
    absent = List.copyOf(absent);
  }

  /** The keys that a write to this one may change, with stars for names. */
  static List<String> affected(String key) {
    if (key.equals(FORWARD4) || key.matches("net/ipv4/conf/(all|default)/forwarding")) {
      // inet_forward_change: forwarding of all, default and each; and all/accept_redirects the
      // other way.
      return List.of(FORWARD4, "net/ipv4/conf/*/forwarding", "net/ipv4/conf/all/accept_redirects");
    }
    String[] parts = key.split("/", -1);
    if (parts.length == 5
        && parts[2].equals("conf")
        && (parts[3].equals("all") || parts[3].equals("default"))) {
      return List.of(parts[0] + "/" + parts[1] + "/conf/*/" + parts[4]);
    }
    return List.of(key);
  }

  static List<String> affected(Iterable<String> keys) {
    Set<String> patterns = new LinkedHashSet<>();
    keys.forEach(key -> patterns.addAll(affected(key)));
    return List.copyOf(patterns);
  }

  /**
   * Computes the writes.
   *
   * @param wanted in the order of writing
   * @param current the affected trees of everything wanted and of {@code base}, as read
   * @param base what stood before us, for keys that we have changed; empty the first time
   * @param left what we left there last time; a key that has another value now is somebody else's
   *     since
   */
  static SysctlPlan of(
      List<Sysctl> wanted,
      Map<String, String> current,
      Map<String, String> base,
      Map<String, String> left) {
    Map<String, String> goal = new TreeMap<>(current);
    Set<String> asked = new LinkedHashSet<>();
    List<Sysctl> absent = new ArrayList<>();
    for (Sysctl sysctl : wanted) {
      if (current.containsKey(sysctl.key())) {
        asked.add(sysctl.key());
      } else {
        absent.add(sysctl);
      }
    }
    List<String> keptTrees = affected(asked);
    // What nobody asks for any more goes back, unless somebody else has changed it.
    List<String> givenBack = new ArrayList<>();
    base.forEach((key, before) -> {
      if (current.containsKey(key) && keptTrees.stream().noneMatch(tree -> matches(tree, key))) {
        givenBack.add(key);
      }
    });
    givenBack.sort(
        // Forwarding ends before router advertisements are no longer accepted; what rewrites others
        // is first.
        Comparator.<String>comparingInt(key -> key.endsWith("accept_ra") ? 1 : 0)
            .thenComparingInt(key -> key.equals(FORWARD4) || key.contains("/all/") ? 0 : 1)
            .thenComparingInt(key -> key.contains("/default/") ? 0 : 1)
            .thenComparing(key -> key));
    for (String key : givenBack) {
      if (isOurs(key, current, left)) {
        String before = Optional.ofNullable(base.get(key)).orElseThrow();
        forwardingOf(key, before, goal);
        goal.put(key, before);
      }
    }
    for (String key : givenBack) {
      if (isOurs(key, current, left)) {
        goal.put(key, Optional.ofNullable(base.get(key)).orElseThrow());
      }
    }
    for (Sysctl sysctl : wanted) {
      if (asked.contains(sysctl.key())) {
        forwardingOf(sysctl.key(), sysctl.value(), goal);
        goal.put(sysctl.key(), sysctl.value());
      }
    }
    for (Sysctl sysctl : wanted) {
      if (asked.contains(sysctl.key())) {
        goal.put(sysctl.key(), sysctl.value());
      }
    }
    Set<String> order = new LinkedHashSet<>(asked);
    order.addAll(givenBack);
    order.addAll(goal.keySet());
    List<Value> values = new ArrayList<>();
    Map<String, String> newBase = new LinkedHashMap<>();
    for (String key : order) {
      String now = current.get(key);
      String then = goal.get(key);
      if (now == null || then == null) {
        continue;
      }
      values.add(new Value(key, now, then));
      if (keptTrees.stream().anyMatch(tree -> matches(tree, key))) {
        newBase.put(key, base.getOrDefault(key, now));
      }
    }
    return new SysctlPlan(values, newBase, absent);
  }

  private static boolean isOurs(String key, Map<String, String> current, Map<String, String> left) {
    String last = left.get(key);
    return last == null || last.equals(current.get(key));
  }

  /**
   * What the kernel itself does to other keys when forwarding changes; a write of the same value
   * does nothing.
   */
  private static void forwardingOf(String key, String value, Map<String, String> goal) {
    if (value.equals(goal.get(key))) {
      return;
    }
    if (key.equals(FORWARD4) || key.equals("net/ipv4/conf/all/forwarding")) {
      goal.replaceAll(
          (k, v) -> k.equals(FORWARD4) || matches("net/ipv4/conf/*/forwarding", k) ? value : v);
      goal.computeIfPresent(
          "net/ipv4/conf/all/accept_redirects", (k, v) -> value.equals("0") ? "1" : "0");
    } else if (key.equals(FORWARD6)) {
      goal.replaceAll((k, v) -> matches("net/ipv6/conf/*/forwarding", k) ? value : v);
    }
  }

  static boolean matches(String pattern, String key) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      return pattern.equals(key);
    }
    String tail = pattern.substring(star + 1);
    return key.length() > star + tail.length()
        && key.startsWith(pattern.substring(0, star))
        && key.endsWith(tail)
        && key.indexOf('/', star) == key.length() - tail.length();
  }

  /** Keys whose value changes, for people to read. */
  List<Value> changes() {
    return values.stream().filter(value -> !value.before().equals(value.after())).toList();
  }
}
