package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Decision;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Hop;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One base chain with the chains that it jumps to, walked by a set of packets. */
final class ChainWalk {
  // NFT_JUMP_STACK_SIZE: the kernel refuses deeper rulesets.
  private static final int DEEPEST_JUMP = 16;

  private final HeaderSpace space;
  private final Bdd bdd;
  private final Expressions expressions;
  private final Optional<Idle> idle;
  private final Budget budget;
  private final MasqueradeAddress masquerade;
  private final Table table;

  /** By name: thousands of groups are as many chains. */
  private final Map<String, Chain> chains = new HashMap<>();

  private final Hook hook;
  private final boolean nat;
  private final State state;
  private final List<Decision> decisions = new ArrayList<>();

  private int accepted = FALSE;

  /**
   * Bounds the work of one question: chains that jump twice to the next one double it each time.
   */
  static final class Budget {
    private int rules;

    Budget(int rules) {
      this.rules = rules;
    }

    void spend(Bdd bdd) {
      rules--;
      bdd.giveUpIf(rules < 0);
    }
  }

  /** The address that masquerade and redirect give. */
  interface MasqueradeAddress {
    /** For each packet the address of the device that it leaves by, or came by. */
    Field of(State state, boolean leaving, String place);
  }

  ChainWalk(
      HeaderSpace space,
      Expressions expressions,
      Optional<Idle> idle,
      Budget budget,
      MasqueradeAddress masquerade,
      Table table,
      Hook hook,
      boolean nat,
      State state) {
    this.space = space;
    this.bdd = space.bdd();
    this.expressions = expressions;
    this.idle = idle;
    this.budget = budget;
    this.masquerade = masquerade;
    this.table = table;
    table.chains().forEach(chain -> chains.putIfAbsent(chain.name(), chain));
    this.hook = hook;
    this.nat = nat;
    this.state = state;
  }

  /** Walks the chain and returns what it accepts; the state is changed on the way. */
  int run(Chain chain, int packets, List<Hop> hops) {
    int rest = walk(chain, packets, 0);
    boolean drops = chain.base().map(Chain.Base::dropByDefault).orElse(false);
    if (!drops) {
      accepted = bdd.or(accepted, rest);
    }
    decide(
        new Decider.ByChainPolicy(table.family(), table.name(), chain.name()),
        drops ? Effect.DROPPED : Effect.ACCEPTED,
        rest);
    hops.add(new Hop(name(chain), packets, decisions));
    return accepted;
  }

  private String name(Chain chain) {
    return hook.name().toLowerCase(java.util.Locale.ROOT)
        + " "
        + table.family()
        + " "
        + table.name()
        + " "
        + chain.name();
  }

  private void decide(Decider by, Effect effect, int packets) {
    if (packets != FALSE) {
      decisions.add(new Decision(by, effect, packets));
    }
  }

  /** Returns what comes back to whoever jumped here. */
  private int walk(Chain chain, int packets, int depth) {
    int reached = packets;
    int back = FALSE;
    int number = 0;
    for (Rule rule : chain.rules()) {
      number++;
      if (reached == FALSE) {
        break;
      }
      if (idle.filter(rules -> rules.is(rule)).isPresent()) {
        continue;
      }
      budget.spend(bdd);
      Step step = new Step(chain, rule, number, depth);
      step.run(reached);
      reached = bdd.or(bdd.difference(reached, step.taken), step.cameBack);
      back = bdd.or(back, step.returned);
    }
    return bdd.or(back, reached);
  }

  /** One rule. */
  private final class Step {
    private final Rule rule;
    private final int depth;
    private final Decider by;
    private final Point at;

    /** Packets for which the rule is going on. */
    private int here;

    /** Packets that do not simply go on with the next rule. */
    private int taken = FALSE;

    private int cameBack = FALSE;
    private int returned = FALSE;

    Step(Chain chain, Rule rule, int number, int depth) {
      this.rule = rule;
      this.depth = depth;
      Decider.ByRule place =
          new Decider.ByRule(table.family(), table.name(), chain.name(), number, rule);
      by = place;
      at = new Point(state, table, hook, place.toString());
    }

