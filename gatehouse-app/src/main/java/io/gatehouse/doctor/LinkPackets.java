package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The packets of a patient's links, as sets of the model. */
final class LinkPackets {
  private static final int TCP = 6;

  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;

  LinkPackets(Patient patient, HeaderSpace space) {
    this.patient = patient;
    this.space = space;
    bdd = space.bdd();
  }

  HeaderSpace space() {
    return space;
  }

  Patient patient() {
    return patient;
  }

  /** What is in all these sets. */
  int and(int first, int... more) {
    int all = first;
    for (int set : more) {
      all = bdd.and(all, set);
    }
    return all;
  }

  /** By any device but the one to the other end, where that is another. */
  int outbound(Link link) {
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

  /** What its SA has decrypted, by the device to the other end. */
  int inbound(Link link) {
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

  /** The tunnel's source, in clear, by the device to the other end. */
  int spoofed(Link link) {
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

  /** What of protocols and ports its policy selects. */
  int selected(Link link, boolean out) {
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

  /** The addresses of this host. */
  List<Prefix> own() {
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

  /** What a witness should be where it can, the first wish first. */
  int[] wishes(Link link) {
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

  /** One packet that surely does so. */
  Optional<Trace> witness(Journey journey, int packets, Link link) {
    return journey.trace(space.lowerBound(packets), wishes(link));
  }
}
