package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What follows from a walk of the tunnels' packets through the model of the packet's path. */
final class Walked {
  /** Decision nodes for one question; a million take some 40 MB. */
  private static final int NODES = 6_000_000;

  /** Tunnels that are looked at one by one. */
  private static final int MOST_LINKS = 200;

  /** TCP's largest segment on Ethernet: 1500 − 20 − 20. */
  private static final int ETHERNET = 1460;

  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ESP = 50;

  private final Patient patient;
  private final List<Link> links;
  private final PacketPath path;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final List<Finding> findings = new ArrayList<>();

  private Walked(Patient patient, List<Link> links, PacketPath path) {
    this.patient = patient;
    this.links = links;
    this.path = path;
    space = path.space();
    bdd = space.bdd();
  }

  /** Findings about packets of one family. */
  static List<Finding> look(Patient patient, Family family, List<String> notJudged) {
    List<Link> links = patient.links().stream().filter(l -> l.family() == family).toList();
    if (links.isEmpty()) {
      return List.of();
    }
    if (links.size() > MOST_LINKS) {
      notJudged.add(
          "%d tunnels' policies beyond the first %d"
              .formatted(links.size() - MOST_LINKS, MOST_LINKS));
      links = links.subList(0, MOST_LINKS);
    }
    List<Link> looked = links;
    List<Finding> findings = new ArrayList<>();
    findings.addAll(
        ask(
            patient,
            family,
            SpdState.UP,
            notJudged,
            path -> new Walked(patient, looked, path).up()));
    findings.addAll(
        ask(
            patient,
            family,
            SpdState.NO_POLICY,
            notJudged,
            path -> new Walked(patient, looked, path).down()));
    return findings;
  }

  private static List<Finding> ask(
      Patient patient,
      Family family,
      SpdState state,
      List<String> notJudged,
      Function<PacketPath, List<Finding>> question) {
    HostState host = patient.host().withTunnels(tunnel -> Set.of(state));
    return switch (PacketPath.ask(host, family, NODES, question)) {
      case Bounded.Answer<List<Finding>> answer -> answer.value();
      case Bounded.GaveUp<List<Finding>> gaveUp -> {
        notJudged.add(
            "what the rules do with IPv%d packets of tunnels: it took more room than there is"
                .formatted(family == Family.V4 ? 4 : 6));
        yield List.of();
      }
    };
  }

  // ---- sets

  private int and(int first, int... more) {
    int all = first;
    for (int set : more) {
      all = bdd.and(all, set);
    }
    return all;
  }

  /** By any device but the one to the other end, where that is another. */
  private int outbound(Link link) {
    int set =
        and(
            space.inClear(),
            space.source(link.near()),
            space.destination(link.far()),
            selected(link, true),
            bdd.difference(Bdd.TRUE, special()),
            space.whole());
    return bdd.difference(set, space.source(own()));
  }

  private int inbound(Link link) {
    int set =
        and(
            space.through(link.tunnel()),
            space.source(link.far()),
            space.destination(link.near()),
            selected(link, false),
            bdd.difference(Bdd.TRUE, special()),
            space.whole());
    int by = link.device().map(space::arrivesOn).orElse(Bdd.TRUE);
    return bdd.difference(and(set, by), space.destination(own()));
  }

  /** What of protocols and ports its policy selects. */
  private int selected(Link link, boolean out) {
    HostState.Policy policy = link.policy();
    int set = Bdd.TRUE;
    if (policy.protocol().isPresent()) {
      set = bdd.and(set, space.protocol(policy.protocol().getAsInt()));
    }
    if (policy.sourcePorts().isPresent()) {
      PortRange ports = policy.sourcePorts().get();
      set = bdd.and(set, out ? space.sourcePort(ports) : space.destinationPort(ports));
    }
    if (policy.destinationPorts().isPresent()) {
      PortRange ports = policy.destinationPorts().get();
      set = bdd.and(set, out ? space.destinationPort(ports) : space.sourcePort(ports));
    }
    return set;
  }

  private List<Prefix> own() {
    return patient.host().addresses(space.family()).stream().map(Prefix::host).toList();
  }

