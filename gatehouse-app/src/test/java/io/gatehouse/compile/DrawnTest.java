package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What holds for every description, on descriptions drawn by lot. */
class DrawnTest {
  private static final int SEEDS = 300;

  @Test
  void theSameDescriptionCompilesToTheSameValueAndTheSameText() {
    Set<String> texts = new HashSet<>();
    for (int seed = 0; seed < SEEDS; seed++) {
      Compiled once = Compiler.compile(Descriptions.gateway(seed));
      Compiled again = Compiler.compile(Descriptions.gateway(seed));

      assertThat(again).as("seed %d", seed).isEqualTo(once);
      String text = text(once.ruleset());
      assertThat(text(again.ruleset())).as("seed %d", seed).isEqualTo(text);
      texts.add(text);
    }
    assertThat(texts).as("different rulesets").hasSizeGreaterThan(SEEDS * 9 / 10);
  }

  private static String text(Ruleset ruleset) {
    StringBuilder text = new StringBuilder();
    ruleset.tables().forEach(table -> text.append(NftText.of(table)));
    int protocol = ruleset.numbers().routeProtocol();
    ruleset.rules().forEach(rule -> text.append(IpText.add(rule, protocol)));
    ruleset.routes().forEach(route -> text.append(IpText.add(route, protocol)));
    ruleset.neighbours().forEach(each -> text.append(IpText.add(each, protocol)));
    ruleset.backstop().forEach(policy -> text.append(IpText.add(policy)));
    return text.append(ruleset.sysctls()).toString();
  }
}
