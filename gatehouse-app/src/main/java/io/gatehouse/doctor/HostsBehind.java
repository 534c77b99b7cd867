package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.snapshot.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What conntrack shows of VPN hosts behind this one, whose addresses it translates. */
final class HostsBehind {
  /** After which most hosts replace their SAs. */
  private static final Duration REKEY = Duration.ofHours(1);

  private static final String GENERIC = "net/netfilter/nf_conntrack_generic_timeout";
  private static final String AUTOMATIC = "net/netfilter/nf_conntrack_helper";
  private static final int PPTP = 1723;

  private final Patient patient;
  private final List<Seen> translated;

  /**
   * An entry.
   *
   * @param words all of its line
   * @param line 1-based
   */
  private record Seen(Connection connection, List<String> words, int line) {
    Address host() {
      return connection.original().source();
    }

    Address remote() {
      return connection.original().destination();
    }

    boolean isEsp() {
      return connection.protocol().equals("50") || connection.protocol().equals("esp");
    }

    boolean isTo(int port) {
      return connection.original().destinationPort().stream().anyMatch(p -> p == port);
    }

    Evidence evidence() {
      Connection.Tuple reply = connection.reply();
      String ports =
          reply.destinationPort().isPresent() ? " port " + reply.destinationPort().getAsInt() : "";
      return new Evidence(
          "%s %s → %s, answers to %s%s"
              .formatted(
                  isEsp() ? "esp" : connection.protocol(),
                  host(),
                  remote(),
                  reply.destination(),
                  ports),
          "conntrack.txt:" + line);
    }
  }

  private HostsBehind(Patient patient) {
    this.patient = patient;
    List<Seen> seen = new ArrayList<>();
    int number = 0;
    for (String line : (Iterable<String>) patient.text("conntrack.txt").lines()::iterator) {
      number++;
      for (Connection connection : Connection.parse(line)) {
        // Who sets zones keeps such hosts apart by more than their addresses.
        if (connection.sourceTranslated() && connection.zone().isEmpty()) {
          seen.add(new Seen(connection, List.of(line.strip().split("\\s+", -1)), number));
        }
      }
    }
    translated = List.copyOf(seen);
  }

  /** Findings about conntrack's entries. */
  static List<Finding> look(Patient patient) {
    HostsBehind hosts = new HostsBehind(patient);
    return Stream.of(hosts.forgotten(), hosts.withoutHelper(), hosts.inPlaceOfThisHost())
        .flatMap(Optional::stream)
        .toList();
  }

