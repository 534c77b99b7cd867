package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import io.gatehouse.path.PacketPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Whether IKE and ESP of the other end get to this host. */
final class IkeArrives implements Look {
  private static final int UDP = 17;
  private static final int ESP = 50;

  private final LinkPackets packets;
  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final PacketPath path;

  IkeArrives(LinkPackets packets, PacketPath path) {
    this.packets = packets;
    patient = packets.patient();
    space = packets.space();
    bdd = packets.space().bdd();
    this.path = path;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    if (link.local().isEmpty() || link.local().get().family() != space.family()) {
      return;
    }
    Prefix local = Prefix.host(link.local().get());
    int from = link.remote().map(r -> space.source(Prefix.host(r))).orElse(Bdd.TRUE);
    int by = link.device().map(space::arrivesOn).orElse(Bdd.TRUE);
    int all = packets.and(from, by, space.destination(local), space.inClear(), space.whole());
    boolean encapsulated =
        patient.associations().stream()
            .anyMatch(
                s -> link.tunnel().equals("reqid " + s.reqid()) && s.encapsulation().isPresent());
    int ports =
        packets.and(
            space.protocol(UDP),
            bdd.or(
                space.destinationPort(PortRange.of(500)),
                space.destinationPort(PortRange.of(4500))));
    int wanted = encapsulated ? ports : bdd.or(ports, space.protocol(ESP));
    Journey journey = path.received(packets.and(all, wanted));
    for (int kind : encapsulated ? new int[] {ports} : new int[] {ports, space.protocol(ESP)}) {
      int first = packets.and(all, kind, space.firstOfConnection(), journey.started());
      int standing = packets.and(all, kind, space.established(), journey.started());
      if (first == Bdd.FALSE
          || space.upperBound(packets.and(first, journey.delivered())) != Bdd.FALSE) {
        continue;
      }
      Optional<Trace> taken = journey.trace(space.lowerBound(packets.and(first, journey.left())));
      if (taken.isPresent()) {
        forwarded(link, taken.get(), found);
        continue;
      }
      boolean always = space.upperBound(packets.and(standing, journey.delivered())) == Bdd.FALSE;
      boolean esp = kind != ports;
      journey
          .trace(first, space.destinationPort(PortRange.of(500)))
          .ifPresent(trace ->
              Witness.drop(trace)
                  .filter(step -> step.hop().startsWith("input "))
                  .ifPresent(step -> blocked(link, trace, step, esp, always, found)));
    }
  }

  /** The same protocol served here and led elsewhere: the rule takes this host's own packets. */
  private void forwarded(Link link, Trace trace, Consumer<? super Finding> found) {
    trace.steps().stream()
        .filter(s -> s.effect() == Effect.TRANSLATED)
        .findFirst()
        .ifPresent(step ->
            found.accept(
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
                        Witness.packet(
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

  private void blocked(
      Link link,
      Trace trace,
      Step step,
      boolean esp,
      boolean always,
      Consumer<? super Finding> found) {
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
    found.accept(
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
                Witness.packet(
                    trace, "to the tunnel's own end " + link.local().get() + " is dropped")),
            List.of(remedy)));
  }
}
