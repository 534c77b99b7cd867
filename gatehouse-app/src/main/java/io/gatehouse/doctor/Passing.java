package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Whether anything of a tunnel passes this host, answers included. */
final class Passing implements Look {
  private final LinkPackets packets;
  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Journey received;

  Passing(LinkPackets packets, Journey received) {
    this.packets = packets;
    patient = packets.patient();
    space = packets.space();
    bdd = packets.space().bdd();
    this.received = received;
  }

  /** Whether anything of the tunnel passes at all, and answers too. */
  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    if (patient.isOwn(link.near())) {
      return;
    }
    int in = packets.and(packets.inbound(link), received.started());
    int out = packets.and(packets.outbound(link), received.started());
    int firstIn = packets.and(in, space.firstOfConnection());
    int firstOut = packets.and(out, space.firstOfConnection());
    int passedIn = space.upperBound(packets.and(firstIn, received.left()));
    int passedOut = space.upperBound(packets.and(firstOut, received.leftProtected()));
    Optional<Trace> unchecked =
        passedIn == Bdd.FALSE
            ? received
                .trace(firstIn, packets.wishes(link))
                .filter(t -> Witness.drop(t).filter(s -> s.hop().equals("xfrm fwd")).isPresent())
            : Optional.empty();
    if (unchecked.isPresent()) {
      noPolicy(link, unchecked.get(), found);
      return;
    }
    if (passedIn == Bdd.FALSE && passedOut == Bdd.FALSE) {
      received
          .trace(firstIn, packets.wishes(link))
          .ifPresent(trace ->
              Witness.drop(trace).ifPresent(step -> dropped(link, trace, step, false, found)));
      return;
    }
    int answers =
        passedIn == Bdd.FALSE
            ? Bdd.FALSE
            : bdd.difference(packets.and(out, space.established()), space.firstOfConnection());
    int answered = space.upperBound(packets.and(answers, received.leftProtected()));
    if (answers != Bdd.FALSE && answered == Bdd.FALSE) {
      received
          .trace(answers, packets.wishes(link))
          .ifPresent(trace ->
              Witness.drop(trace).ifPresent(step -> dropped(link, trace, step, true, found)));
    }
  }

  private void dropped(
      Link link, Trace trace, Step step, boolean answers, Consumer<? super Finding> found) {
    if (step.by() instanceof Decider.ByKernel kernel) {
      if (kernel.reason().equals("forwarding is off")) {
        forwardingOff(link, trace, found);
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
    found.accept(
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
            List.of(Cure.evidence(step), Witness.packet(trace, "is dropped")),
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

  private void forwardingOff(Link link, Trace trace, Consumer<? super Finding> found) {
    String key =
        space.family() == Family.V4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    String device = trace.packet().device();
    String own = "net/ipv4/conf/" + device + "/forwarding";
    boolean general = !patient.setting(key).equals(Optional.of("1"));
    String shown = general || space.family() == Family.V6 ? key : own;
    found.accept(
        new Finding(
            Kind.FORWARDING_OFF,
            Severity.ERROR,
            Certainty.CERTAIN,
            "the tunnel to " + link.far() + " is up, and nothing behind this host answers",
            "this host does not forward",
            List.of(
                new Evidence(shown + " = " + patient.setting(shown).orElse("0"), "sysctl.txt"),
                Witness.packet(trace, "is dropped: forwarding is off")),
            List.of(Cure.setting(shown, 1))));
  }

  private void noPolicy(Link link, Trace trace, Consumer<? super Finding> found) {
    boolean known = link.local().isPresent() && link.remote().isPresent();
    String reqid = "reqid ";
    List<String> tunnel =
        link.tunnel().startsWith(reqid)
            ? List.of("reqid", link.tunnel().substring(reqid.length()))
            : List.of();
    found.accept(
        new Finding(
            Kind.NO_FWD_POLICY,
            Severity.ERROR,
            Certainty.CERTAIN,
            "packets from " + link.far() + " are decrypted and vanish",
            "the tunnel has no policy for what is forwarded: the kernel drops it (XfrmInNoPols)",
            List.of(
                link.evidence(),
                new Evidence(
                    "no policy src " + link.far() + " dst " + link.near() + " dir fwd",
                    "xfrm-policy.txt"),
                Witness.packet(trace, "is dropped")),
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
}
