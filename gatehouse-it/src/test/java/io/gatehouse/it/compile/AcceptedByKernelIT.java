package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The kernel and its tools take every line that an example comes to. */
class AcceptedByKernelIT {

  @Test
  void everyExampleLoads() throws IOException {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC);
    List<String> names = Examples.names();
    StringBuilder script = new StringBuilder();
    for (String name : names) {
      script.append("unshare -n nft -c -f - <<'END' || echo refused %s\n".formatted(name));
      script.append(Examples.nft(Examples.compiled(name))).append("END\n");
    }
    Answer answer = lab.run(script.toString());

    assertThat(names).hasSizeGreaterThan(15);
    assertThat(answer.out() + answer.err()).isEmpty();
  }

  @Test
  void whatIsNoRulesetDoesNotLoad() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC);
    String broken =
        Examples.nft(Examples.compiled("office")).replace("goto from_staff", "goto from_nobody");

    assertThat(lab.run("unshare -n nft -c -f - <<'END'\n" + broken + "END\n").status()).isNotZero();
  }
}
