package io.gatehouse.compile;

import io.gatehouse.model.Esp;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.PrefixIndex;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * IKE and ESP with the peers, exactly on the interfaces and addresses that tunnels use. The peer's
 * port is its own: clients sit behind NAT.
 */
final class Ike {
  /** RFC 7296, 2.23: the second one carries ESP too. */
  static final int[] PORTS = {500, 4500};

  private final Gateway gateway;
  private final Sets sets;
  private final Space space;

  Ike(Draft draft) {
    gateway = draft.gateway;
    sets = draft.sets;
    space = draft.space;
  }

  /** The rules of the input chain: any source port. */
  List<Rule> in() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : used()) {
      for (List<Statement> where : arriving(at)) {
        rules.addAll(
            protocols(
                at,
                where,
                Nft.udpDport(PORTS),
                "IKE, from any port, because peers sit behind NAT",
                "ESP from peers"));
      }
    }
    return rules;
  }

  /** The rules of a closed output chain. */
  List<Rule> out() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : used()) {
      for (List<Statement> where : leaving(at)) {
        rules.addAll(
            protocols(at, where, Nft.udpSport(PORTS), "IKE to peers, to any port", "ESP to peers"));
      }
    }
    return rules;
  }

  private List<Rule> protocols(
      Interface at, List<Statement> where, Statement ike, String whyIke, String whyEsp) {
    Tunnel first = tunnels(at).getFirst();
    List<Rule> rules = new ArrayList<>();
    rules.add(Nft.rule(whyIke, first.origin(), Nft.all(where, List.of(ike, Nft.ACCEPT))));
    tunnels(at).stream()
        .filter(tunnel -> tunnel.esp().encapsulation() != Esp.Encapsulation.ALWAYS)
        .findFirst()
        .ifPresent(tunnel ->
            rules.add(
                Nft.rule(
                    whyEsp,
                    tunnel.origin(),
                    Nft.all(where, List.of(Nft.protocol(Protocol.ESP), Nft.ACCEPT)))));
    return rules;
  }

  private List<List<Statement>> arriving(Interface at) {
    List<Statement> device = List.of(Nft.is(Nft.IIFNAME, Nft.device(at.device())));
    boolean anybody = peers(at).isEmpty();
    if (anybody && Stream.of(Family.values()).allMatch(at::isFollowed)) {
      return List.of(Nft.all(device, List.of(Nft.TO_THIS_HOST)));
    }
    List<List<Statement>> ways = new ArrayList<>();
    for (Family family : Family.values()) {
      Optional<List<Statement>> there = local(at, family, Nft.daddr(family), Nft.TO_THIS_HOST);
      Optional<List<Statement>> who = who(at, family, Nft.saddr(family));
      if (there.isPresent() && who.isPresent()) {
        ways.add(Nft.all(device, who.get(), there.get()));
      }
    }
    return ways;
  }

  private List<List<Statement>> leaving(Interface at) {
    List<Statement> device = List.of(Nft.is(Nft.OIFNAME, Nft.device(at.device())));
    List<List<Statement>> ways = new ArrayList<>();
    for (Family family : Family.values()) {
      Optional<List<Statement>> here = local(at, family, Nft.saddr(family), Nft.FROM_THIS_HOST);
      Optional<List<Statement>> who = who(at, family, Nft.daddr(family));
      if (here.isPresent() && who.isPresent()) {
        ways.add(Nft.all(device, here.get(), who.get()));
      }
    }
    return ways;
  }

  /**
   * Our own end: the written addresses, or whichever the interface has; nothing where it has none
   * of that family.
   */
  private static Optional<List<Statement>> local(
      Interface at, Family family, Selector address, Statement followed) {
    List<Value> written =
        at.addresses().stream()
            .map(a -> a.value().address())
            .filter(a -> a.family() == family)
            .distinct()
            .map(Nft::address)
            .toList();
    if (!written.isEmpty()) {
      return Optional.of(List.of(Nft.is(address, Nft.anyOf(written))));
    }
    return at.isFollowed(family)
        ? Optional.of(List.of(Nft.family(family), followed))
        : Optional.empty();
  }

  /** The other end: the named peers where every tunnel there names its own, else anybody. */
  private Optional<List<Statement>> who(Interface at, Family family, Selector address) {
    Optional<List<Located<Prefix>>> named = peers(at);
    if (named.isEmpty()) {
      return Optional.of(List.of());
    }
    return sets.addresses("peers_" + at.name(), family, named.get())
        .map(set -> List.of(Nft.is(address, set)));
  }

  /** The interfaces that tunnels use, in the order of the description. */
  private List<Interface> used() {
    return gateway.interfaces().stream().filter(at -> !tunnels(at).isEmpty()).toList();
  }

  private List<Tunnel> tunnels(Interface at) {
    return gateway.tunnels().stream()
        .filter(tunnel -> tunnel.on().stream().anyMatch(on -> on.name().equals(at.name())))
        .toList();
  }

  private Optional<List<Located<Prefix>>> peers(Interface at) {
    List<Located<Prefix>> named = new ArrayList<>();
    for (Tunnel tunnel : tunnels(at)) {
      for (Located<Peer> peer : tunnel.peers()) {
        if (!(peer.value() instanceof Peer.At there)) {
          return Optional.empty();
        }
        named.add(new Located<>(there.prefix(), peer.origin()));
      }
    }
    return Optional.of(named);
  }

  /**
   * The rules for peers whose own address lies on the far side of a tunnel: what protects packets
   * travels in clear itself, and comes before what asks far sources for their evidence.
   */
  List<Rule> inFromAmidst() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : used()) {
      for (Family family : Family.values()) {
        Optional<SetRef> peers =
            sets.addresses("amidst_" + at.name(), family, amidst(tunnels(at), family));
        Optional<List<Statement>> here = local(at, family, Nft.daddr(family), Nft.TO_THIS_HOST);
        if (peers.isPresent() && here.isPresent()) {
          List<Statement> where =
              List.of(
                  Nft.is(Nft.IIFNAME, Nft.device(at.device())),
                  Nft.is(Nft.saddr(family), peers.get()),
                  Nft.NOT_DECRYPTED);
          rules.addAll(
              protocols(
                  at,
                  Nft.all(where, here.get()),
                  Nft.udpDport(PORTS),
                  "IKE from a peer amidst its network",
                  "ESP from a peer amidst its network"));
        }
      }
    }
    return rules;
  }

  /** All peers whose own address lies on the far side of a tunnel. */
  Optional<SetRef> amidst(Family family) {
    return sets.addresses("amidst", family, amidst(gateway.tunnels(), family));
  }

  private List<Located<Prefix>> amidst(List<Tunnel> tunnels, Family family) {
    PrefixIndex far = space.farByPrefix(family);
    List<Located<Prefix>> amidst = new ArrayList<>();
    for (Tunnel tunnel : tunnels) {
      for (Located<Peer> peer : tunnel.peers()) {
        if (peer.value() instanceof Peer.At there) {
          far.overlapping(there.prefix()).stream()
              .map(prefix -> prefix.length() > there.prefix().length() ? prefix : there.prefix())
              .forEach(both -> amidst.add(new Located<>(both, peer.origin())));
        }
      }
    }
    return amidst;
  }
}
