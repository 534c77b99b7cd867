package io.gatehouse.compile;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Ruleset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Makes of a description everything that it asks of the kernel. A function: no I/O, no clock, the
 * same every time.
 */
public final class Compiler {
  private Compiler() {}

  /** The ruleset of a gateway, with what belongs to it. */
  public static Compiled compile(Gateway gateway) {
    // Texts for others ask nothing of the rules: of many peers they are a fifth of the work.
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      return compile(gateway, CompletableFuture.supplyAsync(() -> advice(gateway), thread));
    }
  }

  private static Compiled compile(Gateway gateway, CompletableFuture<List<Advice>> texts) {
    Map<String, MssReckoning> mss = new LinkedHashMap<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      mss.put(tunnel.name(), MssReckoning.of(tunnel));
    }
    Draft draft = new Draft(gateway);
    Nat.writeIn(draft);
    Images.write(draft);
    MssClamp.write(draft, mss);
    L2tp.write(draft);
    VpnHosts.write(draft);
    SharedClient.write(draft);
    Uplinks.write(draft);
    Input.write(draft);
    Forward.write(draft);
    Output.write(draft);
    Nat.writeOut(draft);
    Guard.write(draft);
    Routes routes = Routes.of(gateway);

    List<Note> notes = new ArrayList<>(routes.notes());
    mss.values().forEach(reckoning -> notes.addAll(reckoning.notes()));
    notes.addAll(Warnings.of(gateway));
    List<Companion> companions = new ArrayList<>();
    for (Advice advice : texts.join()) {
      companions.addAll(advice.companions());
      notes.addAll(advice.notes());
    }
    Ruleset ruleset =
        new Ruleset(
            gateway.name(),
            List.of(draft.table()),
            Backstop.of(gateway),
            routes.rules(),
            routes.routes(),
            List.of(), // the daemon answers for each client while its tunnel is up
            Sysctls.of(gateway, draft.space, routes.answering()),
            gateway.numbers());
    return new Compiled(ruleset, notes, companions, List.copyOf(mss.values()));
  }

  private static List<Advice> advice(Gateway gateway) {
    List<Advice> advice = new ArrayList<>();
    Selectors selectors = new Selectors(gateway);
    gateway.tunnels().forEach(tunnel -> advice.add(Swanctl.of(gateway, selectors, tunnel)));
    advice.add(WayBack.of(gateway));
    return advice;
  }
}
