package io.gatehouse.compile;

import static io.gatehouse.compile.VpnHostMaps.COOKIE;
import static io.gatehouse.compile.VpnHostMaps.COOKIES;
import static io.gatehouse.compile.VpnHostMaps.DADDR;
import static io.gatehouse.compile.VpnHostMaps.HOSTS;
import static io.gatehouse.compile.VpnHostMaps.KNOWN;
import static io.gatehouse.compile.VpnHostMaps.OWN_COOKIES;
import static io.gatehouse.compile.VpnHostMaps.OWN_SPIS;
import static io.gatehouse.compile.VpnHostMaps.QUOTED;
import static io.gatehouse.compile.VpnHostMaps.SADDR;
import static io.gatehouse.compile.VpnHostMaps.SENT;
import static io.gatehouse.compile.VpnHostMaps.SPI;
import static io.gatehouse.compile.VpnHostMaps.SPIS;
import static io.gatehouse.compile.VpnHostMaps.WATCHED;
import static io.gatehouse.compile.VpnHostMaps.ZONE;
import static io.gatehouse.compile.VpnHostMaps.ZONES;
import static io.gatehouse.compile.VpnHostMaps.concat;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Fib;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.RawPayload;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Update;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * IPsec hosts behind one address. Each has a conntrack zone of its own, so that the connections of
 * several with one remote are several to conntrack; the zone of a packet from outside is looked up
 * by its SPI or its initiator's cookie. What no map knows is asked of the daemon.
 */
final class VpnHosts {
  /** What hosts send is asked about in chains of their own. */
  private static final String ASK_IKE = "masq_ike";

  private static final String ASK_ESP = "masq_esp";
  private static final String ASK_AH = "masq_ah";

  /** Packets of AH in a second that the daemon is told of, so that a flood keeps nothing else. */
  private static final Statement FEW = new Statement.Limit(10, "second", 5, false);

  /** What of them goes through, and is remembered. */
  private static final String LEARN = "masq_learn";

  /** Of conntrack: finds the GRE that belongs to a session, and translates its Call IDs. */
  private static final String PPTP = "pptp";

  private static final int RAW = -300;
  private static final int MANGLE = -150;

  /** Before the kernel's own source NAT, which does not see what has no connection. */
  private static final int SRCNAT = 99;

  /** To a host inside, from our own address. */
  static final Statement TRANSLATED =
      Nft.is(new Ct("status", Optional.empty()), new Symbol("dnat"));

  private static final Statement IS_ESP = Nft.protocol(Protocol.ESP);
  private static final Statement IS_AH = Nft.protocol(Protocol.AH);
  private static final List<Statement> IS_IKE = List.of(Nft.udpSport(500), Nft.udpDport(500));

  /** The responder's cookie. */
  private static final Statement ANSWERED = Nft.isNot(new RawPayload("th", 128, 64), Nft.number(0));

  /** RFC 792: what quotes a packet of ours. */
  private static final List<String> ERRORS =
      List.of("destination-unreachable", "time-exceeded", "parameter-problem");

  private final Draft draft;
  private final Masquerade wish;
  private final Numbers numbers;
  private final Value zones;

  private VpnHosts(Draft draft, Masquerade wish) {
    this.draft = draft;
    this.wish = wish;
    numbers = draft.gateway.numbers();
    zones = VpnHostMaps.zones(draft);
  }

