package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Fib;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.RawPayload;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Contract;
import io.gatehouse.ruleset.NftSet.Flag;
import io.gatehouse.ruleset.NftSet.Holds;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Update;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * IPsec hosts behind one address. Each has a conntrack zone of its own, so that the connections of
 * several with one remote are several to conntrack; the zone of a packet from outside is looked up
 * by its SPI or its initiator's cookie. What no map knows is asked of the daemon.
 */
final class VpnHosts {
  /** From a host to its zone, and back. */
  static final String ZONES = "masq.zones";

  static final String HOSTS = "masq.hosts";

  /**
   * From a remote and an inbound SPI, or an initiator's cookie, to a zone: what the daemon says.
   */
  static final String SPIS = "masq.spis";

  static final String COOKIES = "masq.cookies";

  /** From the same to a host: for what goes past conntrack. */
  static final String DIRECT = "masq.direct";

  /** Outbound SPIs by remote, for errors that quote them, and by host: what the kernel saw go. */
  static final String QUOTED = "masq.quoted";

  static final String SENT = "masq.sent";

  /** Hosts, remotes and cookies whose messages were let out before. */
  static final String KNOWN = "masq.known";

  /** Hosts and remotes whose traffic decides something just now. */
  static final String WATCHED = "masq.watched";

  /** This host's own: inbound SPIs that the daemon says, cookies that the kernel saw leave. */
  static final String OWN_SPIS = "masq.own_spis";

  static final String OWN_COOKIES = "masq.own_cookies";

  /** What hosts send is asked about in chains of their own. */
  private static final String ASK_IKE = "masq_ike";

  private static final String ASK_ESP = "masq_esp";

  /** What of them goes through, and is remembered. */
  private static final String LEARN = "masq_learn";

  /** Of conntrack: finds the GRE that belongs to a session, and translates its Call IDs. */
  private static final String PPTP = "pptp";

  private static final int RAW = -300;
  private static final int MANGLE = -150;

  /** Before the kernel's own source NAT, which does not see what has no connection. */
  private static final int SRCNAT = 99;

  /**
   * One packet of so many of an SA goes through conntrack all the same: that keeps alive its
   * connection, by which errors find their host, and what was learned of it.
   */
  private static final int THROUGH_CONNTRACK = 16;

  private static final Selector ZONE = new Ct("zone", Optional.empty());

  /** To a host inside, from our own address. */
  private static final Statement TRANSLATED =
      Nft.is(new Ct("status", Optional.empty()), new Symbol("dnat"));

  private static final Selector SADDR = Nft.saddr(Family.V4);
  private static final Selector DADDR = Nft.daddr(Family.V4);
  private static final Selector SPI = new Payload("esp", "spi");

  /** By its number, RFC 4303 2.2, so that no SA has its turn by chance. */
  private static final Statement NOT_ITS_TURN =
      Nft.isNot(
          new Binary(
              new Payload("esp", "sequence"), Operator.AND, Nft.number(THROUGH_CONNTRACK - 1)),
          Nft.number(0));

  /** Of IKE behind UDP: the header begins at bit 64. */
  private static final Selector COOKIE = new RawPayload("th", 64, 64);