    void run(int reached) {
      here = reached;
      boolean decided = false;
      for (Statement statement : rule.statements()) {
        if (here == FALSE) {
          return;
        }
        switch (statement) {
          case Statement.Match match -> here = bdd.and(here, expressions.holds(match, at));
          case Statement.Counter counter -> {}
          case Statement.Log log -> {}
          case Statement.CtHelper helper -> {}
          // Whether there was room for it is open; what it was put into is open at every look.
          case Statement.Update update ->
              here = bdd.and(here, open(Kind.ENVIRONMENT, "update @" + update.set()));
          case Statement.Limit limit -> here = bdd.and(here, open(Kind.ENVIRONMENT, "limit"));
          case Statement.NoTrack noTrack ->
              state.untracked = bdd.or(state.untracked, bdd.difference(here, state.tracked));
          case Statement.Assign assign -> assign(assign);
          case Statement.Queue queue -> {
            // Whoever listens may let it go on, or not.
            int goesOn = open(Kind.NOT_UNDERSTOOD, "queue to user space");
            int accepts = bdd.and(here, goesOn);
            int drops = bdd.difference(here, goesOn);
            apply(new Verdict.Accept(), accepts);
            apply(new Verdict.Drop(), drops);
          }
          case Statement.VerdictMap map -> verdictMap(map);
          case Statement.Nat translation -> translate(translation);
          case Verdict verdict -> {
            decided = true;
            apply(verdict, here);
          }
          case Statement.Opaque opaque -> opaque(opaque.text());
        }
      }
      if (!decided) {
        decide(by, Effect.MATCHED, here);
      }
    }

    private int open(Kind kind, String text) {
      return space.open(new Unknown(kind, text, at.place()));
    }

    private void apply(Verdict verdict, int part) {
      if (part == FALSE) {
        return;
      }
      switch (verdict) {
        case Verdict.Accept accept -> {
          accepted = bdd.or(accepted, part);
          decide(by, Effect.ACCEPTED, part);
        }
        case Verdict.Drop drop -> decide(by, Effect.DROPPED, part);
        case Verdict.Reject reject -> decide(by, Effect.DROPPED, part);
        case Verdict.Return back -> {
          returned = bdd.or(returned, part);
          decide(by, Effect.MATCHED, part);
        }
        case Verdict.Continue goOn -> {
          return;
        }
        case Verdict.Jump jump -> cameBack = bdd.or(cameBack, enter(jump.chain(), part));
        case Verdict.Goto jump -> returned = bdd.or(returned, enter(jump.chain(), part));
      }
      taken = bdd.or(taken, part);
      here = bdd.difference(here, part);
    }

    private int enter(String chain, int part) {
      decide(by, Effect.MATCHED, part);
      Optional<Chain> target = Optional.ofNullable(chains.get(chain));
      if (target.isPresent() && depth < DEEPEST_JUMP) {
        return walk(target.get(), part, depth + 1);
      }
      int accepts = open(Kind.NOT_UNDERSTOOD, "chain " + chain + ", which is not there");
      accepted = bdd.or(accepted, bdd.and(part, accepts));
      decide(by, Effect.ACCEPTED, bdd.and(part, accepts));
      decide(by, Effect.DROPPED, bdd.difference(part, accepts));
      return FALSE;
    }

    private void verdictMap(Statement.VerdictMap map) {
      switch (map.verdicts()) {
        case Statement.VerdictSource.Inline inline ->
            look(
                map.key(),
                inline.entries().stream().map(e -> Map.entry(e.key(), e.verdict())).toList());
        case Statement.VerdictSource.Named named -> {
          Optional<NftSet> found = LookUps.set(table, named.map());
          if (found.isEmpty()) {
            opaque("vmap @" + named.map() + ", which the table does not have");
          } else if (LookUps.isLive(found.get())) {
            live(map.key(), found.get());
          } else {
            look(
                map.key(),
                found.get().elements().stream()
                    .filter(e -> e.verdict().isPresent())
                    .map(e -> Map.entry(e.key(), e.verdict().orElseThrow()))
                    .toList());
          }
        }
      }
    }

    private void look(
        Expression key, List<? extends Map.Entry<? extends Expression, Verdict>> entries) {
      List<LookUps.Found<Verdict>> found = expressions.lookUp(key, entries, at);
      int anything = FALSE;
      int reaching = here;
      for (LookUps.Found<Verdict> one : found) {
        int part = bdd.and(reaching, one.where());
        anything = bdd.or(anything, part);
        apply(one.what(), part);
      }
      // What finds nothing leaves the rule (NFT_BREAK); what finds `continue` goes on in it.
      here = bdd.and(here, anything);
    }