  /** Addresses that no router carries, or means everybody by. */
  private int special() {
    List<Prefix> special =
        List.of(
            Prefix.of("0.0.0.0/8"),
            Prefix.of("127.0.0.0/8"),
            Prefix.of("169.254.0.0/16"),
            Prefix.of("224.0.0.0/3"),
            Prefix.of("::/8"),
            Prefix.of("fe80::/9"),
            Prefix.of("ff00::/8"));
    return bdd.or(space.source(special), space.destination(special));
  }

  private int[] wishes(Link link) {
    List<Prefix> edges = new ArrayList<>();
    for (Prefix prefix : List.of(link.near(), link.far())) {
      if (prefix.length() < prefix.family().bits() - 1) {
        edges.add(Prefix.host(prefix.first()));
        edges.add(Prefix.host(prefix.last()));
      }
    }
    int plain = bdd.difference(Bdd.TRUE, bdd.or(space.source(edges), space.destination(edges)));
    return new int[] {
      plain, near(link), space.protocol(TCP), space.destinationPort(PortRange.of(443))
    };
  }

  /** Packets that come by the device that their source is on the link of. */
  private int near(Link link) {
    int all = Bdd.FALSE;
    for (HostState.Device device : patient.host().devices()) {
      for (var address : device.addresses()) {
        if (address.address().family() == space.family() && address.link().overlaps(link.near())) {
          all = bdd.or(all, and(space.arrivesOn(device.name()), space.source(address.link())));
        }
      }
    }
    return all;
  }

  private Optional<Trace> witness(Journey journey, int packets, Link link) {
    return journey.trace(space.lowerBound(packets), wishes(link));
  }

  private static Evidence packet(Trace trace, String what) {
    return new Evidence(Witness.words(trace.packet()) + ": " + what, "witness");
  }

  private static Optional<Step> drop(Trace trace) {
    return trace.steps().reversed().stream().filter(s -> s.effect() == Effect.DROPPED).findFirst();
  }

  private static Optional<Step> accepting(Trace trace, String... hooks) {
    return trace.steps().reversed().stream()
        .filter(s -> s.effect() == Effect.ACCEPTED && !s.hop().contains(" nat "))
        .filter(s -> List.of(hooks).stream().anyMatch(h -> s.hop().startsWith(h + " ")))
        .findFirst();
  }

  // ---- while the tunnels are up

  private List<Finding> up() {
    int asked = Bdd.FALSE;
    for (Link link : links) {
      asked = bdd.or(asked, bdd.or(outbound(link), inbound(link)));
    }
    Journey received = path.received(asked);
    int sources = Bdd.FALSE;
    for (Link link : links) {
      sources = bdd.or(sources, and(space.source(own()), space.source(link.near())));
    }
    int to = Bdd.FALSE;
    for (Link link : links) {
      to = bdd.or(to, space.destination(link.far()));
    }
    Journey sent = path.sent(and(sources, space.whole(), space.unmarked(), space.arrivesOn("lo")));
    for (Link link : links) {
      if (link.policy().mark().isEmpty()) {
        eaten(link, received, outbound(link));
        int own = and(space.source(link.near()), space.source(own()), selected(link, true));
        eaten(link, sent, and(own, space.destination(link.far())));
      }
      if (!patient.isOwn(link.near())) {
        through(link, received);
      }
      marked(link, received, sent);
      lan(link, sent);
      segments(link, received);
      ike(link);
    }
    flows(received);
    return findings;
  }

