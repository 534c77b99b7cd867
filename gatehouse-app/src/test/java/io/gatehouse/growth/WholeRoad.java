package io.gatehouse.growth;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.verify.Proofs;
import io.gatehouse.verify.Verdict;
import java.util.function.ToIntFunction;

/** From a description to its proofs and its text; gives the number of rules. */
public final class WholeRoad implements ToIntFunction<String> {
  @Override
  public int applyAsInt(String description) {
    Reading reading = Description.read("size.yaml", new Written(description));
    if (!(reading instanceof Reading.Understood understood)) {
      throw new IllegalArgumentException(reading.problems().toString());
    }
    Compiled compiled = Compiler.compile(understood.gateway());
    for (Verdict verdict : Proofs.of(understood.gateway(), compiled.ruleset(), Proofs.NODES)) {
      if (!(verdict instanceof Verdict.Holds)) {
        throw new IllegalStateException(verdict.toString());
      }
    }
    compiled.ruleset().tables().forEach(NftText::of);
    return compiled.ruleset().ruleCount();
  }
}
