package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.path.HostState.SpdState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What SAs show that stand, or do not. */
final class Associations {
  /** Packets that went out before their silence counts. */
  private static final long SOME = 5;

  private Associations() {}

  static List<Finding> look(Patient patient) {
    List<Finding> findings = new ArrayList<>();
    if (patient.has("xfrm-state.txt")) {
      silent(patient, findings);
      shared(patient, findings);
      missing(patient, findings);
      behindNat(patient, findings);
    }
    if (patient.has("swanctl.conf")) {
      deadPeers(patient, findings);
    }
    return findings;
  }

  /** ESP goes out and none comes back. */
  private static void silent(Patient patient, List<Finding> findings) {
    Map<String, List<Sa>> out = new LinkedHashMap<>();
    Map<String, List<Sa>> in = new LinkedHashMap<>();
    for (Sa sa : patient.associations()) {
      boolean outward = patient.isOwn(sa.source());
      (outward ? out : in).computeIfAbsent(sa.reqid(), r -> new ArrayList<>()).add(sa);
    }
    out.forEach((reqid, sending) -> {
      List<Sa> receiving = in.getOrDefault(reqid, List.of());
      long sent = sending.stream().mapToLong(Sa::sent).sum();
      long received = receiving.stream().mapToLong(Sa::received).sum();
      if (!receiving.isEmpty() && sent >= SOME && received == 0) {
        boolean udp = sending.stream().anyMatch(sa -> sa.encapsulation().isPresent());
        findings.add(
            new Finding(
                Kind.NO_ESP_ARRIVES,
                Severity.WARNING,
                Certainty.LIKELY,
                "the tunnel to "
                    + sending.getFirst().destination()
                    + " is up, and nothing comes out of it",
                udp
                    ? "the other end answers nothing, or its answers in UDP 4500 get lost"
                    : "something on the way drops protocol 50, or the other end answers nothing",
                List.of(
                    sending.getFirst().evidence(" sent " + sent),
                    receiving.getFirst().evidence(" received 0")),
                udp
                    ? List.of(
                        Command.of(
                            "tcpdump -ni any udp port 4500 and host %s",
                            sending.getFirst().destination()))
                    : List.of(
                        Cure.edit("s/^\\( *\\)remote_addrs/\\1encap = yes\\n&/"),
                        renewal(patient, "reqid " + reqid))));
      }
    });
  }

  /** Two peers under one reqid: policies with the same selectors, of which the kernel has one. */
  private static void shared(Patient patient, List<Finding> findings) {
    Map<String, List<Sa>> byReqid = new LinkedHashMap<>();
    for (Sa sa : patient.associations()) {
      if (patient.isOwn(sa.source()) && !sa.marked() && !sa.reqid().equals("0")) {
        byReqid.computeIfAbsent(sa.reqid(), r -> new ArrayList<>()).add(sa);
      }
    }
    byReqid.forEach((reqid, sas) -> {
      Sa last = sas.getFirst();
      for (Sa other : sas) {
        boolean another =
            !other.destination().equals(last.destination())
                || !other.encapsulation().equals(last.encapsulation());
        if (another) {
          boolean transport = !other.tunnelMode();
          Sa unused = unused(patient, last, other);
          findings.add(
              new Finding(
                  Kind.SAME_POLICY,
                  Severity.ERROR,
                  Certainty.LIKELY,
                  transport
                      ? "two peers behind one NAT: what is for one gets to the other"
                      : "two clients, and one of them hears nothing any more",
                  "both have the same selectors, so that the kernel has one policy for both",
                  List.of(last.evidence(endOf(last)), other.evidence(endOf(other))),
                  transport
                      ? List.of(
                          Cure.edit(
                              "s/^\\( *\\)mode *= *transport/&\\n\\1mark_in = %unique\\n\\1mark_out"
                                  + " = %unique/"))
                      : List.of(delete(unused))));
          return;
        }
      }
    });
  }

  private static Command delete(Sa sa) {
    return Command.of(
        "ip xfrm state delete src %s dst %s proto %s spi %s",
        sa.source(), sa.destination(), sa.protocol(), sa.spi());
  }

  private static String endOf(Sa sa) {
    return sa.encapsulation().map(e -> " " + e).orElse("");
  }

  /** The one whose peer no policy names. */
  private static Sa unused(Patient patient, Sa one, Sa other) {
    boolean named =
        patient.links().stream()
            .anyMatch(l ->
                l.tunnel().equals("reqid " + one.reqid())
                    && l.remote().filter(one.destination()::equals).isPresent());
    return named ? other : one;
  }

