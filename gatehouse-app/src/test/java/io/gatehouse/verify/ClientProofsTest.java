package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A host that is a VPN client for its LAN: what holds of it, and what each part is there for. */
class ClientProofsTest {
  private static final Gateway CLIENT = Descriptions.example("client.yaml");
  private static final Ruleset RULESET = Compiler.compile(CLIENT).ruleset();

  private static final Gateway ROAMING = Descriptions.example("roaming-client.yaml");
  private static final Ruleset FOLLOWED = Compiler.compile(ROAMING).ruleset();

  private static List<Verdict> notProved(Ruleset ruleset) {
    return notProved(CLIENT, ruleset);
  }

  private static List<Verdict> notProved(Gateway gateway, Ruleset ruleset) {
    return Proofs.of(gateway, ruleset).stream()
        .filter(verdict -> !(verdict instanceof Verdict.Holds))
        .toList();
  }

  private static List<Property> broken(Ruleset ruleset) {
    return notProved(ruleset).stream().map(Verdict::property).toList();
  }

  private static Verdict.Broken broken(Ruleset ruleset, Property property) {
    Verdict verdict =
        notProved(ruleset).stream().filter(v -> v.property() == property).findFirst().orElseThrow();
    assertThat(verdict).isInstanceOf(Verdict.Broken.class);
    return (Verdict.Broken) verdict;
  }

  @Test
  void everyPropertyHolds() {
    assertThat(notProved(RULESET)).isEmpty();
  }

  @Test
  void everyPropertyHoldsWhereEverythingGoesIntoTheTunnel() {
    Gateway full = Descriptions.example("full-client.yaml");

    assertThat(Proofs.of(full, Compiler.compile(full).ruleset()))
        .allMatch(verdict -> verdict instanceof Verdict.Holds);
  }

  @Test
  void everyPropertyHoldsWhicheverVirtualIpTheTunnelBrings() {
    assertThat(notProved(ROAMING, FOLLOWED)).isEmpty();
  }

  @Test
  void withoutNatNobodyGetsThereWhateverTheTunnelBrings() {
    Weakened weaker = new Weakened(FOLLOWED).without("cabin appears as");

    assertThat(notProved(ROAMING, weaker.ruleset()))
        .extracting(Verdict::property)
        .contains(Property.TOO_LITTLE)
        .doesNotContain(Property.IN_CLEAR);
  }

  @Test
  void whatIsForAnyOfThePrefixInClearIsNoticed() {
    Weakened weaker = new Weakened(FOLLOWED).without("for a virtual IP, in clear");

    assertThat(notProved(ROAMING, weaker.ruleset()))
        .extracting(Verdict::property)
        .containsExactly(Property.EVIDENCE);
  }

  /** Only the guards and the backstop stand between an empty map and the world. */
  @Test
  void withoutGuardsWhatTheMapDoesNotKnowLeavesInClear() {
    Weakened weaker =
        new Weakened(FOLLOWED).without("for a tunnel, would leave in clear").withoutBackstop();

    assertThat(notProved(ROAMING, weaker.ruleset()))
        .extracting(Verdict::property)
        .contains(Property.IN_CLEAR);
  }

  /** The proof reads the contract, not the description, of what a map may hold. */
  @Test
  void aMapThatMayHoldAnothersAddressIsNoticed() {
    Ruleset wider =
        FOLLOWED.withTables(
            FOLLOWED.tables().stream().map(ClientProofsTest::anotherContract).toList());

    assertThat(notProved(ROAMING, wider))
        .extracting(Verdict::property)
        .contains(Property.TOO_LITTLE);
  }

  private static Table anotherContract(Table table) {
    return new Table(
        table.family(),
        table.name(),
        table.sets().stream().map(ClientProofsTest::anotherContract).toList(),
        table.chains());
  }

  private static NftSet anotherContract(NftSet set) {
    return set.contract().isEmpty()
        ? set
        : new NftSet(
            set.name(),
            set.key(),
            set.holds(),
            set.flags(),
            set.elements(),
            Optional.of(
                new NftSet.Contract(
                    set.contract().get().keys(),
                    List.of(),
                    List.of(
                        new Expression.Net(
                            Prefix.of(
                                set.name().endsWith("4")
                                    ? "10.20.7.0/24"
                                    : "2001:db8:20:7::/64"))))),
            set.origin());
  }

  @Test
  void everyPropertyHoldsWhereEverythingGoesIntoATunnelThatBringsAnyAddress() {
    Gateway full =
        Descriptions.changedExample(
            "full-client.yaml", "address: 10.20.255.7 ", "address: 10.20.255.0/24 ");

    assertThat(Proofs.of(full, Compiler.compile(full).ruleset()))
        .allMatch(verdict -> verdict instanceof Verdict.Holds);
  }

  @Test
  void withoutTheMarkTheBackstopLetsTheLanOutInClear() {
    List<XfrmPolicy> unmarked =
        RULESET.backstop().stream()
            .map(policy ->
                new XfrmPolicy(
                    policy.direction(),
                    policy.source(),
                    policy.destination(),
                    policy.priority(),
                    policy.block(),
                    policy.origin()))
            .toList();
    Ruleset weaker =
        new Ruleset(
            RULESET.gateway(),
            RULESET.tables(),
            unmarked,
            RULESET.rules(),
            RULESET.routes(),
            RULESET.neighbours(),
            RULESET.sysctls(),
            RULESET.numbers());

    Outcome outcome = broken(weaker, Property.FLUSHED).witness().outcome().orElseThrow();
    assertThat(outcome.tunnel()).isEmpty();
    assertThat(outcome.device()).contains("eth0");
  }