    /**
     * A map whose content is open: for each key that may stand in it, any verdict that may, or
     * none.
     */
    private void live(Expression key, NftSet map) {
      if (map.contract().isEmpty()) {
        opaque("vmap @" + map.name() + ", which anything may stand in");
        return;
      }
      int may = bdd.and(here, expressions.mayStand(key, map, at));
      List<Verdict> verdicts = map.contract().get().verdicts().stream().distinct().toList();
      List<Integer> held = space.held(map.name(), verdicts, at.place());
      int found = bdd.and(may, bdd.anyOf(held));
      for (int i = 0; i < verdicts.size(); i++) {
        apply(verdicts.get(i), bdd.and(may, held.get(i)));
      }
      here = bdd.and(here, found);
    }

    private void assign(Statement.Assign assign) {
      switch (assign.target()) {
        case Expression.Meta meta when meta.key() == Expression.Meta.Key.MARK ->
            write(assign.value(), Meaning.NUMBER, 32)
                .ifPresent(w -> state.mark = state.mark.assign(bdd, here, w));
        case Expression.Ct ct when ct.key().equals("mark") -> {
          // No entry, nothing to write to; the rule goes on.
          Optional<Field> written = write(assign.value(), Meaning.NUMBER, 32);
          int entry = bdd.difference(bdd.and(here, state.tracked), space.invalid());
          written.ifPresent(w -> state.connectionMark = state.connectionMark.assign(bdd, entry, w));
        }
        case Expression.Ct ct when ct.key().equals("zone") ->
            write(assign.value(), Meaning.NUMBER, 16)
                .ifPresent(w -> state.zone = state.zone.assign(bdd, here, w));
        case Expression.Ct ct -> {}
        case Expression.Payload payload -> payload(payload, assign.value());
        case Expression.TcpOption option -> {
          here = bdd.and(here, space.protocol(6));
          rewrite("tcp option " + option.kind() + " " + option.field(), 16);
        }
        case Expression.Meta meta -> {}
        case Expression.RawPayload raw -> raw(raw, assign.value());
        default -> {}
      }
    }

    /** The content to write; packets for which there is none leave the rule. */
    private Optional<Field> write(Expression value, Meaning type, int width) {
      Optional<Expressions.Written> written = expressions.value(value, type, width, at);
      if (written.isEmpty()) {
        return Optional.of(
            Field.of(
                space.open(width, new Unknown(Kind.NOT_UNDERSTOOD, value.toString(), at.place()))));
      }
      here = bdd.and(here, written.get().where());
      return Optional.of(written.get().field());
    }

    private void rewrite(String name, int width) {
      Field old = state.rewritten.getOrDefault(name, Field.of(space.property(name, width)));
      int[] bits =
          space.open(width, new Unknown(Kind.ENVIRONMENT, name + " as it was set", at.place()));
      state.rewritten.put(name, old.assign(bdd, here, bits));
    }

    /** Bytes of GRE's header are nothing but themselves. */
    private void raw(Expression.RawPayload raw, Expression value) {
      int gre = raw.base().equals("th") ? space.protocol(Protocol.GRE.number()) : FALSE;
      int others = bdd.difference(here, gre);
      String name = HeaderSelector.name(raw);
      changeFields(others, "a write to " + name);
      // Of all packets: whoever reads other bytes is told that some were written.
      rewrite(name, raw.length());
      here = bdd.and(here, gre);
      Field old = state.rewritten.getOrDefault(name, Field.of(space.property(name, raw.length())));
      write(value, Meaning.NUMBER, raw.length())
          .ifPresent(w -> state.rewritten.put(name, old.assign(bdd, here, w)));
      // Of those, too, only what a map knows goes on.
      here = bdd.or(here, bdd.and(others, open(Kind.NOT_UNDERSTOOD, "a write to " + name)));
    }