  /** The maps, and the chains before routing. */
  static void write(Draft draft) {
    draft
        .gateway
        .masquerade()
        .ifPresent(wish -> {
          VpnHosts hosts = new VpnHosts(draft, wish);
          VpnHostMaps.write(draft, wish);
          Optional<PastConntrack> past = PastConntrack.of(draft);
          List<Rule> asking = new ArrayList<>();
          past.map(PastConntrack::asking).ifPresent(asking::addAll);
          List<Rule> learning = new ArrayList<>();
          wish.on()
              .forEach(at -> {
                asking.addAll(hosts.fromOutside(at));
                learning.addAll(hosts.livesOn(at));
              });
          wish.clients()
              .forEach(network -> {
                asking.addAll(hosts.fromInside(network));
                learning.addAll(hosts.learned(network));
              });
          if (wish.calls() == Masquerade.Calls.BY_KERNEL) {
            draft.helper(new Table.Helper(PPTP, PPTP));
          }
          draft.base("masq_ask", "filter", Hook.PREROUTING, RAW, false, asking);
          draft.chain(ASK_IKE, hosts.aboutIke());
          draft.chain(ASK_ESP, hosts.aboutEsp());
          draft.chain(ASK_AH, hosts.aboutAh());
          draft.chain(LEARN, learning);
          draft.base("masq_pptp", "filter", Hook.PREROUTING, MANGLE, false, hosts.helped());
          draft.base("masq_own", "filter", Hook.OUTPUT, MANGLE, false, hosts.ownIke());
          past.ifPresent(p ->
              draft.base("masq_direct", "filter", Hook.POSTROUTING, SRCNAT, false, p.leaving()));
          PptpCalls.write(draft);
        });
  }

  /** Whether this host speaks IPsec there itself. */
  static boolean isOwn(Gateway gateway, Interface at) {
    return gateway.tunnels().stream().anyMatch(tunnel -> tunnel.on().contains(at));
  }

  private List<Rule> ownIke() {
    return wish.on().stream()
        .filter(at -> isOwn(draft.gateway, at))
        .map(at ->
            rule(
                "IKE of this host's own",
                List.of(Nft.is(Nft.OIFNAME, Nft.device(at.device()))),
                IS_IKE,
                update(OWN_COOKIES, concat(DADDR, COOKIE), false)))
        .toList();
  }

  // ---- from the world

  /** To our address there, and not out of a tunnel of ours. */
  private List<Statement> arriving(Interface at) {
    List<Statement> here = new ArrayList<>();
    here.add(Nft.is(Nft.IIFNAME, Nft.device(at.device())));
    if (isOwn(draft.gateway, at)) {
      here.add(Nft.NOT_DECRYPTED);
    }
    List<Value> written = own(at);
    if (written.isEmpty()) {
      here.add(Nft.family(Family.V4));
      here.add(Nft.TO_THIS_HOST);
    } else {
      here.add(Nft.is(DADDR, Nft.anyOf(written)));
    }
    return here;
  }

  /** From a remote to our address there. */
  static List<Statement> toOurs(Draft draft, Masquerade wish, Interface at) {
    return Nft.all(new VpnHosts(draft, wish).arriving(at), peers(draft, wish, SADDR));
  }

  /** Where only some remotes are allowed: these. */
  private static List<Statement> peers(Draft draft, Masquerade wish, Selector address) {
    return draft
        .sets
        .addresses("masq_peers", Family.V4, wish.peers())
        .map(set -> List.<Statement>of(Nft.is(address, set)))
        .orElse(List.of());
  }

  /** Its IPv4 addresses, as far as they are written down. */
  static List<Value> own(Interface at) {
    return at.addresses().stream()
        .map(address -> address.value().address())
        .filter(address -> address.family() == Family.V4)
        .map(Nft::address)
        .toList();
  }

  private List<Rule> fromOutside(Interface at) {
    List<Statement> here = arriving(at);
    List<Rule> rules = new ArrayList<>();
    if (isOwn(draft.gateway, at)) {
      rules.add(
          rule(
              "IKE of this host's own",
              here,
              IS_IKE,
              Nft.is(concat(SADDR, COOKIE), new SetRef(OWN_COOKIES)),
              Nft.ACCEPT));
      rules.add(
          rule(
              "ESP of this host's own",
              here,
              List.of(IS_ESP),
              Nft.is(concat(SADDR, SPI), new SetRef(OWN_SPIS)),
              Nft.ACCEPT));
    }
    rules.addAll(others(here));
    return rules;
  }

