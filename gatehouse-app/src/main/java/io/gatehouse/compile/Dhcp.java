package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host.Offer;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Network;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * DHCP in both families, as client and as server. Broadcasts and multicasts: conntrack does not see
 * that an answer belongs to its question, and who asks for an address has none yet.
 */
final class Dhcp {
  private static final int SERVER = 67;
  private static final int CLIENT = 68;
  private static final int SERVER_V6 = 547;
  private static final int CLIENT_V6 = 546;

  private Dhcp() {}

  /** Answers to this host's own client. */
  static List<Rule> answersToUs(Gateway gateway) {
    return client(gateway, Nft.IIFNAME, SERVER, CLIENT, SERVER_V6, CLIENT_V6);
  }

  /** What this host's own client asks. */
  static List<Rule> ourQuestions(Gateway gateway) {
    return client(gateway, Nft.OIFNAME, CLIENT, SERVER, CLIENT_V6, SERVER_V6);
  }

  private static List<Rule> client(
      Gateway gateway, Selector device, int from, int to, int from6, int to6) {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : gateway.interfaces()) {
      Statement here = Nft.is(device, Nft.device(at.device()));
      String why = "lease for this host";
      if (at.dhcp()) {
        rules.add(Nft.rule(why, at.origin(), v4(here, from, to)));
      }
      if (at.routerAdvertisements()) {
        rules.add(Nft.rule(why, at.origin(), v6(here, from6, to6)));
      }
    }
    return rules;
  }

  /**
   * A DHCP server's answers to the IKE daemon, which asks for clients: as a client of the LAN, or
   * as a relay where the server is named.
   */
  static List<Rule> answersForClients(Gateway gateway) {
    return forClients(gateway, Nft.IIFNAME, Nft.udpSport(SERVER), Nft.udpDport(SERVER, CLIENT));
  }

  /** What it asks. */
  static List<Rule> questionsForClients(Gateway gateway) {
    return forClients(gateway, Nft.OIFNAME, Nft.udpSport(SERVER, CLIENT), Nft.udpDport(SERVER));
  }

  private static List<Rule> forClients(
      Gateway gateway, Selector device, Statement from, Statement to) {
    List<Rule> rules = new ArrayList<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Network lan : leasing(gateway, tunnel)) {
        rules.add(
            Nft.rule(
                "leases for clients of " + tunnel.name(),
                tunnel.origin(),
                List.of(
                    Nft.is(device, Nft.device(lan.on().device())),
                    Nft.family(Family.V4),
                    from,
                    to,
                    Nft.ACCEPT)));
      }
    }
    return rules;
  }

  /** The networks whose DHCP server has addresses for clients of a tunnel. */
  static List<Network> leasing(Gateway gateway, Tunnel tunnel) {
    return tunnel instanceof Tunnel.RemoteAccess access && access.leased()
        ? gateway.networks().stream().filter(lan -> lan.houses(access.pools())).toList()
        : List.of();
  }

  /** Questions to the server that is offered to a network. */
  static List<Rule> questions(Network network, Offer offer) {
    return server(network, offer, Nft.IIFNAME, CLIENT, SERVER, CLIENT_V6, SERVER_V6);
  }

  /** The answers of this host's server to every network that it is offered to. */
  static List<Rule> ourAnswers(Gateway gateway) {
    List<Rule> rules = new ArrayList<>();
    for (Offer offer : gateway.host().services()) {
      if (offer.from() instanceof Network network) {
        rules.addAll(server(network, offer, Nft.OIFNAME, SERVER, CLIENT, SERVER_V6, CLIENT_V6));
      }
    }
    return rules;
  }

  private static List<Rule> server(
      Network network, Offer offer, Selector device, int from, int to, int from6, int to6) {
    List<Rule> rules = new ArrayList<>();
    Statement here = Nft.is(device, Nft.device(network.on().device()));
    String why = "leases for " + network.name();
    if (network.connected() && offer.offersUdp(SERVER)) {
      rules.add(Nft.rule(why, offer.origin(), v4(here, from, to)));
    }
    if (network.connected() && offer.offersUdp(SERVER_V6)) {
      rules.add(Nft.rule(why, offer.origin(), v6(here, from6, to6)));
    }
    return rules;
  }

  private static List<Statement> v4(Statement here, int from, int to) {
    return List.of(here, Nft.family(Family.V4), Nft.udpSport(from), Nft.udpDport(to), Nft.ACCEPT);
  }

  private static List<Statement> v6(Statement here, int from, int to) {
    return List.of(here, Icmp.fromLinkLocal(), Nft.udpSport(from), Nft.udpDport(to), Nft.ACCEPT);
  }
}
