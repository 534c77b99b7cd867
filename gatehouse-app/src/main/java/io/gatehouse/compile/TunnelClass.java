package io.gatehouse.compile;

import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Tunnels that one chain serves, because nothing that its rules say differs between them.
 *
 * @param key all that the rules depend on
 * @param tunnels never empty, in the order of the description
 */
record TunnelClass<K>(K key, List<Tunnel> tunnels) {
  TunnelClass {
    tunnels = List.copyOf(tunnels);
  }

  /** The classes of the tunnels, the class of the first tunnel first. */
  static <K> List<TunnelClass<K>> of(List<Tunnel> tunnels, Function<Tunnel, K> key) {
    Map<K, List<Tunnel>> classes = new LinkedHashMap<>();
    for (Tunnel tunnel : tunnels) {
      classes.computeIfAbsent(key.apply(tunnel), k -> new ArrayList<>()).add(tunnel);
    }
    return classes.entrySet().stream()
        .map(entry -> new TunnelClass<>(entry.getKey(), entry.getValue()))
        .toList();
  }

  /** The tunnel that stands for all of them: its lines are the rules' origins. */
  Tunnel first() {
    return tunnels.getFirst();
  }

  /** What its chain is called behind the prefix. */
  String name() {
    return first().name();
  }
}