  /** An error may come from any router on the way. */
  private List<Rule> others(List<Statement> anybody) {
    List<Statement> here = Nft.all(anybody, peers(draft, wish, SADDR));
    return List.of(
        rule(
            "IKE: whose, by the initiator's cookie",
            here,
            IS_IKE,
            zone(concat(SADDR, COOKIE), COOKIES)),
        rule("IKE: seen on its way, or asked", here, IS_IKE, heard()),
        rule(
            "ESP: whose, by its SPI",
            here,
            List.of(IS_ESP),
            zone(concat(SADDR, SPI), SPIS),
            Nft.ACCEPT),
        // Without an answer it goes to this host, like anything that nobody inside began.
        rule("ESP of an unknown SPI", here, List.of(IS_ESP), heard()),
        rule("AH: refused, and by whom it was", here, List.of(IS_AH, FEW), told(0)),
        rule("AH: nobody can translate it", here, List.of(IS_AH), Nft.DROP),
        rule(
            "an error about ESP that one of them sent",
            anybody,
            List.of(
                Nft.is(
                    new Payload("icmp", "type"),
                    Nft.anyOf(ERRORS.stream().map(Symbol::new).toList())),
                Nft.is(new RawPayload("th", 136, 8), Nft.number(Protocol.ESP.number()))),
            zone(concat(new RawPayload("th", 192, 32), new RawPayload("th", 224, 32)), QUOTED)));
  }

  /** Entries live as long as there is traffic. */
  private List<Rule> livesOn(Interface at) {
    List<Statement> here = List.of(Nft.is(Nft.IIFNAME, Nft.device(at.device())));
    return List.of(
        rule("lives on", here, IS_IKE, update(COOKIES, concat(SADDR, COOKIE), true)),
        rule("lives on", here, List.of(IS_ESP), update(SPIS, concat(SADDR, SPI), true)));
  }

  // ---- from the hosts

  private List<Statement> leaving(Network network) {
    List<Statement> there = new ArrayList<>();
    draft.places.from(draft.places.target(network), Family.V4).ifPresent(there::addAll);
    draft.places.ours(Family.V4).ifPresent(ours -> there.add(Nft.isNot(DADDR, ours)));
    there.add(Nft.isNot(new Fib(List.of("daddr"), "type"), new Symbol("local")));
    there.addAll(peers(draft, wish, DADDR));
    return there;
  }

  /** The protocol first: other traffic of the network is through here with that one comparison. */
  private List<Rule> fromInside(Network network) {
    return List.of(
        rule("IKE of hosts of " + network.name(), IS_IKE, leaving(network), Nft.goTo(ASK_IKE)),
        rule(
            "ESP of hosts of " + network.name(),
            List.of(IS_ESP),
            leaving(network),
            Nft.goTo(ASK_ESP)),
        rule(
            "AH of hosts of " + network.name(),
            List.of(IS_AH),
            leaving(network),
            Nft.goTo(ASK_AH)));
  }

  private List<Rule> aboutIke() {
    return List.of(
        of("IKE: each host in its zone", zone(SADDR, ZONES)),
        of(
            "IKE: seen on its way",
            Nft.is(concat(SADDR, DADDR, COOKIE), new SetRef(KNOWN)),
            ask(true)),
        of("IKE: a new session", ask(wish.open())));
  }

  private List<Rule> aboutEsp() {
    return List.of(
        of("ESP: each host in its zone", zone(SADDR, ZONES)),
        of(
            "ESP: seen, because it decides something",
            Nft.is(concat(SADDR, DADDR), new SetRef(WATCHED)),
            ask(true)),
        of("ESP of a known SPI", Nft.is(concat(SADDR, DADDR, SPI), new SetRef(SENT)), Nft.ACCEPT),
        of("ESP of a new SPI", ask(wish.open())));
  }

  /** It is dropped whatever comes of the question: it is asked for the daemon's count. */
  private List<Rule> aboutAh() {
    return List.of(
        of("AH: refused, and by whom it was", FEW, told(1)),
        of("AH: nobody can translate it", Nft.DROP));
  }

  private Rule of(String why, Statement... does) {
    return Nft.rule(why, wish.origin(), does);
  }

  /** Behind conntrack, and before its entry is confirmed: the first packet decides. */
  private List<Rule> helped() {
    return wish.calls() == Masquerade.Calls.BY_KERNEL
        ? wish.clients().stream()
            .map(network ->
                rule(
                    "PPTP of hosts of " + network.name(),
                    List.of(
                        Nft.is(new Payload("tcp", "dport"), Nft.number(Masquerade.PPTP_CONTROL))),
                    leaving(network),
                    new Statement.CtHelper(PPTP)))
            .toList()
        : List.of();
  }