  /** AH covers the addresses that a NAT changes (RFC 4302, 3.3.3). */
  private static void behindNat(Patient patient, List<Finding> findings) {
    for (Sa sa : patient.associations()) {
      if (sa.protocol().equals("ah")
          && patient.isOwn(sa.source())
          && Uplinks.isPrivate(sa.source())
          && !Uplinks.isPrivate(sa.destination())) {
        findings.add(
            new Finding(
                Kind.AH_BEHIND_NAT,
                Severity.ERROR,
                Certainty.LIKELY,
                "the other end refuses every packet of the tunnel to " + sa.destination(),
                "AH covers the addresses, and a NAT changes this host's private one: only ESP passes",
                List.of(sa.evidence("")),
                List.of(
                    delete(sa),
                    Cure.edit("s/ah_proposals *=[^}#]*/esp_proposals = default/"),
                    renewal(patient, to(patient, sa.destination())))));
        return;
      }
    }
  }

  private static String to(Patient patient, Address peer) {
    return patient.links().stream()
        .filter(link -> link.remote().filter(peer::equals).isPresent())
        .map(Link::tunnel)
        .findFirst()
        .orElse("");
  }

  /** A policy that asks for an SA that is not there, while packets come. */
  private static void missing(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "xfrm_stat.txt", "XfrmOutNoStates");
    if (rise.by() == 0) {
      return;
    }
    for (Link link : patient.links()) {
      boolean waits =
          patient.host().tunnels().stream()
              .anyMatch(
                  t -> t.name().equals(link.tunnel()) && t.states().equals(Set.of(SpdState.NO_SA)));
      if (waits) {
        findings.add(
            new Finding(
                Kind.POLICY_WITHOUT_SA,
                rise.isMeasured() ? Severity.ERROR : Severity.WARNING,
                rise.isMeasured() ? Certainty.CERTAIN : Certainty.LIKELY,
                "nothing gets to " + link.far(),
                "the policy asks for an SA, and there is none",
                List.of(
                    rise.evidence(),
                    new Evidence(
                        "policy src "
                            + link.near()
                            + " dst "
                            + link.far()
                            + " dir out ("
                            + link.tunnel()
                            + ", no SA)",
                        link.policy().origin().place())),
                List.of(renewal(patient, link.tunnel()))));
        return;
      }
    }
  }

  /**
   * Sets a tunnel up anew: charon, which may believe that it stands, refuses a second one, and a
   * rekeyed one keeps what it was configured with.
   */
  static Command renewal(Patient patient, String tunnel) {
    Swanctl swanctl = Swanctl.read(patient.text("swanctl.conf"));
    String child =
        patient.links().stream()
            .filter(link -> link.tunnel().equals(tunnel))
            .flatMap(link -> swanctl.childTo(link.far()).stream())
            .filter(name -> name.matches("[A-Za-z0-9_-]+"))
            .findFirst()
            .orElse("CHILD");
    return Command.of("swanctl --terminate --child %s", child)
        .then(Command.of("swanctl --initiate --child %s", child));
  }

  /** A NAT between the two ends, and nobody asks whether the other one is still there. */
  private static void deadPeers(Patient patient, List<Finding> findings) {
    var behindNat =
        patient.associations().stream().filter(sa -> sa.encapsulation().isPresent()).findFirst();
    if (behindNat.isEmpty()) {
      return;
    }
    Swanctl swanctl = Swanctl.read(patient.text("swanctl.conf"));
    for (String connection : swanctl.connections()) {
      if (!connection.matches("[A-Za-z0-9_-]+")) {
        continue;
      }
      String section = "connections." + connection;
      var delay = swanctl.entry(section + ".dpd_delay");
      if (delay.map(d -> d.value().matches("0+[smhd]?")).orElse(true)) {
        int line = delay.or(() -> swanctl.entry(section)).map(Swanctl.Entry::line).orElse(0);
        findings.add(
            new Finding(
                Kind.DPD_OFF,
                Severity.WARNING,
                Certainty.LIKELY,
                "a tunnel behind NAT dies while it is idle, and nobody notices",
                "dead peer detection is off: a mapping that the NAT forgot is never found out",
                List.of(
                    new Evidence(
                        "connection "
                            + connection
                            + ": dpd_delay = "
                            + delay.map(Swanctl.Entry::value).orElse("0s, the default"),
                        "swanctl.conf:" + line),
                    behindNat.get().evidence(endOf(behindNat.get()))),
                List.of(
                    Cure.edit(
                        delay.isPresent()
                            ? "s/dpd_delay *=.*/dpd_delay = 30s/"
                            : "s/^ *" + connection + " *{/&\\n    dpd_delay = 30s/"))));
        return;
      }
    }
  }
}
