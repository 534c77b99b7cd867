package io.gatehouse.compile;

import io.gatehouse.model.Esp;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host.InternetAccess;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Host.SourceNat;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What a description may ask for, works as asked, and still is weak or will fail some day. */
final class Warnings {
  /** What most IKE daemons have: strongSwan's and libreswan's default for an IPsec SA. */
  private static final Duration REKEY = Duration.ofHours(1);

  private final List<Note> notes = new ArrayList<>();

  private Warnings() {}

  static List<Note> of(Gateway gateway) {
    Warnings warnings = new Warnings();
    gateway.tunnels().forEach(warnings::transport);
    gateway.tunnels().forEach(warnings::pastL2tp);
    gateway.host().internet().forEach(access -> warnings.translated(access, gateway));
    gateway.host().portForwards().forEach(warnings::forwarded);
    gateway.host().portForwards().forEach(forward -> warnings.answered(forward, gateway));
    OneWay.of(gateway).forEach(warnings.notes::add);
    gateway.masquerade().ifPresent(masquerade -> warnings.hosts(masquerade, gateway));
    Pptp.asked(gateway).ifPresent(warnings::pptp);
    // A port forward is one for each outside interface.
    return warnings.notes.stream().distinct().toList();
  }

  /** RFC 3948, 3.1.2: NAT leaves the checksums wrong that transport mode protects. */
  private void transport(Tunnel tunnel) {
    if (!(tunnel instanceof Tunnel.L2tp)) {
      return;
    }
    for (Interface on : tunnel.on()) {
      if (!on.publicAddresses().isEmpty()) {
        notes.add(
            new Note(
                "Clients of "
                    + tunnel.name()
                    + " come to a host that is behind NAT itself ("
                    + on.name()
                    + "): Windows refuses transport mode there until its registry has"
                    + " AssumeUDPEncapsulationContextOnSendRule = 2, and other systems have limits of"
                    + " their own. A tunnel of type remote-access has none of that.",
                tunnel.origin()));
      }
    }
    if (tunnel.esp().encapsulation() == Esp.Encapsulation.NEVER) {
      notes.add(
          new Note(
              "Clients of "
                  + tunnel.name()
                  + " that are behind NAT will not get through: transport mode protects checksums over"
                  + " addresses that NAT changes, and only encapsulation in UDP mends that. Leave out"
                  + " `encapsulation: never`.",
              tunnel.origin()));
    }
  }

  /** Whoever writes the connection by hand may give its SAs more than our fragment does. */
  private void pastL2tp(Tunnel tunnel) {
    if (tunnel instanceof Tunnel.L2tp && !tunnel.services().isEmpty()) {
      notes.add(
          new Note(
              "What "
                  + tunnel.name()
                  + " says in `services` is for packets that its SAs bring, and the connection that `plan --format"
                  + " swanctl` writes carries UDP 1701 alone. Users of PPP come by pppd's"
                  + " devices, which are none of this description. Leave it out, or give clients a tunnel of type"
                  + " remote-access.",
              tunnel.services().getFirst().origin()));
    }
  }

  private void translated(InternetAccess access, Gateway gateway) {
    if (access.nat() instanceof SourceNat.None) {
      return;
    }
    if (names(access.services(), Protocol.AH)) {
      notes.add(
          new Note(
              "AH of "
                  + access.from().name()
                  + " leaves under another address, and its remotes refuse every packet: AH protects the"
                  + " addresses too (RFC 4302, 3.3.3). Use ESP, or let the network keep its addresses with"
                  + " `snat: none`.",
              access.origin()));
    }
    if (names(access.services(), Protocol.ESP) && !isClient(access.from(), gateway)) {
      notes.add(
          new Note(
              "ESP of "
                  + access.from().name()
                  + " has no ports: conntrack keeps one session with each remote, and forgets it after 600 s"
                  + " without traffic (nf_conntrack_generic_timeout), which is less than a rekey interval. What"
                  + " comes in then is dropped until the host inside sends again. Name the network in"
                  + " `masquerade: clients:` instead.",
              access.origin()));
    }
  }

  private static boolean isClient(Network network, Gateway gateway) {
    return gateway.masquerade().filter(m -> m.clients().contains(network)).isPresent();
  }

  private void forwarded(PortForward forward) {
    if (names(List.of(forward.service()), Protocol.AH)) {
      notes.add(
          new Note(
              "AH that is forwarded to "
                  + forward.to().value()
                  + " will be refused there: it protects the address that the forward changes (RFC 4302,"
                  + " 3.3.3). Use ESP.",
              forward.origin()));
    }
  }

  /** Of several uplinks, one that is no identity's way is not remembered. */
  private void answered(PortForward forward, Gateway gateway) {
    Interface first = gateway.outside().getFirst();
    boolean remembered =
        gateway.uplinks().stream()
            .filter(uplink -> uplink.has(forward.to().value().family()))
            .anyMatch(uplink -> uplink.identity().device().equals(forward.on().device()));
    if (!remembered && !first.device().equals(forward.on().device())) {
      notes.add(
          new Note(
              "What "
                  + forward.to().value()
                  + " answers to those who come by "
                  + forward.on().name()
                  + " leaves by the default route, which may be another interface's, and is lost there. Make"
                  + " an identity of it: `identities: { NAME: { via: "
                  + forward.on().name()
                  + " } }`, with a fixed address.",
              forward.origin()));
    }
  }

  private void hosts(Masquerade masquerade, Gateway gateway) {
    notes.add(
        new Note(
            "VPN hosts behind this one need ESP in tunnel mode, or UDP encapsulation: AH protects the address"
                + " that they leave under and is dropped, and what transport mode protects has wrong checksums"
                + " behind NAT, while two such sessions with one remote take each other's packets.",
            masquerade.origin()));
    if (masquerade.lifetime().compareTo(REKEY) < 0) {
      notes.add(
          new Note(
              "An idle session of a VPN host is forgotten after "
                  + masquerade.lifetime().toMinutes()
                  + " minutes, and most hosts rekey after "
                  + REKEY.toMinutes()
                  + ": until then what comes in for it has to be guessed anew, or is dropped. Let"
                  + " `lifetime` be somewhat above the rekey interval.",
              masquerade.origin()));
    }
    masquerade.on().stream()
        .filter(at -> VpnHosts.isOwn(gateway, at))
        .forEach(at -> masquerade.servers().forEach(server -> withoutNatTraversal(at, server)));
  }

  private void withoutNatTraversal(Interface at, Masquerade.Server server) {
    notes.add(
        new Note(
            "UDP 4500 on `"
                + at.name()
                + "` is this host's own, for its tunnels: "
                + server.host().value()
                + " gets IKE on port 500 and raw ESP alone. Let its remotes use no UDP encapsulation, or"
                + " give it an outside interface without tunnels.",
            server.origin()));
  }

  private void pptp(Origin asked) {
    notes.add(
        new Note(
            "PPTP protects nothing: whoever records the beginning of a session has its key after one search"
                + " through 2^56 (MS-CHAPv2 is three times DES), and nothing proves that its packets came"
                + " unchanged. This description lets it through all the same; give its users IPsec.",
            asked));
  }

  /** By name: who asks for everything has not asked for this. */
  static boolean names(List<Service> services, Protocol protocol) {
    return services.stream().anyMatch(service -> service.protocol() == protocol);
  }
}
