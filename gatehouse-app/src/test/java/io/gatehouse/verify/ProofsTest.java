package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Sizes;
import io.gatehouse.model.Gateway;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The properties of the examples, and of descriptions drawn by lot. */
class ProofsTest {

  static List<String> examples() throws IOException {
    return Descriptions.examples();
  }

  /** A third of what there is: many groups are no reason to know nothing. */
  private static final int LITTLE_ROOM = Proofs.NODES / 3;

  private static List<Verdict> notProved(Gateway gateway) {
    return notProved(gateway, Compiler.compile(gateway).ruleset(), Proofs.NODES);
  }

  private static List<Verdict> notProved(Gateway gateway, Ruleset ruleset, int nodes) {
    return Proofs.of(gateway, ruleset, nodes).stream()
        .filter(verdict -> !(verdict instanceof Verdict.Holds))
        .toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 1000})
  void aThousandGroupsOfFewOrManyKindsAreProvedInLittleRoom(int kinds) {
    Gateway gateway = Descriptions.gateway("size.yaml", Sizes.groups(1000, kinds));
    assertThat(notProved(gateway, Compiler.compile(gateway).ruleset(), LITTLE_ROOM)).isEmpty();
  }

  @Test
  void ofAThousandGroupsTheOneIsNamedThatReachesWhatItMayNot() {
    String described = Sizes.groups(1000, 1000);
    String otherwise = described.replace("office/tcp/5500]", "office/tcp/6999]");
    Ruleset wrong = Compiler.compile(Descriptions.gateway("size.yaml", otherwise)).ruleset();
    List<Verdict> found =
        notProved(Descriptions.gateway("size.yaml", described), wrong, Proofs.NODES);
    assertThat(found)
        .extracting(Verdict::property)
        .containsExactly(Property.TOO_MUCH, Property.TOO_LITTLE);
    for (Verdict verdict : found) {
      assertThat(verdict)
          .isInstanceOfSatisfying(
              Verdict.Broken.class,
              broken -> {
                assertThat(broken.what()).contains("staff, group g500,");
                assertThat(broken.witness().packet().destinationPort())
                    .isEqualTo(broken.property() == Property.TOO_MUCH ? 6999 : 5500);
                // It says of whom it is one: of a member of that very group.
                assertThat(broken.witness().open())
                    .anySatisfy(open ->
                        assertThat(open).contains("@from_staff.groups4", "from_staff.g500]"));
              });
    }
  }

  @Test
  void ofAThousandGroupsTheOneIsNamedThatIsLedToAnothersChain() {
    Gateway gateway = Descriptions.gateway("size.yaml", Sizes.groups(1000, 1000));
    Ruleset right = Compiler.compile(gateway).ruleset();
    Table table = right.tables().getFirst();
    List<Chain> chains =
        table.chains().stream()
            .map(chain ->
                chain.name().equals("from_staff.g500")
                    ? new Chain(chain.name(), chain.base(), rulesOf(table, "from_staff.g501"))
                    : chain)
            .toList();
    Ruleset wrong =
        right.withTables(
            List.of(
                new Table(table.family(), table.name(), table.helpers(), table.sets(), chains)));
    assertThat(notProved(gateway, wrong, Proofs.NODES))
        .allMatch(verdict -> verdict instanceof Verdict.Broken)
        .extracting(Verdict::property)
        .containsExactly(Property.TOO_MUCH, Property.TOO_LITTLE);
  }

  private static List<Rule> rulesOf(Table table, String chain) {
    return table.chains().stream()
        .filter(one -> one.name().equals(chain))
        .findFirst()
        .orElseThrow()
        .rules();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void everyPropertyHoldsOnEveryExample(String example) {
    assertThat(notProved(Descriptions.example(example))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"vpn-masquerade.yaml", "pptp.yaml", "pptp-calls.yaml"})
  void everyPropertyHoldsWhereTheGatewayOfVpnHostsHasTunnelsItself(String example) {
    String tunnels =
        "tunnels: { staff: { type: remote-access, pools: 10.0.3.0/24, reach: office } }";
    assertThat(
            notProved(
                Descriptions.changedExample(example, "masquerade:", tunnels + "\nmasquerade:")))
        .isEmpty();
  }

  private static Gateway ofVpnHosts(String more) {
    return Descriptions.changedExample(
        "vpn-masquerade.yaml", "masquerade:", "masquerade:\n" + more);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  pptp: true\n", "  pptp: true\n  pptp-by: daemon\n"})
  void everyPropertyHoldsWhereVpnHostsHaveNamedPeersAlone(String pptp) {
    assertThat(notProved(ofVpnHosts(pptp + "  peers: [198.51.100.0/24, 192.0.2.7]\n"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "  pptp: true\n", "  pptp: true\n  pptp-by: daemon\n"})
  void whereNamedPeersAreLetThroughAloneAnybodyIsTooMuchAndTheyAreTooLittle(String pptp) {
    Gateway anybody = ofVpnHosts(pptp);
    Gateway named = ofVpnHosts(pptp + "  peers: 198.51.100.0/24\n");
    assertThat(notProved(named, Compiler.compile(anybody).ruleset(), Proofs.NODES))
        .extracting(Verdict::property)
        .containsExactly(Property.TOO_MUCH, Property.OUTSIDE);
    assertThat(notProved(anybody, Compiler.compile(named).ruleset(), Proofs.NODES))
        .extracting(Verdict::property)
        .contains(Property.TOO_LITTLE);
  }

  @Test
  void everyPropertyHoldsOnDescriptionsDrawnByLot() {
    List<String> wrong = new ArrayList<>();
    for (int seed = 0; seed < 20; seed++) {
      for (Verdict verdict : notProved(Descriptions.gateway(seed))) {
        wrong.add("seed " + seed + ": " + verdict + "\n");
      }
    }
    assertThat(wrong).isEmpty();
  }
}
