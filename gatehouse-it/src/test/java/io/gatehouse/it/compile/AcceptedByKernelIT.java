package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.ruleset.Statement;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The kernel and its tools take every line that an example comes to. */
class AcceptedByKernelIT {

  @Test
  void everyExampleLoads() throws IOException {
    List<String> names = Examples.names();
    List<String> asking = names.stream().filter(AcceptedByKernelIT::asks).toList();
    List<String> others = names.stream().filter(name -> !asking.contains(name)).toList();

    // More kernels have the rest than have nftables' queues.
    String said =
        loaded(Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC), others)
            + loaded(
                Lab.with(
                    Feature.VETH,
                    Feature.NFT_INET,
                    Feature.NFT_NAT,
                    Feature.NFT_IPSEC,
                    Feature.NFT_QUEUE,
                    Feature.CT_ZONES),
                asking);

    assertThat(names).hasSizeGreaterThan(15);
    assertThat(asking).isNotEmpty();
    assertThat(said).isEmpty();
  }

  private static boolean asks(String example) {
    return Examples.compiled(example).tables().stream()
        .flatMap(table -> table.chains().stream())
        .flatMap(chain -> chain.rules().stream())
        .anyMatch(rule -> rule.statements().stream().anyMatch(Statement.Queue.class::isInstance));
  }

  private static String loaded(Lab lab, List<String> names) {
    StringBuilder script = new StringBuilder();
    for (String name : names) {
      script.append("unshare -n nft -c -f - <<'END' || echo refused %s\n".formatted(name));
      script.append(Examples.nft(Examples.compiled(name))).append("END\n");
    }
    Answer answer = lab.run(script.toString());
    return answer.out() + answer.err();
  }

  @Test
  void whatIsNoRulesetDoesNotLoad() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC);
    String broken =
        Examples.nft(Examples.compiled("office")).replace("goto from_staff", "goto from_nobody");

    assertThat(lab.run("unshare -n nft -c -f - <<'END'\n" + broken + "END\n").status()).isNotZero();
  }
}
