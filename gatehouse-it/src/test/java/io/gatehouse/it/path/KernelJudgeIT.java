package io.gatehouse.it.path;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Random packets on random hosts: the model says what a kernel does. */
class KernelJudgeIT {

  private static Trial trial() {
    return new Trial(
        new Kernel(
            Lab.with(
                Feature.VETH,
                Feature.NFT_INET,
                Feature.NFT_NAT,
                Feature.NFT_LOG,
                Feature.NFT_IPSEC,
                Feature.CT_ZONES,
                Feature.XFRM_POLICY)));
  }

  @Test
  void theKernelDoesWhatThePathSays() {
    Trial trial = trial();
    trial.run(/* firstSeed= */ 1, /* hosts= */ 40, /* packets= */ 40);
    System.out.println(trial.summary());
    assertThat(trial.failure()).isEmpty();
  }

  @Test
  @Tag("full")
  void theKernelDoesWhatThePathSaysOnManyMore() {
    Trial trial = trial();
    for (int seed = 10_000; seed < 11_000 && trial.failure().isEmpty(); seed += 50) {
      trial.run(seed, 50, 120);
    }
    System.out.println(trial.summary());
    System.out.println(trial.histogram());
    assertThat(trial.failure()).isEmpty();
  }
}
