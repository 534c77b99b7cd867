package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict.Accept;
import io.gatehouse.verify.Proofs;
import io.gatehouse.verify.Property;
import io.gatehouse.verify.Verdict;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How a property reads that was not proved: on rulesets with a rule too few or too many. */
class ProvenTest {
  private static final Gateway OFFICE = Descriptions.example("office.yaml");

  private static Weakened office() {
    return new Weakened(Compiler.compile(OFFICE).ruleset());
  }

  private static Proven proven(Weakened weakened) {
    return new Proven(Proofs.of(OFFICE, weakened.ruleset()));
  }

  private static final List<Weakened> WEAK =
      List.of(
          office().first("from_roaming", new Accept()),
          office().without("staff may reach storage"),
          office().instead("nothing allows it", new Accept()),
          office().withoutBackstop(),
          office().without("for a tunnel, would leave in clear").withoutBackstop());

  @Test
  void namesWitnessPathBlameAndWayOut() throws IOException {
    StringBuilder text = new StringBuilder();
    for (Weakened weakened : WEAK) {
      Proven proven = proven(weakened);
      String said = proven.text("office.yaml") + proven.summary();
      assertThat(said.lines()).allMatch(line -> line.length() <= 80 || line.contains("\""));
      text.append(said).append('\n');
    }

    Golden.same("broken", text.toString());
  }

  @Test
  void saysPlainlyWhatIsNotKnown() throws IOException {
    Proven proven =
        proven(
            office()
                .first("from_roaming", new Statement.Opaque("osf name \"Linux\""), new Accept()));

    Golden.same("not-known", proven.text("office.yaml") + proven.list() + proven.summary());
    assertThat(proven.isWhole()).isFalse();
  }

  @Test
  void onlyWhatIsNamedIsForgiven() {
    Proven proven = proven(office().without("staff may reach storage"));

    assertThat(proven.isWholeBut(Set.of(Property.TOO_LITTLE))).isTrue();
    assertThat(proven.isWholeBut(Set.of(Property.TOO_MUCH))).isFalse();
    assertThat(proven.refusal(Set.of()).toString()).contains("--despite too-little");
  }

  @Test
  void aWitnessCanBeTracedByItsWords() {
    for (Weakened weakened : WEAK) {
      for (Verdict verdict : proven(weakened).verdicts()) {
        if (verdict instanceof Verdict.Broken broken) {
          Packet packet = broken.witness().packet();
          String words = PacketWords.of(packet, broken.made());
          assertThat(PacketWords.read(words, OFFICE))
              .as(words)
              .isInstanceOfSatisfying(
                  PacketWords.Read.Understood.class,
                  read -> assertThat(PacketWords.of(read.packet(), read.made())).isEqualTo(words));
        }
      }
    }
  }
}
