package io.gatehouse.it.masquerade;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Who sends first under a new pair of SAs, and how long after the exchange: libreswan and
 * strongSwan with themselves and each other, while both ends ping. Prints the rows that {@code
 * docs/masquerade.md} holds against the simulator.
 */
@Tag("full")
class WhoSpeaksFirstIT {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";
  private static final int LOGONS = 3;
  private static final int REKEYS = 5;

  /** An end of tunnels; what is behind it has the last number of its own address. */
  private record End(String name, boolean libreswan, int number) {
    String address() {
      return "203.0.113." + number;
    }

    String inner() {
      return "192.168." + number + ".1";
    }

    String kind() {
      return libreswan ? "libreswan" : "strongSwan";
    }
  }

  private static final End LIBRE = new End("libre", true, 1);
  private static final End LIBRE_TOO = new End("libre2", true, 2);
  private static final End SWAN = new End("swan", false, 3);
  private static final End SWAN_TOO = new End("swan2", false, 4);
  private static final List<End> ENDS = List.of(LIBRE, LIBRE_TOO, SWAN, SWAN_TOO);

  private static final String WORLD =
      """
      host libre beside libreswan
      host libre2 beside libreswan
      wire %s
      %s
      """
          .formatted(
              ENDS.stream()
                  .map(end -> end.name() + ":eth0 " + end.address() + "/24")
                  .collect(joining(" -- ")),
              // Somewhere: else nobody asks for a policy.
              ENDS.stream()
                  .map(end -> "route %s default via 203.0.113.9".formatted(end.name()))
                  .collect(joining("\n")));