  private static final Statement UNTRACKED = Nft.state("untracked");
  private static final Statement IS_ESP = Nft.protocol(Protocol.ESP);
  private static final List<Statement> IS_IKE = List.of(Nft.udpSport(500), Nft.udpDport(500));

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
    zones =
        new Range(
            Nft.number(numbers.masqueradeZones().first()),
            Nft.number(numbers.masqueradeZones().last()));
  }

  /** The maps, and the chains before routing. */
  static void write(Draft draft) {
    draft
        .gateway
        .masquerade()
        .ifPresent(wish -> {
          VpnHosts hosts = new VpnHosts(draft, wish);
          hosts.maps();
          List<Rule> asking = new ArrayList<>(hosts.pastConntrack());
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
          if (wish.pptp()) {
            draft.helper(new Table.Helper(PPTP, PPTP));
          }
          draft.base("masq_ask", "filter", Hook.PREROUTING, RAW, false, asking);
          draft.chain(ASK_IKE, hosts.aboutIke());
          draft.chain(ASK_ESP, hosts.aboutEsp());
          draft.chain(LEARN, learning);
          draft.base("masq_pptp", "filter", Hook.PREROUTING, MANGLE, false, hosts.helped());
          draft.base("masq_own", "filter", Hook.OUTPUT, MANGLE, false, hosts.ownIke());
          draft.base(
              "masq_direct", "filter", Hook.POSTROUTING, SRCNAT, false, hosts.leavesDirectly());
        });
  }

  /** Whether this host speaks IPsec there itself. */
  private boolean isOwn(Interface at) {
    return draft.gateway.tunnels().stream().anyMatch(tunnel -> tunnel.on().contains(at));
  }

  private List<Rule> ownIke() {
    return wish.on().stream()
        .filter(this::isOwn)
        .map(at ->
            rule(
                "IKE of this host's own",
                List.of(Nft.is(Nft.OIFNAME, Nft.device(at.device()))),
                IS_IKE,
                update(OWN_COOKIES, concat(DADDR, COOKIE), false)))
        .toList();
  }

  // ---- maps

  private void maps() {
    List<Value> hosts =
        wish.prefixes().stream().map(Located::value).map(Nft::net).distinct().toList();
    List<Value> zoned = List.of(zones);
    Value anywhere = new Expression.Net(Prefix.ALL_V4);
    Value spi = new Range(Nft.number(1), Nft.number(0xffffffffL));
    // 64 bits without a sign: -1 is the last.
    Value cookie = new Range(Nft.number(1), Nft.number(-1));
    List<Value> remoteSpi = List.of(new Tuple(List.of(anywhere, spi)));
    List<Value> remoteCookie = List.of(new Tuple(List.of(anywhere, cookie)));
    Set<Flag> learned = Set.of(Flag.DYNAMIC, Flag.TIMEOUT);
    map(ZONES, SADDR, ZONE, new Contract(hosts, List.of(), zoned), Set.of());
    map(HOSTS, ZONE, DADDR, new Contract(zoned, List.of(), hosts), Set.of());
    map(SPIS, concat(SADDR, SPI), remoteSpi, learned);
    map(COOKIES, concat(SADDR, COOKIE), remoteCookie, learned);
    if (isDirect()) {
      map(DIRECT, concat(SADDR, SPI), DADDR, new Contract(remoteSpi, List.of(), hosts), learned);
    }
    map(
        QUOTED,
        concat(new RawPayload("th", 192, 32), new RawPayload("th", 224, 32)),
        remoteSpi,
        learned);
    set(SENT, concat(SADDR, DADDR, SPI), tuples(hosts, anywhere, spi), learned);
    set(KNOWN, concat(SADDR, DADDR, COOKIE), tuples(hosts, anywhere, cookie), learned);
    set(WATCHED, concat(SADDR, DADDR), tuples(hosts, anywhere), Set.of());
    if (wish.on().stream().anyMatch(this::isOwn)) {
      set(OWN_SPIS, concat(SADDR, SPI), remoteSpi, Set.of());
      set(OWN_COOKIES, concat(SADDR, COOKIE), remoteCookie, learned);
    }
  }

  private static List<Value> tuples(List<Value> first, Value... others) {
    return first.stream()
        .<Value>map(one -> {
          List<Value> parts = new ArrayList<>(List.of(one));
          parts.addAll(List.of(others));
          return new Tuple(parts);
        })
        .toList();
  }

  private void map(String name, Selector key, List<Value> keys, Set<Flag> flags) {
    map(name, key, ZONE, new Contract(keys, List.of(), List.of(zones)), flags);
  }

  private void map(String name, Selector key, Selector to, Contract contract, Set<Flag> flags) {
    draft.sets.live(
        new NftSet(
            name,
            key,
            Optional.of(new Holds.Values(to)),
            flags,
            List.of(),
            Optional.of(contract),
            wish.origin()));
  }

  private void set(String name, Selector key, List<Value> keys, Set<Flag> flags) {
    draft.sets.live(
        new NftSet(
            name,
            key,
            Optional.empty(),
            flags,
            List.of(),
            Optional.of(new Contract(keys, List.of(), List.of())),
            wish.origin()));
  }

  private static Concat concat(Selector... parts) {
    return new Concat(List.of(parts));
  }

  // ---- past conntrack

  /**
   * Whether ESP of known SPIs can be translated without conntrack: where each outside interface has
   * one address, that is known, and nothing of this host's own has a policy for what leaves under
   * it, because xfrm is not asked again.
   */
  private boolean isDirect() {
    List<Interface> outside = draft.gateway.outside();
    return draft.gateway.tunnels().isEmpty()
        && wish.on().containsAll(outside)
        && outside.stream().allMatch(at -> own(at).size() == 1)
        && draft.gateway.host().internet().stream()
            .allMatch(access -> access.nat() instanceof Host.SourceNat.Masquerade);
  }

  private List<Rule> pastConntrack() {
    List<Rule> rules = new ArrayList<>();
    if (isDirect()) {
      for (Interface at : wish.on()) {
        rules.add(
            rule(
                "ESP of a known SPI, past conntrack",
                List.of(IS_ESP, NOT_ITS_TURN),
                arriving(at),
                new Statement.Assign(DADDR, new Mapped(concat(SADDR, SPI), DIRECT)),
                new Statement.NoTrack(),
                new Update(DIRECT, concat(SADDR, SPI), Optional.of(DADDR), wish.lifetime()),
                Nft.ACCEPT));
      }
      for (Network network : wish.clients()) {
        rules.add(
            rule(
                "ESP of a known SPI, past conntrack",
                List.of(IS_ESP, NOT_ITS_TURN),
                List.of(Nft.is(Nft.IIFNAME, Nft.device(network.on().device())), Nft.NOT_DECRYPTED),
                Nft.is(concat(SADDR, DADDR, SPI), new SetRef(SENT)),
                Nft.isNot(concat(SADDR, DADDR), new SetRef(WATCHED)),
                new Statement.NoTrack(),
                Nft.ACCEPT));
      }
    }
    return rules;
  }

  /** The same may go through, in both directions; the maps have said whose it is. */
  static List<Rule> direct(Draft draft) {
    return rules(draft, VpnHosts::forwardDirectly);
  }

  private List<Rule> forwardDirectly() {
    List<Rule> rules = new ArrayList<>();
    if (isDirect()) {
      List<Statement> what = List.of(IS_ESP, UNTRACKED);
      for (Network network : wish.clients()) {
        Grant.Target target = draft.places.target(network);
        Optional<List<Statement>> world = towardsWorld();
        draft
            .places
            .from(target, Family.V4)
            .ifPresent(from ->
                world.ifPresent(to ->
                    rules.add(
                        rule(
                            "IPsec of hosts of " + network.name() + ", past conntrack",
                            what,
                            Nft.all(List.of(from.getFirst()), to),
                            Nft.ACCEPT))));
        draft
            .places
            .towards(target, Family.V4)
            .ifPresent(inside ->
                rules.add(
                    rule(
                        "IPsec towards hosts of " + network.name() + ", past conntrack",
                        what,
                        Nft.all(arrivedOutside(), List.of(inside.getFirst())),
                        Nft.ACCEPT)));
      }
    }
    return rules;
  }

  private List<Rule> leavesDirectly() {
    List<Rule> rules = new ArrayList<>();
    if (isDirect()) {
      for (Interface at : wish.on()) {
        for (Network network : wish.clients()) {
          rules.add(
              rule(
                  "appears as the outside interface's address",
                  List.of(IS_ESP, UNTRACKED),
                  List.of(
                      Nft.is(Nft.IIFNAME, Nft.device(network.on().device())),
                      Nft.is(Nft.OIFNAME, Nft.device(at.device()))),
                  new Statement.Assign(SADDR, own(at).getFirst())));
        }
      }
    }
    return rules;
  }

  // ---- from the world

  /** To our address there, and not out of a tunnel of ours. */
  private List<Statement> arriving(Interface at) {
    List<Statement> here = new ArrayList<>();
    here.add(Nft.is(Nft.IIFNAME, Nft.device(at.device())));
    if (isOwn(at)) {
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

  private static List<Value> own(Interface at) {
    return at.addresses().stream()
        .map(address -> address.value().address())
        .filter(address -> address.family() == Family.V4)
        .map(Nft::address)
        .toList();
  }

  private List<Rule> fromOutside(Interface at) {
    List<Statement> here = arriving(at);
    List<Rule> rules = new ArrayList<>();
    if (isOwn(at)) {
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

  private List<Rule> others(List<Statement> here) {
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
        rule(
            "an error about ESP that one of them sent",
            here,
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
            Nft.goTo(ASK_ESP)));
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

  private Rule of(String why, Statement... does) {
    return Nft.rule(why, wish.origin(), does);
  }

  /** Behind conntrack, and before its entry is confirmed: the first packet decides. */
  private List<Rule> helped() {
    return wish.pptp()
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
            "known from now on", there, IS_IKE, update(KNOWN, concat(SADDR, DADDR, COOKIE), false)),
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
      List<Statement> here = Nft.all(arriving(at), List.of(zoned()));
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
      Optional<List<Statement>> to = towardsWorld();
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
                          arrivedOutside(), List.of(Nft.state("new"), zoned(), TRANSLATED), inside),
                      what,
                      Nft.ACCEPT));
            }
          });
      if (wish.pptp()) {
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
                rule(why, Nft.all(arrivedOutside(), inside), expected, TRANSLATED, Nft.ACCEPT)));
    return rules;
  }

  private List<Statement> arrivedOutside() {
    return List.of(
        Nft.is(Nft.IIFNAME, Nft.anyOf(wish.devices().stream().sorted().map(Nft::device).toList())));
  }

  private Optional<List<Statement>> towardsWorld() {
    return draft.places.towards(new Grant.Target.World(), Family.V4);
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
