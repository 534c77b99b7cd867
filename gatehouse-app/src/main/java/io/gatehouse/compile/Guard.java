package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The last look at a packet that leaves. The kernel looks for an xfrm policy again after source NAT
 * (nf_xfrm_me_harder): what was to be protected when it was forwarded may leave in clear all the
 * same, so this stands behind every source NAT, foreign ones too.
 */
final class Guard {
  /** Behind everything that may still rewrite a source; 300 is the last that distributions use. */
  private static final int PRIORITY = 320;

  private static final int L2TP = 1701;
  private static final Origin ORIGIN = Origin.builtIn("guard");

  private final Draft draft;

  private Guard(Draft draft) {
    this.draft = draft;
  }

  static void write(Draft draft) {
    Guard guard = new Guard(draft);
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      rules.addAll(guard.peersAmidst(family));
    }
    rules.addAll(Evidence.leavingInClear(draft));
    for (Family family : Family.values()) {
      rules.addAll(guard.sources(family));
      rules.addAll(SharedClient.guard(draft, family, ORIGIN));
    }
    rules.addAll(guard.redirects());
    rules.addAll(guard.l2tp());
    draft.gateway.identities().forEach(identity -> rules.addAll(guard.identity(identity)));
    draft.base("guard", "filter", Hook.POSTROUTING, PRIORITY, false, rules);
  }

  /** What protects packets to a peer amidst its own remote network travels in clear itself. */
  private List<Rule> peersAmidst(Family family) {
    Optional<SetRef> peers = new Ike(draft).amidst(family);
    if (peers.isEmpty()) {
      return List.of();
    }
    Statement to = Nft.is(Nft.daddr(family), peers.get());
    Origin origin = Origin.builtIn("peer-amidst-its-network");
    return List.of(
        Nft.rule(
            "IKE to a peer amidst its network",
            origin,
            to,
            Nft.FROM_THIS_HOST,
            Nft.udpSport(Ike.PORTS),
            Nft.ACCEPT),
        Nft.rule(
            "ESP to a peer amidst its network",
            origin,
            to,
            Nft.FROM_THIS_HOST,
            Nft.protocol(Protocol.ESP),
            Nft.ACCEPT));
  }

  /**
   * Nothing that is or was a far source leaves by an outside interface in clear, unless it may
   * reach the internet.
   */
  private List<Rule> sources(Family family) {
    List<Rule> rules = new ArrayList<>();
    Optional<SetRef> outside = draft.places.outside();
    if (outside.isEmpty()) {
      return rules;
    }
    List<Statement> leaving = new ArrayList<>(List.of(Nft.is(Nft.OIFNAME, outside.get())));
    if (draft.gateway.networks().stream().anyMatch(network -> isOutside(network.on().device()))) {
      draft
          .places
          .networks(family)
          .ifPresent(networks -> leaving.add(Nft.isNot(Nft.daddr(family), networks)));
    }
    List<Located<Prefix>> offline = draft.places.far(family, t -> !draft.access.toInternet(t));
    List<Located<Prefix>> rewritten =
        draft.places.far(family, draft.access::toInternet).stream()
            .filter(prefix -> !Nat.isRouted(prefix.value()))
            .toList();
    List<Located<Prefix>> never = new ArrayList<>(offline);
    never.addAll(rewritten);
    draft
        .places
        .ofFar("never_in_clear", family, never)
        .ifPresent(
            set -> rules.add(inClear("source of a tunnel", leaving, Nft.saddr(family), set)));
    draft
        .places
        .ofFar("offline", family, offline)
        .ifPresent(set ->
            rules.add(
                inClear(
                    "was the source of a tunnel before NAT",
                    leaving,
                    Nft.original(family, "saddr"),
                    set)));
    untranslated(family, leaving).ifPresent(rules::add);
    return rules;
  }

  /**
   * A network that appears under another address never leaves with its own: NAT sees nothing of
   * packets that conntrack makes nothing of, nor of connections that are older than its rules.
   */
  private Optional<Rule> untranslated(Family family, List<Statement> leaving) {
    return draft.sets.addresses("translated", family, Nat.translated(draft, family)).stream()
        .map(set ->
            Nft.rule(
                "its address means nothing out there",
                ORIGIN,
                Nft.all(
                    leaving,
                    List.of(
                        Nft.is(Nft.saddr(family), set),
                        Nft.NOT_FROM_THIS_HOST,
                        Nft.IN_CLEAR,
                        draft.drop("guard")))))
        .findFirst();
  }

  /** Somebody would be told to go round us, in clear; for IPv6 the kernel has no switch. */
  private List<Rule> redirects() {
    return draft.space.forwards(Family.V6)
        ? List.of(
            Nft.rule(
                "no redirects",
                Origin.builtIn("redirects"),
                Icmp.type(Family.V6, "nd-redirect"),
                draft.drop("guard")))
        : List.of();
  }

  private Rule inClear(String what, List<Statement> leaving, Selector source, SetRef set) {
    return Nft.rule(
        what + ", leaves in clear",
        ORIGIN,
        Nft.all(leaving, List.of(Nft.is(source, set), Nft.IN_CLEAR, draft.drop("guard"))));
  }

  private boolean isOutside(String device) {
    return draft.gateway.outside().stream().anyMatch(at -> at.device().equals(device));
  }

  /**
   * Our answers to L2TP's clients: when the SA is gone, so is the policy, and they would leave in
   * clear.
   */
  private List<Rule> l2tp() {
    return draft.gateway.tunnels().stream()
        .filter(tunnel -> tunnel instanceof Tunnel.L2tp)
        .limit(1)
        .map(tunnel ->
            Nft.rule(
                "L2TP, leaves in clear",
                tunnel.origin(),
                Nft.isNot(Nft.OIFNAME, Nft.device("lo")),
                Nft.FROM_THIS_HOST,
                Nft.udpSport(L2TP),
                Nft.IN_CLEAR,
                draft.drop("guard")))
        .toList();
  }

  /** An identity leaves by its own path or not at all. */
  private List<Rule> identity(Identity identity) {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Value> addresses =
          identity.addresses().stream()
              .map(Located::value)
              .filter(address -> address.family() == family)
              .map(Nft::address)
              .toList();
      if (!addresses.isEmpty()) {
        List<Statement> astray = new ArrayList<>();
        astray.add(Nft.is(Nft.saddr(family), Nft.anyOf(addresses)));
        astray.add(
            Nft.isNot(
                Nft.OIFNAME, Nft.anyOf(List.of(Nft.device(identity.device()), Nft.device("lo")))));
        beside(family).ifPresent(near -> astray.add(Nft.isNot(Nft.daddr(family), near)));
        astray.add(draft.drop("identity"));
        rules.add(
            Nft.rule(
                "identity " + identity.name() + " leaves by another path",
                identity.origin(),
                astray));
      }
    }
    return rules;
  }

  /** Networks of ours that are on no identity's path. */
  private Optional<SetRef> beside(Family family) {
    return draft.sets.addresses(
        "beside",
        family,
        draft.gateway.networks().stream()
            .filter(network -> Routes.isBeside(draft.gateway, network))
            .flatMap(network -> draft.space.network(network, family).stream())
            .toList());
  }
}