  /**
   * ESP has no ports and no end: conntrack keeps it for as long as anything that it cannot read.
   */
  private Optional<Finding> forgotten() {
    Optional<Long> timeout =
        patient.setting(GENERIC).filter(t -> t.matches("[0-9]{1,9}")).map(Long::valueOf);
    Optional<Seen> esp = translated.stream().filter(Seen::isEsp).findFirst();
    if (timeout.isEmpty() || esp.isEmpty() || timeout.get() >= REKEY.toSeconds()) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            Kind.ESP_FORGOTTEN,
            Severity.WARNING,
            Certainty.POSSIBLE,
            "a VPN client behind this host that was silent hears nothing until it speaks again",
            "conntrack forgets ESP after %d s without packets, and an SA mostly lives %d"
                .formatted(timeout.get(), REKEY.toSeconds()),
            List.of(
                esp.get().evidence(), new Evidence(GENERIC + " = " + timeout.get(), "sysctl.txt")),
            List.of(Cure.setting(GENERIC, (int) REKEY.plusMinutes(5).toSeconds()))));
  }

  /** GRE of two calls to one server is told apart by numbers that only the helper reads. */
  private Optional<Finding> withoutHelper() {
    if (mayHaveHelper()) {
      return Optional.empty();
    }
    Map<List<Address>, Map<Address, Seen>> sessions = new LinkedHashMap<>();
    for (Seen one : translated) {
      if (one.connection().protocol().equals("tcp")
          && one.isTo(PPTP)
          && one.words().contains("ESTABLISHED")
          && one.words().stream().noneMatch(word -> word.startsWith("helper="))) {
        sessions
            .computeIfAbsent(
                List.of(one.remote(), one.connection().reply().destination()),
                ends -> new LinkedHashMap<>())
            .putIfAbsent(one.host(), one);
      }
    }
    return sessions.values().stream()
        .filter(hosts -> hosts.size() > 1)
        .findFirst()
        .map(hosts -> {
          List<Seen> some = List.copyOf(hosts.values());
          Address server = some.getFirst().remote();
          String tool = Cure.iptables(server.family());
          return new Finding(
              Kind.PPTP_WITHOUT_HELPER,
              Severity.ERROR,
              Certainty.LIKELY,
              "of the PPTP clients behind this host that call "
                  + server
                  + " one at most is answered",
              "nothing assigns conntrack's helper for PPTP: without it GRE of one call cannot be told"
                  + " from another's",
              some.stream().limit(2).map(Seen::evidence).toList(),
              List.of(
                  Command.of("modprobe nf_nat_pptp"),
                  Command.of(
                      "%s -t raw -I PREROUTING -p tcp -d %s --dport %s -j CT --helper pptp",
                      tool, server, PPTP),
                  Command.of(
                      "conntrack -D -p tcp --orig-dst %s --orig-port-dst %s", server, PPTP)));
        });
  }

  /** Where a rule assigns one, or may, or the kernel does by itself as those before 6.0 could. */
  private boolean mayHaveHelper() {
    return patient.setting(AUTOMATIC).filter(v -> !v.equals("0")).isPresent()
        || patient.host().tables().stream()
            .map(Table::chains)
            .flatMap(List::stream)
            .flatMap(chain -> chain.rules().stream())
            .map(Rule::statements)
            .anyMatch(all ->
                all.stream().anyMatch(HostsBehind::mayAssign)
                    // Whoever listens there is meant to know PPTP.
                    || (all.stream().anyMatch(Statement.Queue.class::isInstance)
                        && all.stream().anyMatch(HostsBehind::asksForControl)));
  }

  private static boolean asksForControl(Statement statement) {
    return statement instanceof Statement.Match(Payload(String header, String field), _, var right)
        && List.of("tcp", "th").contains(header)
        && List.of("sport", "dport").contains(field)
        && !(right instanceof Expression.Number(long port) && port != PPTP);
  }

  private static boolean mayAssign(Statement statement) {
    return switch (statement) {
      case Statement.CtHelper helper -> true;
      case Statement.Opaque opaque -> opaque.text().contains("helper");
      default -> false;
    };
  }

  /** What a peer of this host sends by itself goes where the entry leads, and not to this host. */
  private Optional<Finding> inPlaceOfThisHost() {
    for (Link link : patient.links()) {
      if (link.local().isEmpty() || link.remote().isEmpty()) {
        continue;
      }
      boolean encapsulated =
          patient.associations().stream()
              .filter(sa -> link.tunnel().equals("reqid " + sa.reqid()))
              .anyMatch(sa -> sa.encapsulation().isPresent());
      for (Seen one : translated) {
        Connection.Tuple reply = one.connection().reply();
        boolean between =
            reply.source().equals(link.remote().get())
                && reply.destination().equals(link.local().get())
                && !patient.isOwn(one.host());
        boolean ike =
            one.connection().protocol().equals("udp")
                && reply.sourcePort().equals(reply.destinationPort())
                && reply.destinationPort().stream().anyMatch(p -> p == 500 || p == 4500);
        if (between && (ike || (one.isEsp() && !encapsulated))) {
          return Optional.of(inPlaceOfThisHost(link, one));
        }
      }
    }
    return Optional.empty();
  }

  private static Finding inPlaceOfThisHost(Link link, Seen one) {
    String what = one.isEsp() ? "ESP" : "IKE";
    String tool = Cure.iptables(one.host().family());
    return new Finding(
        Kind.IKE_MASQUERADED,
        Severity.ERROR,
        Certainty.CERTAIN,
        what + " of " + one.remote() + ", with which this host has a tunnel, goes to " + one.host(),
        "that host speaks to the same peer, and NAT gave it what this host's own "
            + what
            + " is known by",
        List.of(one.evidence(), link.evidence()),
        one.isEsp()
            ? List.of(
                // Only one of the two can speak ESP with it; the other has UDP encapsulation.
                Command.of(
                    "%s -I FORWARD -s %s -d %s -p esp -j DROP", tool, one.host(), one.remote()),
                deletion(one, "50")) // not every host has names of protocols
            : List.of(
                Command.of(
                    "%s -t nat -I POSTROUTING -s %s -d %s -p udp -m multiport --sports 500,4500"
                        + " -j MASQUERADE --to-ports 10000-65535",
                    tool, one.host(), one.remote()),
                deletion(one, "udp")));
  }

  private static Command deletion(Seen one, String protocol) {
    return Command.of(
        "conntrack -D -p %s --orig-src %s --orig-dst %s", protocol, one.host(), one.remote());
  }
}