  /** What belongs into the tunnel is translated first, and then no policy fits it. */
  private void eaten(Link link, Journey journey, int packets) {
    int first = and(packets, space.firstOfConnection());
    int translated = Bdd.FALSE;
    for (Journey.Hop hop : journey.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (decision.effect() == Effect.TRANSLATED && hop.name().startsWith("postrouting ")) {
          translated = bdd.or(translated, decision.packets());
        }
      }
    }
    int lost = bdd.difference(and(first, translated), journey.leftProtected());
    witness(journey, lost, link)
        .ifPresent(trace ->
            trace.steps().stream()
                .filter(s -> s.effect() == Effect.TRANSLATED)
                .findFirst()
                .ifPresent(step -> eaten(link, trace, step)));
  }

  private void eaten(Link link, Trace trace, Step step) {
    boolean leaves = trace.outcome().isPresent();
    String end = trace.outcome().map(o -> "leaves in clear, as " + o.source()).orElse("is dropped");
    List<Command> remedy = new ArrayList<>();
    remedy.add(
        Cure.accept(
            patient,
            step,
            new Cure.Words(
                List.of("-m", "policy", "--dir", "out", "--pol", "ipsec"),
                List.of("rt", "ipsec", "exists"))));
    remedy.add(
        Command.of(
            "conntrack -D -f %s -s %s -d %s",
            space.family() == Family.V4 ? "ipv4" : "ipv6", link.near(), link.far()));
    add(
        new Finding(
            Kind.NAT_EATS_TUNNEL,
            Severity.ERROR,
            Certainty.CERTAIN,
            "the tunnel to "
                + link.far()
                + " is up, and packets for it "
                + (leaves ? "leave in clear" : "never enter it"),
            "NAT changes their source, and then no IPsec policy of it fits them",
            List.of(Cure.evidence(step), policy(link), packet(trace, end)),
            remedy));
  }

  private static Evidence policy(Link link) {
    return new Evidence(
        "policy src " + link.near() + " dst " + link.far() + " dir out (" + link.tunnel() + ")",
        link.policy().origin().place());
  }

  /** Whether anything of the tunnel passes at all, and answers too. */
  private void through(Link link, Journey received) {
    int in = and(inbound(link), received.started());
    int out = and(outbound(link), received.started());
    int firstIn = and(in, space.firstOfConnection());
    int firstOut = and(out, space.firstOfConnection());
    int passedIn = space.upperBound(and(firstIn, received.left()));
    int passedOut = space.upperBound(and(firstOut, received.leftProtected()));
    Optional<Trace> unchecked =
        passedIn == Bdd.FALSE
            ? received
                .trace(firstIn, wishes(link))
                .filter(t -> drop(t).filter(s -> s.hop().equals("xfrm fwd")).isPresent())
            : Optional.empty();
    if (unchecked.isPresent()) {
      noPolicy(link, unchecked.get());
      return;
    }
    if (passedIn == Bdd.FALSE && passedOut == Bdd.FALSE) {
      received
          .trace(firstIn, wishes(link))
          .ifPresent(trace -> drop(trace).ifPresent(step -> dropped(link, trace, step, false)));
      return;
    }
    int answers =
        passedIn == Bdd.FALSE
            ? Bdd.FALSE
            : bdd.difference(and(out, space.established()), space.firstOfConnection());
    int answered = space.upperBound(and(answers, received.leftProtected()));
    boolean eaten = findings.stream().anyMatch(f -> f.kind() == Kind.NAT_EATS_TUNNEL);
    if (answers != Bdd.FALSE && answered == Bdd.FALSE && !eaten) {
      received
          .trace(answers, wishes(link))
          .ifPresent(trace -> drop(trace).ifPresent(step -> dropped(link, trace, step, true)));
    }
  }

  private void dropped(Link link, Trace trace, Step step, boolean answers) {
    if (step.by() instanceof Decider.ByKernel kernel) {
      if (kernel.reason().equals("forwarding is off")) {
        forwardingOff(link, trace);
      }
      return;
    }
    if (!step.hop().startsWith("forward ")) {
      return;
    }
    Cure.Words in = between(link.far(), link.near(), "in", "meta");
    Cure.Words out = between(link.near(), link.far(), "out", "rt");
    List<Command> remedy = new ArrayList<>();
    if (!answers) {
      remedy.add(Cure.accept(patient, step, in));
    }
    remedy.add(Cure.accept(patient, step, out));
    add(
        new Finding(
            answers ? Kind.REPLIES_DROPPED : Kind.FORWARD_DROPPED,
            Severity.ERROR,
            Certainty.CERTAIN,
            answers
                ? "what comes from " + link.far() + " arrives, and no answer gets back"
                : "the tunnel to " + link.far() + " is up, and nothing passes through it",
            answers
                ? "the forward chain drops every answer into the tunnel"
                : "the forward chain drops everything of the tunnel, both ways",
            List.of(Cure.evidence(step), packet(trace, "is dropped")),
            remedy));
  }

  /** What comes out of a tunnel (`in`, `meta`) or is for one (`out`, `rt`). */
  private Cure.Words between(Prefix source, Prefix destination, String direction, String key) {
    String from = source.toString();
    String to = destination.toString();
    String nft = Cure.nftFamily(space.family());
    return new Cure.Words(
        List.of("-s", from, "-d", to, "-m", "policy", "--dir", direction, "--pol", "ipsec"),
        List.of(nft, "saddr", from, nft, "daddr", to, key, "ipsec", "exists"));
  }

  private void forwardingOff(Link link, Trace trace) {
    String key =
        space.family() == Family.V4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    String device = trace.packet().device();
    String own = "net/ipv4/conf/" + device + "/forwarding";
    boolean general = !patient.setting(key).equals(Optional.of("1"));
    String shown = general || space.family() == Family.V6 ? key : own;
    add(
        new Finding(
            Kind.FORWARDING_OFF,
            Severity.ERROR,
            Certainty.CERTAIN,
            "the tunnel to " + link.far() + " is up, and nothing behind this host answers",
            "this host does not forward",
            List.of(
                new Evidence(shown + " = " + patient.setting(shown).orElse("0"), "sysctl.txt"),
                packet(trace, "is dropped: forwarding is off")),
            List.of(Cure.setting(shown, 1))));
  }

  private void noPolicy(Link link, Trace trace) {
    boolean known = link.local().isPresent() && link.remote().isPresent();
    String reqid = "reqid ";
    List<String> tunnel =
        link.tunnel().startsWith(reqid)
            ? List.of("reqid", link.tunnel().substring(reqid.length()))
            : List.of();
    add(
        new Finding(
            Kind.NO_FWD_POLICY,
            Severity.ERROR,
            Certainty.CERTAIN,
            "packets from " + link.far() + " are decrypted and vanish",
            "the tunnel has no policy for what is forwarded: the kernel drops it (XfrmInNoPols)",
            List.of(
                policy(link),
                new Evidence(
                    "no policy src " + link.far() + " dst " + link.near() + " dir fwd",
                    "xfrm-policy.txt"),
                packet(trace, "is dropped")),
            List.of(
                Command.of(
                    "ip xfrm policy add src %s dst %s dir fwd priority %s"
                        + " tmpl src %s dst %s proto esp %s mode tunnel",
                    link.far(),
                    link.near(),
                    link.policy().priority(),
                    known ? link.remote().get() : "0.0.0.0",
                    known ? link.local().get() : "0.0.0.0",
                    tunnel))));
  }

  /** Policies that ask for a mark, and nothing sets it. */
  private void marked(Link link, Journey received, Journey sent) {
    boolean alone =
        links.stream()
            .filter(l -> l.tunnel().equals(link.tunnel()))
            .allMatch(l -> l.policy().mark().isPresent());
    if (!alone) {
      return;
    }
    int used = bdd.or(received.leftThrough(link.tunnel()), sent.leftThrough(link.tunnel()));
    if (space.upperBound(used) != Bdd.FALSE) {
      return;
    }
    int first = and(outbound(link), space.firstOfConnection(), received.started());
    String mark =
        link.policy().mark().map(m -> "0x%x/0x%x".formatted(m.value(), m.mask())).orElse("");
    received
        .trace(first, wishes(link))
        .ifPresent(trace ->
            add(
                new Finding(
                    Kind.MARK_NEVER_SET,
                    Severity.ERROR,
                    Certainty.CERTAIN,
                    "the tunnel to " + link.far() + " is up and never used",
                    "its policy asks for the mark " + mark + ", and no rule gives packets that one",
                    List.of(
                        new Evidence(policy(link).text() + " mark " + mark, policy(link).place()),
                        packet(trace, "does not enter the tunnel")),
                    List.of(
                        Command.of(
                            "%s -t mangle -I PREROUTING -s %s -d %s -j MARK --set-xmark %s",
                            Cure.iptables(space.family()), link.near(), link.far(), mark)))));
  }

  /** This host's own link, swallowed by a tunnel for everything. */
  private void lan(Link link, Journey sent) {
    if (!link.far().isAll()) {
      return;
    }
    for (HostState.Device device : patient.host().devices()) {
      boolean outer = link.device().filter(device.name()::equals).isPresent();
      for (var address : device.addresses()) {
        Prefix net = address.link();
        if (address.address().family() != space.family()
            || device.name().equals("lo")
            || net.length() == net.family().bits()
            || !link.near().contains(address.address())) {
          continue;
        }
        int there =
            bdd.difference(
                and(
                    space.source(Prefix.host(address.address())),
                    space.destination(net),
                    space.firstOfConnection()),
                space.destination(
                    Prefix.host(net.first()),
                    Prefix.host(net.last()),
                    Prefix.host(address.address())));
        int swallowed = and(there, sent.leftThrough(link.tunnel()));
        witness(sent, swallowed, link)
            .ifPresent(trace ->
                add(
                    new Finding(
                        Kind.LAN_LOST,
                        Severity.ERROR,
                        Certainty.CERTAIN,
                        "while the tunnel is up, hosts on " + net + " cannot be reached",
                        "the tunnel takes everything, the own link"
                            + (outer ? "" : " of " + device.name())
                            + " included",
                        List.of(policy(link), packet(trace, "goes into the tunnel")),
                        List.of(spared(net, "out"), spared(net, "in"), spared(net, "fwd")))));
      }
    }
  }

  private static Command spared(Prefix net, String direction) {
    return Command.of("ip xfrm policy add src %s dst %s dir %s priority 1", net, net, direction);
  }

  // ---- segments

  private void segments(Link link, Journey received) {
    int limit = limit(link);
    if (limit >= ETHERNET) {
      return;
    }
    // As hosts on Ethernet announce it: a rule that only lowers asks for the size first.
    int syn =
        and(
            space.protocol(TCP),
            space.having("tcp flags", 2),
            space.having("tcp option maxseg size", ETHERNET),
            space.firstOfConnection());
    int goes =
        and(
            syn,
            bdd.or(
                and(outbound(link), received.leftProtected()),
                and(inbound(link), received.left())));
    // Neither tool raises what is smaller already (tcpmss_mangle_packet, nft_exthdr).
    int fitting = Bdd.FALSE;
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (size(decision).filter(size -> size <= limit).isPresent()) {
          fitting = bdd.or(fitting, decision.packets());
        }
      }
    }
    int left = bdd.difference(goes, fitting);
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        Optional<Long> size = size(decision).filter(n -> n > limit);
        if (size.isPresent()) {
          int set = and(left, decision.packets());
          if (isKnown(link)) {
            tooLarge(link, received, set, hop, decision, size.get(), limit);
          }
          left = bdd.difference(left, set);
        }
      }
    }
    witness(received, left, link)
        .ifPresent(trace ->
            add(
                new Finding(
                    Kind.NO_MSS_CLAMP,
                    Severity.WARNING,
                    Certainty.POSSIBLE,
                    "ping works through the tunnel, large transfers may hang",
                    "no rule lowers TCP's largest segment to what fits into the tunnel ("
                        + limit
                        + "), and routers that drop ICMP are common",
                    List.of(
                        policy(link),
                        packet(trace, "opens a connection and keeps its segment size")),
                    clamp(limit))));
  }

  private List<Command> clamp(long limit) {
    return List.of(
        Cure.clamp(space.family(), "in", limit), Cure.clamp(space.family(), "out", limit));
  }

  private void tooLarge(
      Link link,
      Journey received,
      int set,
      Journey.Hop hop,
      Journey.Decision decision,
      long size,
      long limit) {
    witness(received, set, link)
        .ifPresent(trace ->
            add(
                new Finding(
                    Kind.MSS_TOO_LARGE,
                    Severity.ERROR,
                    Certainty.LIKELY,
                    "ping works through the tunnel, large transfers hang",
                    "segments of " + size + " bytes do not fit into the tunnel: " + limit + " do",
                    List.of(
                        Cure.evidence(new Step(hop.name(), decision.by(), decision.effect())),
                        packet(trace, "may announce " + size)),
                    clamp(limit))));
  }

  /** What a rule sets TCP's largest segment to; 0 where that follows the path's MTU. */
  private static Optional<Long> size(Journey.Decision decision) {
    if (decision.by() instanceof Decider.ByRule rule) {
      for (Statement statement : rule.rule().statements()) {
        if (statement instanceof Statement.Assign assign
            && assign.target() instanceof Expression.TcpOption option
            && option.kind().equals("maxseg")) {
          return Optional.of(assign.value() instanceof Expression.Number n ? n.value() : 0L);
        }
      }
    }
    return Optional.empty();
  }

  /** Whether an SA of it tells what it costs. */
  private boolean isKnown(Link link) {
    return patient.associations().stream()
        .anyMatch(s -> link.tunnel().equals("reqid " + s.reqid()));
  }

  /** The largest segment that fits into the tunnel's packets. */
  private int limit(Link link) {
    int unit = link.device().map(d -> patient.ways().units().getOrDefault(d, 1500)).orElse(1500);
    boolean six = link.remote().map(r -> r.family() == Family.V6).orElse(false);
    Optional<Sa> sa =
        patient.associations().stream()
            .filter(s -> link.tunnel().equals("reqid " + s.reqid()))
            .findFirst();
    int overhead = sa.map(Sa::overhead).orElse(73);
    boolean udp = sa.map(s -> s.encapsulation().isPresent()).orElse(true);
    int headers = space.family() == Family.V4 ? 40 : 60;
    return unit - (six ? 40 : 20) - (udp ? 8 : 0) - overhead - headers;
  }

  // ---- IKE and ESP

  /** Whether IKE and ESP of the other end get to this host. */
  private void ike(Link link) {
    if (link.local().isEmpty() || link.local().get().family() != space.family()) {
      return;
    }
    Prefix local = Prefix.host(link.local().get());
    int from = link.remote().map(r -> space.source(Prefix.host(r))).orElse(Bdd.TRUE);
    int by = link.device().map(space::arrivesOn).orElse(Bdd.TRUE);
    int all = and(from, by, space.destination(local), space.inClear(), space.whole());
    boolean encapsulated =
        patient.associations().stream()
            .anyMatch(
                s -> link.tunnel().equals("reqid " + s.reqid()) && s.encapsulation().isPresent());
    int ports =
        and(
            space.protocol(UDP),
            bdd.or(
                space.destinationPort(PortRange.of(500)),
                space.destinationPort(PortRange.of(4500))));
    int wanted = encapsulated ? ports : bdd.or(ports, space.protocol(ESP));
    Journey journey = path.received(and(all, wanted));
    for (int kind : encapsulated ? new int[] {ports} : new int[] {ports, space.protocol(ESP)}) {
      int first = and(all, kind, space.firstOfConnection(), journey.started());
      int standing = and(all, kind, space.established(), journey.started());
      if (first == Bdd.FALSE || space.upperBound(and(first, journey.delivered())) != Bdd.FALSE) {
        continue;
      }
      Optional<Trace> taken = journey.trace(space.lowerBound(and(first, journey.left())));
      if (taken.isPresent()) {
        forwarded(link, taken.get());
        continue;
      }
      boolean always = space.upperBound(and(standing, journey.delivered())) == Bdd.FALSE;
      boolean esp = kind != ports;
      journey
          .trace(first, space.destinationPort(PortRange.of(500)))
          .ifPresent(trace ->
              drop(trace)
                  .filter(step -> step.hop().startsWith("input "))
                  .ifPresent(step -> blocked(link, trace, step, esp, always)));
    }
  }

  /** The same protocol served here and led elsewhere: the rule takes this host's own packets. */
  private void forwarded(Link link, Trace trace) {
    trace.steps().stream()
        .filter(s -> s.effect() == Effect.TRANSLATED)
        .findFirst()
        .ifPresent(step ->
            add(
                new Finding(
                    Kind.IKE_FORWARDED,
                    Severity.ERROR,
                    Certainty.CERTAIN,
                    "IKE or ESP of "
                        + link.remote().map(Object::toString).orElse("the other end")
                        + " goes to another host",
                    "a rule leads it away, and this host has a tunnel with that peer itself",
                    List.of(
                        Cure.evidence(step),
                        packet(
                            trace,
                            "leaves for "
                                + trace
                                    .outcome()
                                    .map(o -> o.destination().toString())
                                    .orElse("?"))),
                    List.of(
                        Cure.accept(
                            patient, step, from(link.remote(), trace.packet().destination()))))));
  }

  private Cure.Words from(Optional<Address> source, Address destination) {
    String nft = Cure.nftFamily(space.family());
    List<String> words = new ArrayList<>();
    List<String> nftWords = new ArrayList<>();
    source.ifPresent(s -> {
      words.addAll(List.of("-s", s.toString()));
      nftWords.addAll(List.of(nft, "saddr", s.toString()));
    });
    words.addAll(List.of("-d", destination.toString()));
    nftWords.addAll(List.of(nft, "daddr", destination.toString()));
    return new Cure.Words(words, nftWords);
  }

  private void blocked(Link link, Trace trace, Step step, boolean esp, boolean always) {
    String device = trace.packet().device();
    List<String> words = new ArrayList<>();
    if (!device.equals(HeaderSpace.ANOTHER_DEVICE)) {
      words.addAll(List.of("-i", device));
    }
    words.addAll(List.of("-d", trace.packet().destination().toString(), "-p"));
    words.addAll(esp ? List.of("esp") : List.of("udp", "-m", "multiport", "--dports", "500,4500"));
    List<String> nft =
        esp ? List.of("meta", "l4proto", "esp") : List.of("udp", "dport", "{ 500, 4500 }");
    Command remedy = Cure.accept(patient, step, new Cure.Words(words, nft));
    add(
        new Finding(
            Kind.IKE_BLOCKED,
            always ? Severity.ERROR : Severity.WARNING,
            always ? Certainty.CERTAIN : Certainty.LIKELY,
            (esp ? "ESP" : "IKE")
                + (always
                    ? " of the other end never reaches this host"
                    : " of the other end reaches this host only after this host has spoken"),
            "the input chain drops " + (esp ? "protocol 50" : "UDP 500 and 4500"),
            List.of(
                Cure.evidence(step),
                packet(trace, "to the tunnel's own end " + link.local().get() + " is dropped")),
            List.of(remedy)));
  }

  // ---- flow tables

  private void flows(Journey received) {
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (decision.by() instanceof Decider.ByRule rule && handsOver(rule)) {
          add(
              new Finding(
                  Kind.FLOW_TABLE,
                  Severity.WARNING,
                  Certainty.POSSIBLE,
                  "a tunnel's connection works at first, and later bypasses the tunnel",
                  "its packets get into a flow table, which looks up no policy",
                  List.of(Cure.evidence(new Step(hop.name(), decision.by(), decision.effect()))),
                  List.of(spared(rule))));
        }
      }
    }
  }

  private static final Pattern HANDLE = Pattern.compile("handle ([0-9]+)");

  private static final Pattern FLOW = Pattern.compile("\"flowtable\":\"@([A-Za-z0-9_]+)\"");

  /** The same rule, for what no tunnel brought or takes; only a look at it where it is unusual. */
  private static Command spared(Decider.ByRule rule) {
    Matcher handle = HANDLE.matcher(rule.rule().origin().path());
    List<String> words = new ArrayList<>();
    for (Statement statement : rule.rule().statements()) {
      if (statement instanceof Statement.Opaque opaque) {
        Matcher flow = FLOW.matcher(opaque.text());
        words.add(flow.find() ? "flow add @" + flow.group(1) : "");
      } else if (statement instanceof Statement.Match || statement instanceof Statement.Counter) {
        words.add(plain(statement));
      } else {
        words.add("");
      }
    }
    List<String> where = List.of(rule.family(), rule.table(), rule.chain());
    if (!where.stream().allMatch(Cure::isNftName)) {
      return Command.of("nft -a list ruleset");
    }
    return handle.find() && !words.contains("")
        ? Command.of(
            "nft %s",
            "replace rule %s handle %s meta ipsec missing rt ipsec missing %s"
                .formatted(String.join(" ", where), handle.group(1), String.join(" ", words)))
        : Command.of("nft -a list chain %s", where);
  }

  /** No quote but around a name, and nothing that ends a command of nft's. */
  private static final Pattern HARMLESS =
      Pattern.compile("(?:[^\"';$`\\\\\\p{Cntrl}]++|\"[A-Za-z0-9_.*@:-]*\")*");

  /** Of a statement that one would want to see in a command; the pattern nests with its quotes. */
  private static final int LONGEST = 1000;

  /** As nft takes it; empty where nft has no spelling for one of its names. */
  private static String plain(Statement statement) {
    try {
      String text = NftText.statement(statement);
      return text.length() <= LONGEST && HARMLESS.matcher(text).matches() ? text : "";
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static boolean handsOver(Decider.ByRule rule) {
    return rule.rule().statements().stream()
        .anyMatch(s -> s instanceof Statement.Opaque o && o.text().startsWith("{\"flow\""));
  }

  // ---- while the tunnels are down

  private List<Finding> down() {
    int asked = Bdd.FALSE;
    for (Link link : links) {
      asked = bdd.or(asked, bdd.or(outbound(link), spoofed(link)));
    }
    Journey journey = path.received(asked);
    for (Link link : links) {
      clear(link, journey);
      spoof(link, journey);
    }
    return findings;
  }

  /** The tunnel's source, in clear, by the device to the other end. */
  private int spoofed(Link link) {
    int by = link.device().map(space::arrivesOn).orElse(Bdd.TRUE);
    return and(
        by,
        space.inClear(),
        space.source(link.far()),
        space.destination(link.near()),
        selected(link, false),
        bdd.difference(Bdd.TRUE, special()),
        space.firstOfConnection(),
        space.whole());
  }

  private void clear(Link link, Journey journey) {
    int out = and(outbound(link), space.firstOfConnection(), journey.leftInClear());
    int wanted = link.device().map(d -> and(out, journey.leftBy(d))).orElse(out);
    witness(journey, wanted, link)
        .ifPresent(trace -> {
          List<Evidence> evidence = new ArrayList<>();
          accepting(trace, "forward").ifPresent(step -> evidence.add(Cure.evidence(step)));
          evidence.add(new Evidence("no policy dir out blocks " + link.far(), "xfrm-policy.txt"));
          evidence.add(packet(trace, "leaves in clear"));
          boolean all = link.far().isAll();
          add(
              new Finding(
                  Kind.CLEAR_WHEN_DOWN,
                  all ? Severity.WARNING : Severity.ERROR,
                  Certainty.CERTAIN,
                  "while the tunnel to " + link.far() + " is down, its packets leave in clear",
                  "nothing holds them back when the IKE daemon takes its policies away",
                  evidence,
                  List.of(
                      Cure.block("out", Cure.everything(space.family()), link.far().toString()))));
        });
  }

  private void spoof(Link link, Journey journey) {
    if (link.far().isAll()) {
      return;
    }
    // IKE's sockets take what comes from anybody, and ESP is looked at by its SA.
    int ike =
        bdd.or(
            space.protocol(ESP),
            and(
                space.protocol(UDP),
                bdd.or(
                    space.destinationPort(PortRange.of(500)),
                    space.destinationPort(PortRange.of(4500)))));
    int here = bdd.difference(journey.delivered(), ike);
    int in = and(spoofed(link), bdd.or(journey.left(), here));
    witness(journey, in, link)
        .ifPresent(trace -> {
          List<Evidence> evidence = new ArrayList<>();
          accepting(trace, "forward", "input").ifPresent(s -> evidence.add(Cure.evidence(s)));
          evidence.add(packet(trace, "did not come through a tunnel and is accepted"));
          add(
              new Finding(
                  Kind.SPOOFED_SOURCE,
                  Severity.ERROR,
                  Certainty.CERTAIN,
                  "whoever forges a source of " + link.far() + " gets in while the tunnel is down",
                  "the rule asks for an address and not for the tunnel that it should come through",
                  evidence,
                  List.of(
                      Cure.block("fwd", link.far().toString(), Cure.everything(space.family())),
                      Cure.block("in", link.far().toString(), Cure.everything(space.family())))));
        });
  }

  /** The first of a kind with the same evidence stands for all. */
  private void add(Finding finding) {
    boolean said =
        findings.stream()
            .anyMatch(f ->
                f.kind() == finding.kind()
                    && (f.evidence().getFirst().equals(finding.evidence().getFirst())
                        || f.remedy().equals(finding.remedy())));
    if (!said) {
      findings.add(finding);
    }
  }
}