  @Test
  void underANewPairOfSas() {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP);
    try (Network net = lab.network(WORLD)) {
      start(net);
      List<Pair> all = new ArrayList<>();
      for (List<End> two :
          List.of(List.of(LIBRE, LIBRE_TOO), List.of(LIBRE, SWAN), List.of(SWAN, SWAN_TOO))) {
        all.addAll(measured(net, two.getFirst(), two.getLast()));
      }
      for (int exchange : List.of(Ike.AUTH, Ike.CREATE_CHILD_SA)) {
        for (boolean asker : List.of(true, false)) {
          for (boolean answerer : List.of(true, false)) {
            List<Pair> those =
                all.stream()
                    .filter(pair -> pair.exchange == exchange)
                    .filter(pair -> pair.asker.libreswan == asker)
                    .filter(pair -> pair.answerer.libreswan == answerer)
                    .toList();
            System.out.println(row(those));
            boolean alike = asker == answerer;
            int each = exchange == Ike.AUTH ? LOGONS : REKEYS;
            assertThat(those).hasSizeGreaterThanOrEqualTo(alike ? 2 * each : each);
          }
        }
      }
    }
  }

  // ---- peers

  private static void start(Network net) {
    StringBuilder script = new StringBuilder();
    for (End end : ENDS) {
      List<End> others = ENDS.stream().filter(other -> !other.equals(end)).toList();
      String namespace = net.host(end.name()).namespace();
      script.append(
          """
          cat > /tmp/%1$s.conf <<'END'
          %2$s
          END
          { lab-in %1$s ip addr add %3$s/32 dev lo && lab-in %1$s %4$s; } &
          starting+=($!)
          """
              .formatted(
                  namespace,
                  end.libreswan() ? pluto(end, others) : charon(end, others),
                  end.inner(),
                  end.libreswan()
                      ? "lab-pluto start /tmp/%s.conf %s".formatted(namespace, SECRET)
                      : "lab-charon start /tmp/%s.conf".formatted(namespace)));
    }
    script.append("for one in ${starting[@]}; do wait $one || exit 1; done\n");
    net.lab().run(script.toString(), Duration.ofMinutes(5)).expected();
  }

  private static String pluto(End end, List<End> others) {
    return "config setup\n"
        + others.stream()
            .map(other ->
                """
                conn %s
                  authby=secret
                  ikev2=yes
                  encapsulation=no
                  ike=aes128-sha2_256-dh31
                  esp=aes128-sha1
                  pfs=no
                  leftupdown=%%disabled
                  auto=add
                  left=%s
                  leftid=@%s
                  leftsubnet=%s/32
                  right=%s
                  rightid=@%s
                  rightsubnet=%s/32
                """
                    .formatted(
                        other.name(),
                        end.address(),
                        end.name(),
                        end.inner(),
                        other.address(),
                        other.name(),
                        other.inner()))
            .collect(joining("\n"));
  }

  private static String charon(End end, List<End> others) {
    return "connections {\n"
        + others.stream()
            .map(other ->
                """
                %1$s {
                  version = 2
                  mobike = no
                  local_addrs = %2$s
                  remote_addrs = %3$s
                  proposals = aes128-sha256-x25519
                  local { auth = psk
                    id = %4$s }
                  remote { auth = psk
                    id = %1$s }
                  children { %1$s {
                    local_ts = %5$s/32
                    remote_ts = %6$s/32
                    esp_proposals = aes128-sha1
                  } }
                }
                """
                    .formatted(
                        other.name(),
                        end.address(),
                        other.address(),
                        end.name(),
                        end.inner(),
                        other.inner()))
            .collect(joining("\n"))
        + "}\nsecrets { ike { secret = \""
        + SECRET
        + "\" } }\n";
  }

  private static String in(Network net, End end, String command) {
    return "lab-in %s %s".formatted(net.host(end.name()).namespace(), command);
  }

  private static String logOn(Network net, End asker, End answerer) {
    return asker.libreswan()
        ? whack(net, asker, answerer, "--initiate")
        : in(net, asker, "swanctl --initiate --timeout 60 --child " + answerer.name());
  }

  /** Both say it: what one takes for a failure it begins again. */
  private static String logOff(Network net, End asker, End answerer) {
    return ended(net, asker, answerer) + "\nrest\n" + ended(net, answerer, asker) + "\nrest\n";
  }

  private static String ended(Network net, End end, End far) {
    return end.libreswan()
        ? whack(net, end, far, "--terminate")
        : in(net, end, "swanctl --terminate --ike " + far.name());
  }

  private static String rekey(Network net, End asker, End answerer) {
    return asker.libreswan()
        ? whack(net, asker, answerer, "--rekey-ipsec")
        : in(net, asker, "swanctl --rekey --child " + answerer.name());
  }

  private static String whack(Network net, End asker, End answerer, String what) {
    return in(
        net,
        asker,
        "timeout 60 /usr/libexec/ipsec/whack --rundir /run/pluto --name %s %s"
            .formatted(answerer.name(), what));
  }

  // ---- what they do

  /**
   * Both begin sessions and new SAs, one after the other, and ping five times a second all the
   * while.
   */
  private static List<Pair> measured(Network net, End one, End other) {
    Host host = net.host(other.name());
    Capture capture = Capture.of(host, "eth0");
    StringBuilder script = new StringBuilder();
    for (End end : List.of(one, other)) {
      End far = end.equals(one) ? other : one;
      script
          .append(in(net, end, "ping -n -q -i 0.2 -I %s %s".formatted(end.inner(), far.inner())))
          .append(" > /dev/null & pings+=($!)\n");
    }
    script.append("exec 9<> <(:)\nrest() { read -r -t 3 -u 9; true; }\n");
    for (End asker : List.of(one, other)) {
      End answerer = asker.equals(one) ? other : one;
      for (int i = 0; i < LOGONS; i++) {
        script.append(logOn(net, asker, answerer)).append(" || exit 1\nrest\n");
        if (i < LOGONS - 1) {
          script.append(logOff(net, asker, answerer));
        }
      }
      for (int i = 0; i < REKEYS; i++) {
        script.append(rekey(net, asker, answerer)).append(" || exit 1\nrest\n");
      }
      script.append(logOff(net, asker, answerer));
    }
    script.append("kill ${pings[@]}\n");
    Answer answer = net.lab().run(script.toString(), Duration.ofMinutes(9));
    assertThat(answer.status()).as(() -> answer + logs(net)).isZero();
    return pairs(capture.end(), one, other);
  }

  private static String logs(Network net) {
    StringBuilder logs = new StringBuilder();
    for (End end : ENDS) {
      String log = end.libreswan() ? "pluto" : "charon";
      logs.append(end.name()).append('\n');
      logs.append(net.host(end.name()).script("tail -60 /var/log/%s.log".formatted(log)).out());
    }
    return logs.toString();
  }

  // ---- what was seen

  /**
   * A new pair of SAs. Times in nanoseconds after the exchange's answer; before it they are below
   * zero.
   *
   * @param deleted when the asker said that the old pair is over; empty where there was none
   */
  private record Pair(
      int exchange,
      End asker,
      End answerer,
      long took,
      long askersFirst,
      long answerersFirst,
      OptionalLong deleted) {}

  private static List<Pair> pairs(List<Capture.Seen> all, End one, End other) {
    List<Pair> pairs = new ArrayList<>();
    Set<Integer> known = new HashSet<>();
    for (int i = 0; i < all.size(); i++) {
      Optional<Ike> request = all.get(i).ike().filter(WhoSpeaksFirstIT::bringsSas);
      if (request.filter(ike -> !ike.answers()).isPresent()) {
        End asker = all.get(i).from().equals(address(one)) ? one : other;
        pair(all.subList(i, all.size()), asker, asker.equals(one) ? other : one, known)
            .ifPresent(pairs::add);
      }
    }
    return pairs;
  }

  private static boolean bringsSas(Ike ike) {
    return ike.exchange() == Ike.AUTH || ike.exchange() == Ike.CREATE_CHILD_SA;
  }

  private static Address address(End end) {
    return Address.parse(end.address()).orElseThrow();
  }

  /**
   * The pair that a request brings, as far as both ends send before the next one.
   *
   * @param rest from the request on
   */
  private static Optional<Pair> pair(
      List<Capture.Seen> rest, End asker, End answerer, Set<Integer> known) {
    Ike request = rest.getFirst().ike().orElseThrow();
    OptionalLong answered = OptionalLong.empty();
    OptionalLong deleted = OptionalLong.empty();
    long[] first = {Long.MAX_VALUE, Long.MAX_VALUE};
    for (Capture.Seen seen : rest.subList(1, rest.size())) {
      if (seen.ike().isPresent()) {
        Ike ike = seen.ike().get();
        boolean same =
            ike.initiator() == request.initiator() && ike.exchange() == request.exchange();
        if (bringsSas(ike) && !ike.answers() && !(same && ike.messageId() == request.messageId())) {
          break;
        }
        if (same && ike.answers() && ike.messageId() == request.messageId() && answered.isEmpty()) {
          answered = OptionalLong.of(seen.nanos());
        }
        if (ike.inner() == Ike.DELETE_PAYLOAD
            && !ike.answers()
            && deleted.isEmpty()
            && seen.from().equals(address(asker))) {
          deleted = OptionalLong.of(seen.nanos());
        }
      } else if (known.add(seen.esp().orElseThrow().spi())) {
        int who = seen.from().equals(address(asker)) ? 0 : 1;
        first[who] = Math.min(first[who], seen.nanos());
      }
    }
    if (answered.isEmpty() || first[0] == Long.MAX_VALUE || first[1] == Long.MAX_VALUE) {
      return Optional.empty();
    }
    long at = answered.getAsLong();
    return Optional.of(
        new Pair(
            request.exchange(),
            asker,
            answerer,
            at - rest.getFirst().nanos(),
            first[0] - at,
            first[1] - at,
            deleted.isPresent() ? OptionalLong.of(deleted.getAsLong() - at) : deleted));
  }

  // ---- what is said of it

  private static String row(List<Pair> pairs) {
    if (pairs.isEmpty()) {
      return "none";
    }
    Pair any = pairs.getFirst();
    long askerFirst = pairs.stream().filter(p -> p.askersFirst < p.answerersFirst).count();
    return "| %s | %s asks %s | %d | %s | %s | %s | %s | %d of %d |"
        .formatted(
            any.exchange == Ike.AUTH ? "logon" : "rekey",
            any.asker.kind(),
            any.answerer.kind(),
            pairs.size(),
            spread(pairs.stream(), pair -> pair.took),
            spread(pairs.stream(), pair -> pair.askersFirst),
            spread(pairs.stream(), pair -> pair.answerersFirst),
            any.exchange == Ike.AUTH
                ? "–"
                : spread(
                    pairs.stream().filter(pair -> pair.deleted.isPresent()),
                    pair -> pair.deleted.orElseThrow()),
            askerFirst,
            pairs.size());
  }

  /** Median, and least to most, in milliseconds. */
  private static String spread(Stream<Pair> pairs, ToLongFunction<Pair> figure) {
    long[] sorted = pairs.mapToLong(figure).sorted().toArray();
    if (sorted.length == 0) {
      return "–";
    }
    double median =
        LongStream.of(sorted[(sorted.length - 1) / 2], sorted[sorted.length / 2])
            .average()
            .orElse(0);
    return String.format(
        Locale.ROOT,
        "%.0f (%.0f to %.0f)",
        median / 1e6,
        sorted[0] / 1e6,
        Arrays.stream(sorted).max().orElse(0) / 1e6);
  }
}