  @Test
  void withoutNatNobodyOfTheLanGetsThere() {
    Weakened weaker = new Weakened(RULESET).without("home appears as");

    assertThat(broken(weaker.ruleset()))
        .contains(Property.TOO_LITTLE)
        .doesNotContain(Property.IN_CLEAR);
  }

  @Test
  void withoutItsGuardTheVirtualIpLeavesInClear() {
    Weakened weaker = new Weakened(RULESET).without("virtual IP, leaves in clear");

    assertThat(broken(weaker.ruleset(), Property.IN_CLEAR).what()).contains("virtual IP");
  }

  @Test
  void whatIsForTheVirtualIpInClearIsNoticed() {
    Weakened weaker = new Weakened(RULESET).without("for a virtual IP, in clear");

    assertThat(broken(weaker.ruleset(), Property.EVIDENCE).what())
        .isEqualTo("is for a virtual IP of this host, came from outside in clear, and arrives");
  }

  @Test
  void whoeverElseNatMovesIntoTheTunnelIsNoticed() {
    // The guests are marked too, let through, and given the virtual IP.
    Weakened weaker =
        new Weakened(RULESET)
            .conditionless("home on its way into hq")
            .without("for a tunnel, would leave in clear")
            .without("nobody may begin towards this tunnel")
            .conditionless("home may reach hq")
            .conditionless("home appears as")
            .withoutBackstop();

    assertThat(broken(weaker.ruleset())).contains(Property.REWRITTEN, Property.TOO_MUCH);
  }

  private static final String NOT_BROUGHT =
      "is for a virtual IP that no tunnel has brought, and leaves in clear";

  /** The backstop lets marked packets of the LAN to NAT, and may not know their destination. */
  @Test
  void withoutItsGuardWhatIsForAVirtualIpThatIsNotThereLeavesInClear() {
    Weakened weaker = new Weakened(RULESET).without("for a virtual IP, leaves in clear");

    assertThat(broken(weaker.ruleset(), Property.IN_CLEAR).what()).isEqualTo(NOT_BROUGHT);
  }

  /** One outside of all remote networks: nothing else blocks it. */
  @Test
  void withoutItsPolicyWhatIsForTheVirtualIpLeavesInClearWhenAllRulesAreGone() {
    List<XfrmPolicy> fewer =
        RULESET.backstop().stream()
            .filter(policy ->
                !policy.block() || !policy.destination().equals(Prefix.of("2001:db8:8::7/128")))
            .toList();

    assertThat(fewer).hasSize(RULESET.backstop().size() - 1);
    assertThat(broken(new Weakened(RULESET).backstop(fewer).ruleset(), Property.FLUSHED).what())
        .isEqualTo(NOT_BROUGHT);
  }

  /** One inside a remote network is blocked with that, though it is this host. */
  @Test
  void aPolicyThatSparesTheVirtualIpIsNoticed() {
    List<XfrmPolicy> more = new ArrayList<>(RULESET.backstop());
    XfrmPolicy block =
        more.stream()
            .filter(policy -> policy.destination().equals(Prefix.of("10.20.0.0/16")))
            .filter(XfrmPolicy::block)
            .findFirst()
            .orElseThrow();
    more.add(
        new XfrmPolicy(
            XfrmPolicy.Direction.OUT,
            Prefix.ALL_V4,
            Prefix.of("10.20.255.7/32"),
            block.priority() - 1,
            /* block= */ false,
            block.origin()));

    assertThat(broken(new Weakened(RULESET).backstop(more).ruleset(), Property.FLUSHED).what())
        .isEqualTo(NOT_BROUGHT);
  }

  /** The address goes with the tunnel, and is then nobody's: not the internet's either. */
  @ParameterizedTest
  @CsvSource({
    "client.yaml, 10.20.255.7",
    "full-client.yaml, 10.20.255.7",
    "roaming-client.yaml, 10.20.255.1",
    "roaming-client.yaml, 10.20.255.9"
  })
  void whileTheTunnelIsDownItsVirtualIpIsNoHostOutThere(String example, String virtual) {
    Gateway gateway = Descriptions.example(example);
    HostState down =
        DescribedHost.withoutVirtualIps(
            gateway,
            Compiler.compile(gateway).ruleset(),
            tunnel -> Set.of(HostState.SpdState.NO_POLICY));

    assertThat(leavesForwarded(down, "198.18.7.7"))
        .as("the internet itself")
        .isEqualTo(!example.startsWith("full"));
    assertThat(leavesForwarded(down, virtual)).isFalse();
  }

  private static boolean leavesForwarded(HostState host, String destination) {
    Bounded<Boolean> answer =
        PacketPath.ask(
            host,
            Family.V4,
            2_000_000,
            path ->
                path.received(
                            path.space()
                                .only(
                                    new HeaderSpace.Packet(
                                        "eth1",
                                        Optional.empty(),
                                        HeaderSpace.Connection.NEW,
                                        false,
                                        6,
                                        Address.of("10.0.1.20"),
                                        Address.of(destination),
                                        40_000,
                                        443,
                                        0,
                                        0)))
                        .left()
                    != Bdd.FALSE);
    return switch (answer) {
      case Bounded.Answer<Boolean>(Boolean leaves) -> leaves;
      case Bounded.GaveUp<Boolean> gaveUp -> throw new AssertionError("gave up: " + gaveUp);
    };
  }
}