  /** What goes through in a zone is remembered, or lives on. */
  static List<Rule> learning(Draft draft) {
    return rules(
        draft,
        hosts ->
            List.of(
                hosts.rule(
                    "IPsec of hosts in their zones",
                    List.of(
                        Nft.is(
                            new Meta(Meta.Key.L4PROTO),
                            Nft.anyOf(List.of(new Symbol("esp"), new Symbol("udp"))))),
                    List.of(hosts.zoned()),
                    new Statement.Verdict.Jump(LEARN))));
  }

  /** What went out is remembered. */
  private List<Rule> learned(Network network) {
    return known(List.of(Nft.is(Nft.IIFNAME, Nft.device(network.on().device()))));
  }

  private List<Rule> known(List<Statement> there) {
    return List.of(
        rule(
            // As long as nobody has answered, the daemon forgets it after a minute.
            "known from now on",
            there,
            Nft.all(IS_IKE, List.of(ANSWERED)),
            update(KNOWN, concat(SADDR, DADDR, COOKIE), false)),
        rule(
            "known from now on",
            there,
            List.of(IS_ESP),
            update(SENT, concat(SADDR, DADDR, SPI), false)),
        // Where an error quotes them: the destination, then the SPI.
        rule(
            "errors will quote it",
            there,
            List.of(IS_ESP),
            update(
                QUOTED, concat(new RawPayload("nh", 128, 32), new RawPayload("th", 0, 32)), true)));
  }

  private Statement zoned() {
    return Nft.is(ZONE, zones);
  }

  private static Statement zone(Selector key, String map) {
    return new Statement.Assign(ZONE, new Mapped(key, map));
  }

  /**
   * Asks the daemon about a packet of a host.
   *
   * @param bypass whether it goes on where nobody answers
   */
  private Statement ask(boolean bypass) {
    return new Statement.Queue(numbers.queue() + 1, numbers.queue() + 1, bypass);
  }

  /** The same about a packet from the world: without an answer it goes to this host. */
  private Statement heard() {
    return new Statement.Queue(numbers.queue(), numbers.queue(), true);
  }

  /** Tells the daemon of what it refuses: without one it is dropped all the same. */
  private Statement told(int queue) {
    int number = numbers.queue() + queue;
    return new Statement.Queue(number, number, false);
  }

  private Statement update(String set, Selector key, boolean withZone) {
    return new Update(set, key, withZone ? Optional.of(ZONE) : Optional.empty(), wish.lifetime());
  }

  private Rule rule(String why, List<Statement> where, List<Statement> what, Statement... does) {
    return Nft.rule(why, wish.origin(), Nft.all(where, what, List.of(does)));
  }

  // ---- NAT and forwarding

  private static List<Rule> rules(Draft draft, Function<VpnHosts, List<Rule>> which) {
    return draft
        .gateway
        .masquerade()
        .map(wish -> which.apply(new VpnHosts(draft, wish)))
        .orElse(List.of());
  }

  /** What the remote begins goes to the host whose zone it has. */
  static List<Rule> natIn(Draft draft) {
    return rules(draft, VpnHosts::begun);
  }

  private List<Rule> begun() {
    List<Rule> rules = new ArrayList<>();
    Statement rewrite =
        new Statement.Nat.Destination(
            Optional.of(new Mapped(ZONE, HOSTS, Optional.of(Family.V4))),
            Optional.empty(),
            List.of());
    for (Interface at : wish.on()) {
      List<Statement> here = Nft.all(arriving(at), List.of(zoned()), peers(draft, wish, SADDR));
      rules.add(rule("the remote speaks first", here, IS_IKE, rewrite));
      rules.add(rule("the remote speaks first", here, List.of(IS_ESP), rewrite));
    }
    return rules;
  }

  /** The hosts may speak IPsec with the world, and their remotes with them. */
  static List<Rule> forward(Draft draft) {
    return rules(draft, VpnHosts::forward);
  }