    private void payload(Expression.Payload payload, Expression value) {
      String header = payload.header();
      int width = space.addresses().width();
      boolean ip = header.equals(space.family().nft());
      if ((header.equals("ip") || header.equals("ip6")) && !ip) {
        here = FALSE;
        return;
      }
      int number = Names.protocolOf(header);
      here = bdd.and(here, number < 0 ? TRUE : space.protocol(number));
      switch (payload.field()) {
        case "saddr" ->
            write(value, Meaning.ADDRESS, width)
                .ifPresent(w -> state.source = state.source.assign(bdd, here, w));
        case "daddr" ->
            write(value, Meaning.ADDRESS, width)
                .ifPresent(w -> state.destination = state.destination.assign(bdd, here, w));
        case "sport" -> {
          write(value, Meaning.PORT, 16)
              .ifPresent(w -> state.sourcePort = state.sourcePort.assign(bdd, here, w));
          ofOthers(header, "@th,0,16");
        }
        case "dport" -> {
          write(value, Meaning.PORT, 16)
              .ifPresent(w -> state.destinationPort = state.destinationPort.assign(bdd, here, w));
          ofOthers(header, "@th,16,16");
        }
        default -> {
          String name = header + " " + payload.field();
          int bits = name.equals("tcp flags") ? 8 : Names.width(header, payload.field());
          if (bits > 0) {
            rewrite(name, bits);
          } else {
            changeAnything(here, "a write to " + name);
          }
        }
      }
    }

    /** Where protocols with ports have them, others have other bytes. */
    private void ofOthers(String header, String bytes) {
      if (header.equals("th")) {
        rewrite(bytes, 16);
      }
    }

    /** Something wrote to the packet and we do not know what. */
    private void changeAnything(int where, String text) {
      if (where != FALSE) {
        rewrite(HeaderSelector.ANY, 1);
      }
      changeFields(where, text);
    }

    private void changeFields(int where, String text) {
      Unknown unknown = new Unknown(Kind.NOT_UNDERSTOOD, text, at.place());
      int width = space.addresses().width();
      state.source = state.source.assign(bdd, where, space.open(width, unknown));
      state.destination = state.destination.assign(bdd, where, space.open(width, unknown));
      state.sourcePort = state.sourcePort.assign(bdd, where, space.open(16, unknown));
      state.destinationPort = state.destinationPort.assign(bdd, where, space.open(16, unknown));
      state.mark = state.mark.assign(bdd, where, space.open(32, unknown));
      state.sourceChanged = bdd.or(state.sourceChanged, where);
      state.destinationChanged = bdd.or(state.destinationChanged, where);
    }

    /**
     * A statement that we do not understand: a condition, a change or a verdict, whichever is worse
     * for the question.
     */
    private void opaque(String text) {
      int goesOn = open(Kind.NOT_UNDERSTOOD, text);
      int changes = open(Kind.NOT_UNDERSTOOD, text);
      int decides = open(Kind.NOT_UNDERSTOOD, text);
      int accepts = open(Kind.NOT_UNDERSTOOD, text);
      int deciding = bdd.and(here, decides);
      apply(new Verdict.Accept(), bdd.and(deciding, accepts));
      apply(new Verdict.Drop(), bdd.difference(deciding, accepts));
      here = bdd.and(here, goesOn);
      changeAnything(bdd.and(here, changes), text);
    }

    // ---- NAT
    // ----------------------------------------------------------------------------------------------------------------------------

