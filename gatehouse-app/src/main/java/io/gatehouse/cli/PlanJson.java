package io.gatehouse.cli;

import io.gatehouse.apply.Forecast;
import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.MssReckoning;
import io.gatehouse.config.Problem;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A plan for programs; docs/json.md tells its shape. */
final class PlanJson {
  private PlanJson() {}

  static Map<String, Object> refused(List<Problem> problems) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", false);
    answer.put("problems", Json.problems(problems));
    return answer;
  }

  static Map<String, Object> of(
      Described described, Forecast forecast, Map<String, String> settings) {
    Gateway gateway = described.gateway();
    Compiled compiled = described.compiled();
    Ruleset ruleset = compiled.ruleset();
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", true);
    answer.put("gateway", gateway.name());
    answer.put("different", forecast.different());
    answer.put("missing", forecast.missing());
    answer.put("conflicts", forecast.conflicts());
    answer.put("problems", Json.problems(described.remarks()));
    answer.put("notes", Json.notes(compiled.notes()));
    answer.put("rules", ruleset.ruleCount());
    answer.put("tunnels", gateway.tunnels().stream().map(t -> tunnel(t, compiled)).toList());
    answer.put("settings", ruleset.sysctls().stream().map(s -> setting(s, settings)).toList());
    answer.put("backstop", ruleset.backstop().stream().map(PlanJson::policy).toList());
    answer.put("changes", forecast.changes());
    answer.put("connections", forecast.connections());
    answer.put("warnings", forecast.warnings());
    answer.put("companions", compiled.companions().stream().map(PlanJson::companion).toList());
    return answer;
  }

  private static Map<String, Object> tunnel(Tunnel tunnel, Compiled compiled) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("name", tunnel.name());
    map.put("place", tunnel.origin().place());
    map.put("far", tunnel.farPrefixes().stream().map(p -> p.value().toString()).toList());
    compiled.mss().stream()
        .filter(reckoning -> reckoning.tunnel().equals(tunnel.name()))
        .findFirst()
        .ifPresent(reckoning -> map.put("mss", mss(reckoning)));
    return map;
  }

  private static Map<String, Object> mss(MssReckoning reckoning) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (Family family : Family.values()) {
      reckoning
          .clamp(family)
          .ifPresent(bytes -> map.put(family == Family.V4 ? "ipv4" : "ipv6", bytes));
    }
    map.put("path", reckoning.path());
    map.put("pathMtu", reckoning.pathMtu());
    map.put("innerMtu", reckoning.innerMtu());
    map.put("suite", reckoning.suite());
    Map<String, Integer> terms = new LinkedHashMap<>();
    reckoning.terms().forEach(term -> terms.put(term.name(), term.bytes()));
    map.put("terms", terms);
    return map;
  }

  private static Map<String, Object> setting(Sysctl sysctl, Map<String, String> settings) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("key", sysctl.key());
    String now = settings.get(sysctl.key());
    if (now != null) {
      map.put("now", now);
    }
    map.put("then", sysctl.value());
    map.put("place", sysctl.origin().place());
    return map;
  }

  private static Map<String, Object> policy(XfrmPolicy policy) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("direction", policy.direction().name().toLowerCase(Locale.ROOT));
    map.put("source", policy.source().toString());
    map.put("destination", policy.destination().toString());
    map.put("block", policy.block());
    map.put("priority", policy.priority());
    policy.mark().ifPresent(mark -> map.put("mark", mark.value() + "/" + mark.mask()));
    map.put("place", policy.origin().place());
    return map;
  }

  private static Map<String, Object> companion(Companion companion) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("subject", companion.subject());
    map.put("destination", companion.destination());
    map.put("text", companion.text());
    map.put("place", companion.origin().place());
    return map;
  }
}
