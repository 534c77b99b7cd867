package io.gatehouse.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import org.junit.jupiter.api.Test;

/** What somebody who forges a remote's packets makes us do. Work is counted, not time. */
class EffortTest {
  private static final int REMOTE = 0xc6336401;
  private static final int HOSTS = 500;
  private static final int FORGERIES = 3_000;

  private final Settings settings = Settings.standard();
  private final Ledger ledger = new Ledger();
  private final Flows flows = new Flows(settings, ledger, 0);
  private final ByEvidence evidence = new ByEvidence(settings, flows, ledger);

  private static int host(int number) {
    return 0x0a000100 + number;
  }

  /** An exchange of a host that has ended well: one SPI is to come. */
  private void logsOn(int host, long now) {
    flows.join(host, REMOTE, now);
    Ike request = Wire.v2(host, 7, Ike.AUTH, 1, false, 35, Wire.LONG);
    Ike answer = Wire.v2(host, 7, Ike.AUTH, 1, true, Ike.IDR_PAYLOAD, Wire.LONG);
    evidence.ike(host, REMOTE, request, true, now);
    evidence.ike(host, REMOTE, request, true, now + 500); // it was held, and comes again
    evidence.ike(host, REMOTE, answer, false, now + 500);
  }

  private Verdict forged(int spi, int sequence, long now) {
    return evidence.unknown(REMOTE, new Esp(spi, sequence, 100), now);
  }

  @Test
  void forgeriesOfOneSecondCostNoMoreThanTheLimit() {
    for (int i = 0; i < HOSTS; i++) {
      logsOn(host(i), 0);
    }
    long before = evidence.comparisons(REMOTE);
    for (int i = 0; i < FORGERIES; i++) {
      long now = 10_000 + i * 900L / FORGERIES;
      forged(0x1000 + i, 1, now);
      Verdict second = forged(0x1000 + i, 2, now);
      assertThat(second).as("still to all that may own it").isInstanceOf(Verdict.Copies.class);
    }
    // The last one that was allowed may be over it by one look at everything.
    int once = settings.limits().undecided() * (HOSTS + settings.limits().undecided() * HOSTS / 64);
    assertThat(evidence.comparisons(REMOTE) - before)
        .isGreaterThan(Effort.LIMIT / 2)
        .isLessThan(Effort.LIMIT + once);
  }

  @Test
  void whatWasPutOffIsDecidedWhenTheSecondIsOver() {
    for (int i = 0; i < HOSTS; i++) {
      logsOn(host(i), 0);
    }
    for (int i = 0; i < FORGERIES; i++) {
      forged(0x1000 + i, 1, 10_000);
      forged(0x1000 + i, 2, 10_000);
    }
    // An hour later the forgeries are forgotten, and the first of a host's goes to it alone.
    long later = 10_000 + settings.lifetime().toMillis() + 1_000;
    evidence.tick(later);
    logsOn(host(1), later);
    forged(0x11, 1, later + 600);
    forged(0x11, 2, later + 600);

    assertThat(flows.hostOf(flows.find(REMOTE, 0x11))).isEqualTo(host(1));
  }
}