    private void translate(Statement.Nat translation) {
      boolean source =
          translation instanceof Statement.Nat.Source
              || translation instanceof Statement.Nat.Masquerade
              || (translation instanceof Statement.Nat.Prefixed one && one.source());
      boolean fits = source == (hook == Hook.POSTROUTING || hook == Hook.INPUT);
      if (!nat || !fits) {
        // The kernel refuses such a rule; whoever wrote it down meant something else.
        opaque(translation.toString());
        return;
      }
      if (translation instanceof Statement.Nat.Prefixed one
          && one.to().family() != space.family()) {
        here = FALSE; // nft puts the family in front of it, as a condition
        return;
      }
      Field oldSource = state.source;
      Field oldDestination = state.destination;
      Field oldSourcePort = state.sourcePort;
      Field oldDestinationPort = state.destinationPort;
      int elsewhere = elsewhere(translation, source ? oldSource : oldDestination);
      switch (translation) {
        case Statement.Nat.Source to -> {
          to.address().ifPresent(a -> sourceTo(addressValue(a)));
          ports(to.ports(), to.flags(), true);
        }
        case Statement.Nat.Masquerade to -> {
          sourceTo(Optional.of(masquerade.of(state, true, at.place())));
          ports(to.ports(), to.flags(), true);
        }
        case Statement.Nat.Destination to -> {
          to.address()
              .ifPresent(a ->
                  addressValue(a)
                      .ifPresent(w -> state.destination = state.destination.assign(bdd, here, w)));
          ports(to.ports(), to.flags(), false);
        }
        case Statement.Nat.Prefixed to -> {
          if (source) {
            state.source = state.source.assign(bdd, here, space.moved(state.source, to.to()));
          } else {
            Field moved = space.moved(state.destination, to.to());
            state.destination = state.destination.assign(bdd, here, moved);
          }
          ports(Optional.empty(), List.of(), source);
        }
        case Statement.Nat.Redirect to -> {
          if (space.family() == Family.V6 && !state.locallyMade) {
            // nf_nat_redirect_ipv6 wants an address of the destination's scope, and drops without.
            int narrow = bdd.difference(here, space.in(state.destination, Prefix.of("2000::/3")));
            apply(
                new Verdict.Drop(),
                bdd.and(narrow, open(Kind.ENVIRONMENT, "no address of that scope")));
          }
          Field self = masquerade.of(state, false, at.place());
          state.destination = state.destination.assign(bdd, here, self);
          ports(to.ports(), to.flags(), false);
        }
      }
      if (source) {
        state.sourceBound = bdd.or(state.sourceBound, here);
        state.sourceChanged =
            bdd.or(
                bdd.or(state.sourceChanged, bdd.and(here, elsewhere)),
                changed(oldSource, state.source, oldSourcePort, state.sourcePort));
      } else {
        // gre_manip_pkt puts back the Call ID that the connection began with.
        new HashMap<>(state.rewritten)
            .forEach((name, written) -> {
              if (HeaderSelector.isCallId(name)) {
                rewrite(name, written.width());
              }
            });
        state.destinationBound = bdd.or(state.destinationBound, here);
        state.destinationChanged =
            bdd.or(
                bdd.or(state.destinationChanged, bdd.and(here, elsewhere)),
                changed(
                    oldDestination, state.destination, oldDestinationPort, state.destinationPort));
      }
      decide(by, Effect.TRANSLATED, here);
      accepted = bdd.or(accepted, here);
      taken = bdd.or(taken, here);
      here = FALSE;
    }

    private void sourceTo(Optional<Field> address) {
      address.ifPresent(a -> state.source = state.source.assign(bdd, here, a));
    }

    private Optional<Field> addressValue(Expression address) {
      return write(address, Meaning.ADDRESS, space.addresses().width());
    }

    /** Packets whose address is surely another one afterwards: a map may give none like it. */
    private int elsewhere(Statement.Nat translation, Field old) {
      Optional<Expression> address =
          switch (translation) {
            case Statement.Nat.Source to -> to.address();
            case Statement.Nat.Destination to -> to.address();
            default -> Optional.empty();
          };
      Optional<List<Prefix>> promised =
          address.isPresent() && address.get() instanceof Expression.Mapped mapped
              ? LookUps.promised(table, mapped, space.family())
              : Optional.empty();
      if (promised.isEmpty()) {
        return FALSE;
      }
      int among = FALSE;
      for (Prefix prefix : promised.get()) {
        among = bdd.or(among, space.in(old, prefix));
      }
      return bdd.not(among);
    }

    private int changed(Field oldAddress, Field address, Field oldPort, Field port) {
      int differs =
          bdd.or(
              space.addressesDiffer(oldAddress, address, at.place()),
              space.differs(oldPort, port, at.place()));
      return bdd.and(here, differs);
    }

    private void ports(Optional<Expression> ports, List<String> flags, boolean source) {
      int have = FALSE;
      for (int number : new int[] {6, 17, 33, 132, 136}) {
        have = bdd.or(have, space.protocol(number));
      }
      Field to;
      int where;
      if (ports.isPresent()) {
        Optional<Field> written = write(ports.get(), Meaning.PORT, 16);
        where = bdd.and(here, have);
        to = written.orElse(source ? state.sourcePort : state.destinationPort);
      } else {
        boolean random = flags.stream().anyMatch(f -> f.contains("random"));
        if (!source && !random) {
          return;
        }
        // nf_nat_l4proto_unique_tuple: another port where the tuple is taken already.
        int other = random ? TRUE : open(Kind.ENVIRONMENT, "the source port is taken");
        where = bdd.and(bdd.and(here, have), other);
        to =
            Field.of(
                space.open(
                    16, new Unknown(Kind.ENVIRONMENT, "the port that NAT chose", at.place())));
      }
      if (source) {
        state.sourcePort = state.sourcePort.assign(bdd, where, to);
      } else {
        state.destinationPort = state.destinationPort.assign(bdd, where, to);
      }
    }
  }
}
