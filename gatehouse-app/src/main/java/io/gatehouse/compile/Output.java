package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;

/** What this host itself sends, where that is closed. */
final class Output {
  private Output() {}

  static void write(Draft draft) {
    if (draft.gateway.host().outputClosed()) {
      draft.base("output", "filter", Hook.OUTPUT, 0, true, rules(draft));
    }
  }

  private static List<Rule> rules(Draft draft) {
    Host host = draft.gateway.host();
    List<Rule> rules = new ArrayList<>();
    rules.add(
        Nft.rule(
            "this host to itself",
            Origin.builtIn("loopback"),
            Nft.is(Nft.OIFNAME, Nft.device("lo")),
            Nft.ACCEPT));
    rules.add(
        Nft.rule(
            "belongs to a connection",
            Origin.builtIn("established"),
            Nft.state("established"),
            Nft.ACCEPT));
    rules.addAll(Icmp.ownErrors());
    rules.addAll(neighbours(draft));
    rules.addAll(new Ike(draft).out());
    rules.addAll(l2tp(draft));
    rules.addAll(Dhcp.ourQuestions(draft.gateway));
    rules.addAll(Dhcp.ourAnswers(draft.gateway));
    rules.addAll(Dhcp.questionsForClients(draft.gateway));
    rules.addAll(VpnHosts.output(draft));
    rules.addAll(outgoing(host));
    rules.add(draft.end("output", "nothing allows it", host.origin()));
    return rules;
  }

  private static List<Rule> neighbours(Draft draft) {
    List<Rule> rules = new ArrayList<>();
    if (draft.space.speaks(Family.V6)) {
      rules.add(Icmp.neighbours());
      rules.add(
          Nft.rule(
              "looks for routers, tells what it listens to",
              Origin.builtIn("neighbour-discovery"),
              Icmp.type(
                  Family.V6,
                  "nd-router-solicit",
                  "mld-listener-report",
                  "mld-listener-done",
                  "mld2-listener-report"),
              Nft.ACCEPT));
      draft
          .places
          .inside()
          .ifPresent(inside ->
              rules.add(
                  Nft.rule(
                      "router advertisements to the inside",
                      Origin.builtIn("neighbour-discovery"),
                      Nft.is(Nft.OIFNAME, inside),
                      Icmp.type(Family.V6, "nd-router-advert"),
                      Icmp.hopLimit(255),
                      Nft.ACCEPT)));
    }
    return rules;
  }

  /** L2TP's daemon speaks first after its own time-outs, and only under protection. */
  private static List<Rule> l2tp(Draft draft) {
    return draft.gateway.tunnels().stream()
        .filter(tunnel -> tunnel instanceof Tunnel.L2tp)
        .limit(1)
        .map(tunnel ->
            Nft.rule(
                "L2TP under protection",
                tunnel.origin(),
                Nft.PROTECTED,
                Nft.udpSport(1701),
                Nft.ACCEPT))
        .toList();
  }

  private static List<Rule> outgoing(Host host) {
    List<Rule> rules = new ArrayList<>();
    for (Located<Service> service : host.outgoing()) {
      for (List<Statement> which :
          Nft.services(List.of(service.value()), List.of(Family.values()))) {
        rules.add(
            Nft.rule(
                "this host may begin it", service.origin(), Nft.all(which, List.of(Nft.ACCEPT))));
      }
    }
    return rules;
  }
}
