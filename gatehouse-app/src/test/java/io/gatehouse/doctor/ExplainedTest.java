package io.gatehouse.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One cause is one finding, in whatever order its effects were seen. */
class ExplainedTest {
  private static Finding finding(Kind kind, Severity severity, String evidence) {
    return new Finding(
        kind,
        severity,
        Certainty.CERTAIN,
        "a symptom",
        "a cause",
        List.of(new Evidence(evidence, "nft.json:1")),
        List.of());
  }

  private static List<Finding> rest(Finding... findings) {
    return Explained.without(List.of(findings), List.of(findings));
  }

  private static final Finding NAT = finding(Kind.NAT_EATS_TUNNEL, Severity.ERROR, "masquerade");
  private static final Finding REPLIES = finding(Kind.REPLIES_DROPPED, Severity.ERROR, "drop");

  @Test
  void whatNatEatsExplainsDroppedRepliesInEitherOrder() {
    assertThat(rest(NAT, REPLIES)).containsExactly(NAT);
    assertThat(rest(REPLIES, NAT)).containsExactly(NAT);
    assertThat(rest(REPLIES)).containsExactly(REPLIES);
  }

  @Test
  void aCounterSaysNoMoreThanTheTunnelThatLacksThePolicy() {
    Finding tunnel = finding(Kind.NO_FWD_POLICY, Severity.ERROR, "no policy dir fwd");
    Finding counter = finding(Kind.NO_FWD_POLICY, Severity.WARNING, "XfrmInNoPols 7");
    assertThat(rest(tunnel, counter)).containsExactly(tunnel);
    assertThat(rest(counter)).containsExactly(counter);
  }

  @Test
  void twoTunnelsThatLackOneAreTwoFindings() {
    Finding one = finding(Kind.NO_FWD_POLICY, Severity.ERROR, "no policy to 10.1.0.0/24");
    Finding other = finding(Kind.NO_FWD_POLICY, Severity.ERROR, "no policy to 10.2.0.0/24");
    assertThat(rest(one, other)).containsExactly(one, other);
  }

  @Test
  void whatIsNoEffectOfTheOtherStays() {
    Finding forwarding = finding(Kind.FORWARDING_OFF, Severity.ERROR, "ip_forward = 0");
    assertThat(rest(NAT, forwarding)).containsExactly(NAT, forwarding);
  }
}