  private List<Rule> forward() {
    List<Rule> rules = new ArrayList<>();
    for (Network network : wish.clients()) {
      Optional<List<Statement>> from = draft.places.from(draft.places.target(network), Family.V4);
      Optional<List<Statement>> to = towardsWorld(draft, wish);
      if (from.isEmpty() || to.isEmpty()) {
        continue;
      }
      for (List<Statement> which : Nft.services(wish.services(), List.of(Family.V4))) {
        rules.add(
            rule(
                (isControl(which) ? "PPTP" : "IPsec") + " of hosts of " + network.name(),
                Nft.all(from.get(), to.get()),
                which,
                Nft.ACCEPT));
      }
      draft
          .places
          .towards(draft.places.target(network), Family.V4)
          .ifPresent(inside -> {
            for (List<Statement> what : List.of(List.of(IS_ESP), IS_IKE)) {
              rules.add(
                  rule(
                      "IPsec towards hosts of " + network.name(),
                      Nft.all(
                          arrivedOutside(draft, wish),
                          List.of(Nft.state("new"), zoned(), TRANSLATED),
                          inside),
                      what,
                      Nft.ACCEPT));
            }
          });
      rules.addAll(PptpCalls.forward(draft, network, from.get(), to.get()));
      if (wish.calls() == Masquerade.Calls.BY_KERNEL) {
        rules.addAll(calls(network, from.get(), to.get()));
      }
    }
    return rules;
  }

  private static boolean isControl(List<Statement> which) {
    return which.getFirst() instanceof Statement.Match match
        && match.left().equals(new Payload("tcp", "dport"));
  }

  /** GRE that the helper expects; other GRE is as it is without it. */
  private List<Rule> calls(Network network, List<Statement> from, List<Statement> to) {
    List<Statement> expected = List.of(Nft.state("related"), Nft.protocol(Protocol.GRE));
    String why = "calls of PPTP of hosts of " + network.name();
    List<Rule> rules = new ArrayList<>();
    rules.add(rule(why, Nft.all(from, to), expected, Nft.ACCEPT));
    draft
        .places
        .towards(draft.places.target(network), Family.V4)
        .ifPresent(inside ->
            rules.add(
                rule(
                    why,
                    Nft.all(arrivedOutside(draft, wish), inside),
                    expected,
                    TRANSLATED,
                    Nft.ACCEPT)));
    return rules;
  }

  /** From their remotes, by an interface that the hosts leave by. */
  static List<Statement> arrivedOutside(Draft draft, Masquerade wish) {
    return Nft.all(
        List.of(
            Nft.is(
                Nft.IIFNAME,
                Nft.anyOf(wish.devices().stream().sorted().map(Nft::device).toList()))),
        peers(draft, wish, SADDR));
  }

  /** Their remotes, on their way to them. */
  static Optional<List<Statement>> towardsWorld(Draft draft, Masquerade wish) {
    return draft
        .places
        .towards(new Grant.Target.World(), Family.V4)
        .map(world -> Nft.all(world, peers(draft, wish, DADDR)));
  }

  /** Copies of what nobody could decide yet: this host sends them in the remote's name. */
  static List<Rule> output(Draft draft) {
    return rules(draft, VpnHosts::copies);
  }

  private List<Rule> copies() {
    List<Rule> rules = new ArrayList<>();
    for (Network network : wish.clients()) {
      draft
          .places
          .towards(draft.places.target(network), Family.V4)
          .ifPresent(inside -> {
            for (List<Statement> what : List.of(List.of(IS_ESP), IS_IKE)) {
              rules.add(
                  rule(
                      "copies of what is not decided yet",
                      Nft.all(inside, List.of(Nft.NOT_FROM_THIS_HOST)),
                      what,
                      Nft.ACCEPT));
            }
          });
    }
    return rules;
  }

  /** Networks that appear under another address because of this. */
  static List<Located<Prefix>> translated(Draft draft) {
    return draft.gateway.masquerade().stream()
        .flatMap(wish -> wish.clients().stream())
        .flatMap(network -> draft.space.network(network, Family.V4).stream())
        .toList();
  }
}
