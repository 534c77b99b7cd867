package io.gatehouse.path;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.ruleset.Ruleset;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What packets do on the gateways of the examples. */
class DescribedHostTest {
  static List<String> examples() throws IOException {
    return Descriptions.examples();
  }

  private static HostState host(Gateway gateway, Ruleset ruleset) {
    return DescribedHost.of(gateway, ruleset, t -> EnumSet.allOf(SpdState.class));
  }

  private static <T> T ask(HostState host, Family family, Function<PacketPath, T> question) {
    return switch (PacketPath.<T>ask(host, family, 4_000_000, question)) {
      case Bounded.Answer<T> answer -> answer.value();
      case Bounded.GaveUp<T> gaveUp -> throw new AssertionError("gave up: " + gaveUp);
    };
  }

  @ParameterizedTest
  @MethodSource("examples")
  void everyPacketEndsOnceAndEveryRuleIsUnderstood(String example) {
    Gateway gateway = Descriptions.example(example);
    HostState host = host(gateway, Compiler.compile(gateway).ruleset());
    for (Family family : Family.values()) {
      List<Object> found =
          ask(
              host,
              family,
              path -> {
                Bdd bdd = path.space().bdd();
                Journey journey = path.received(Bdd.TRUE);
                Journey made = path.sent(Bdd.TRUE);
                int ends = bdd.or(bdd.or(journey.left(), journey.delivered()), journey.dropped());
                int unknown = bdd.or(bdd.or(journey.left(), journey.delivered()), made.left());
                return List.of(
                    ends == journey.started(),
                    path.space().unknowns(unknown).stream()
                        .filter(u -> u.kind() == Unknown.Kind.NOT_UNDERSTOOD)
                        // The daemon may let a packet go on, or not.
                        .filter(u -> !u.text().equals("queue to user space"))
                        .toList());
              });
      assertThat(found).as("%s %s", example, family).containsExactly(true, List.of());
    }
  }

  /**
   * Something with a pool's or remote network's address that passes through in clear.
   *
   * @param rulesToo whether there are rules, so that it shall not reach this host either: IKE's own
   *     sockets have a bypass that no xfrm policy closes
   */
  private static String leak(HostState host, Gateway gateway, boolean rulesToo) {
    List<Prefix> far =
        gateway.tunnels().stream()
            .flatMap(t -> t.farPrefixes().stream())
            .map(Located::value)
            .toList();
    return ask(
        host,
        Family.V4,
        path -> {
          HeaderSpace space = path.space();
          Bdd bdd = space.bdd();
          Journey journey = path.received(Bdd.TRUE);
          int towards = bdd.and(journey.leftInClear(), journey.leftWithDestination(far));
          Journey from = path.received(bdd.and(space.source(far), space.inClear()));
          int arrives = bdd.or(from.left(), rulesToo ? from.delivered() : Bdd.FALSE);
          return space.witness(bdd.or(towards, arrives)).map(Object::toString).orElse("nothing");
        });
  }

  @Test
  void nothingOfAPoolPassesTheOfficeInClearWhateverItsTunnelsDo() {
    Gateway gateway = Descriptions.example("office.yaml");
    Ruleset ruleset = Compiler.compile(gateway).ruleset();
    assertThat(leak(host(gateway, ruleset), gateway, true)).isEqualTo("nothing");
  }

  @Test
  void theBackstopHoldsWhenEveryRuleIsFlushed() {
    Gateway gateway = Descriptions.example("office.yaml");
    Ruleset ruleset = Compiler.compile(gateway).ruleset();
    Ruleset flushed = ruleset.withTables(List.of());
    Ruleset bare = new Weakened(flushed).withoutBackstop().ruleset();
    assertThat(leak(host(gateway, flushed), gateway, false)).isEqualTo("nothing");
    assertThat(leak(host(gateway, bare), gateway, false)).isNotEqualTo("nothing");
  }
}
