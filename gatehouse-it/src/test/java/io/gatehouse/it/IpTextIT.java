package io.gatehouse.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Routing.Kind;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A kernel takes every line of IpText, and the deletions leave nothing behind. */
class IpTextIT {
  private static final Origin LINE = Origin.builtIn("test");

  private static final String SHOW =
      """
      ip -4 rule; ip -6 rule; ip -4 route show table all; ip -6 route show table all
      ip -4 neigh show proxy; ip -6 neigh show proxy; ip xfrm policy
      """;

  private static final String SCRIPT =
      """
      set -e
      ip link set lo up
      ip link add v0 type veth peer name v1
      ip addr add 10.9.0.1/24 dev v0
      ip addr add 2001:db8:9::1/64 dev v0 nodad
      ip link set v1 up
      ip link set v0 up
      until ip -6 route show table local dev v0 | grep -q multicast; do sleep 0.1; done
      (SHOW) >before
      ip -4 -batch add4; ip -6 -batch add6
      (SHOW) >during
      ip -4 -batch delete4; ip -6 -batch delete6
      (SHOW) >after
      """;

  @TempDir private Path directory;

  @Test
  void everyLineIsTakenAndTakenBack() throws Exception {
    assumeTrue(System.getProperty("user.name").equals("root"), "needs root: a network namespace");
    Ruleset ruleset = ruleset();
    Files.writeString(directory.resolve("add4"), IpText.add(ruleset, Family.V4));
    Files.writeString(directory.resolve("add6"), IpText.add(ruleset, Family.V6));
    Files.writeString(directory.resolve("delete4"), IpText.delete(ruleset, Family.V4));
    Files.writeString(directory.resolve("delete6"), IpText.delete(ruleset, Family.V6));

    Process process =
        new ProcessBuilder("unshare", "-n", "sh", "-c", SCRIPT.replace("SHOW", SHOW))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), UTF_8);

    assertThat(process.waitFor()).as(said).isZero();
    assertThat(Files.readString(directory.resolve("during")))
        .contains(
            "5000:	from 10.8.0.2 lookup 7100 proto 171",
            "5001:	from 2001:db8:8::2 fwmark 0x1000000/0xff000000 lookup 7101 proto 171",
            "default via 10.9.0.2 dev v0 table 7100 proto 171",
            "unreachable default table 7100 proto 171 metric 4294967295",
            "default via 2001:db8:9::2 dev v0 table 7101 proto 171",
            "10.7.0.0/24 dev v0 proto 171 scope link src 10.9.0.1",
            "10.9.0.77 dev v0 proxy proto 171",
            "2001:db8:9::77 dev v0 proxy proto 171",
            "src 0.0.0.0/0 dst 10.0.3.0/24",
            "dir out action block priority 4294967280",
            "dir in priority 4294967279");
    assertThat(Files.readString(directory.resolve("after")))
        .isEqualTo(Files.readString(directory.resolve("before")));
  }

  private static Ruleset ruleset() {
    Prefix pool = Prefix.of("10.0.3.0/24");
    Prefix pool6 = Prefix.of("2001:db8:3::/64");
    return new Ruleset(
        "test",
        List.of(),
        List.of(
            new XfrmPolicy(Direction.OUT, Prefix.ALL_V4, pool, 4294967280L, true, LINE),
            new XfrmPolicy(Direction.FWD, pool, Prefix.ALL_V4, 4294967280L, true, LINE),
            new XfrmPolicy(Direction.IN, pool6, Prefix.ALL_V6, 4294967279L, false, LINE)),
        List.of(
            rule(Family.V4, 5000, "10.8.0.2", Optional.empty(), 7100),
            rule(
                Family.V6,
                5001,
                "2001:db8:8::2",
                Optional.of(new Routing.Mark(0x01000000, 0xff000000L)),
                7101)),
        List.of(
            route("0.0.0.0/0", 7100, via("10.9.0.2")),
            new Routing.Route(
                Prefix.ALL_V4, 7100, new Kind.Unreachable(), Optional.of(4294967295L), LINE),
            route("::/0", 7101, via("2001:db8:9::2")),
            new Routing.Route(
                Prefix.ALL_V6, 7101, new Kind.Unreachable(), Optional.of(4294967295L), LINE),
            route(
                "10.7.0.0/24",
                254,
                new Kind.Via(Optional.empty(), "v0", Optional.of(Address.of("10.9.0.1"))))),
        List.of(
            new Routing.ProxyNeighbour(Address.of("10.9.0.77"), "v0", LINE),
            new Routing.ProxyNeighbour(Address.of("2001:db8:9::77"), "v0", LINE)),
        List.of(),
        Numbers.DEFAULT);
  }

  private static Routing.Policy rule(
      Family family, int priority, String from, Optional<Routing.Mark> mark, int table) {
    return new Routing.Policy(
        family, priority, Optional.of(Prefix.of(from)), Optional.empty(), mark, table, LINE);
  }

  private static Routing.Route route(String destination, int table, Kind kind) {
    return new Routing.Route(Prefix.of(destination), table, kind, Optional.empty(), LINE);
  }

  private static Kind via(String hop) {
    return new Kind.Via(Optional.of(Address.of(hop)), "v0", Optional.empty());
  }
}
