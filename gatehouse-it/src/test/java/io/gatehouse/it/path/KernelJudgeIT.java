package io.gatehouse.it.path;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random packets on random hosts: the model says what a kernel does. */
class KernelJudgeIT {

  /** What the packets of the short run have to meet, or it tells less than it seems to. */
  private static final List<String> MET =
      """
      meta iifname, meta l4proto, meta mark, meta ipsec, rt ipsec, fib type, ct mark, ct status
      ip saddr, ip daddr, ip protocol, ip6 saddr, ip6 daddr, udp dport
      Range, SetRef, Mapped, Binary, AnyOf, relation IS, relation NOT, vmap @, vmap {}
      set meta mark, set ct mark, set ip daddr
      nat Source, nat Destination, nat Masquerade, nat Redirect
      verdict Accept, verdict Drop, verdict Goto, verdict Jump, verdict Reject, verdict Return
      statement Counter, statement Limit, statement Log
      drop in prerouting, drop in input, drop in forward, drop in output, drop in postrouting
      policy dropped in prerouting, policy dropped in input, policy dropped in forward
      route: to this host, route: martian address, route: no route, route: rp_filter
      route: forwarding is off, route: route: unreachable, route: route: blackhole
      xfrm out BLOCK dropped, xfrm out PROTECT dropped
      """
          .lines()
          .flatMap(line -> Stream.of(line.split(", ", -1)))
          .toList();

  private static final List<Feature> NEEDED =
      List.of(
          Feature.VETH,
          Feature.NFT_INET,
          Feature.NFT_NAT,
          Feature.NFT_LOG,
          Feature.NFT_IPSEC,
          Feature.CT_ZONES,
          Feature.XFRM_POLICY);

  private static Trial trial() {
    return new Trial(new Kernel(Lab.with(NEEDED.toArray(Feature[]::new))), Trial.WILD);
  }

  @Test
  void theKernelDoesWhatThePathSays() {
    Trial trial = trial();
    trial.run(1, 40, 40);
    System.out.println(trial.summary());
    assertThat(trial.failure()).isEmpty();
    assertThat(trial.kinds()).containsAll(MET);
    assertThat(trial.packets()).isGreaterThan(1000);
    assertThat(trial.decided()).isGreaterThan(trial.packets() * 7 / 10);
    assertThat(trial.inCompany()).isLessThan(trial.packets() / 100);
  }

  private static Trial live() {
    Stream<Feature> needed = Stream.concat(Stream.of(Feature.ESP), NEEDED.stream());
    return new Trial(new Kernel(Lab.with(needed.toArray(Feature[]::new))), Trial.LIVE);
  }

  /** What the packets of live tunnels have to meet. */
  private static final List<String> MET_LIVE =
      List.of(
          "ipsec in",
          "ipsec out",
          "xfrm fwd: as the policies want",
          "xfrm fwd: XfrmInTmplMismatch",
          "xfrm in: as the policies want",
          "xfrm in: XfrmInTmplMismatch",
          "xfrm out PROTECT routed",
          "xfrm out PROTECT dropped",
          "xfrm out after SNAT PROTECT routed");

  @Test
  void theKernelDoesWhatThePathSaysWithTunnelsThatAreUp() {
    Trial trial = live();
    trial.run(1, 8, 40);
    System.out.println(trial.summary());
    assertThat(trial.failure()).isEmpty();
    assertThat(trial.brought()).isGreaterThan(50);
    assertThat(trial.wrapped()).isGreaterThan(8);
  }

  @Test
  @Tag("full")
  void theKernelDoesWhatThePathSaysWithManyTunnelsThatAreUp() {
    Trial trial = live();
    many(trial, 20_000, 100, 10, 60);
    assertThat(trial.kinds()).containsAll(MET_LIVE);
  }

  @Test
  @Tag("full")
  void theKernelDoesWhatThePathSaysOnManyMore() {
    many(trial(), 10_000, 1000, 50, 120);
  }

  /** So many hosts from a seed on, some at a time. */
  private static void many(Trial trial, int first, int hosts, int atOnce, int packetsEach) {
    for (int seed = first; seed < first + hosts && !trial.hasEnough(); seed += atOnce) {
      trial.run(seed, atOnce, packetsEach);
    }
    System.out.println(trial.summary());
    System.out.println(trial.histogram());
    assertThat(trial.failure()).isEmpty();
  }
}
