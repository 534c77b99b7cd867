package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict.Accept;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each property breaks where its rules are weakened, and its witness shows how. */
class BrokenTest {
  private static final Gateway OFFICE = Descriptions.example("office.yaml");
  private static final Prefix FAR = Prefix.of("10.20.0.0/16");

  private static Weakened office() {
    return new Weakened(Compiler.compile(OFFICE).ruleset());
  }

  private static Verdict verdict(Gateway gateway, Ruleset ruleset, Property property) {
    return Proofs.of(gateway, ruleset).stream()
        .filter(verdict -> verdict.property() == property)
        .findFirst()
        .orElseThrow();
  }

  private static Verdict.Broken broken(Weakened weakened, Property property) {
    return broken(OFFICE, weakened, property);
  }

  private static Verdict.Broken broken(Gateway gateway, Weakened weakened, Property property) {
    Verdict verdict = verdict(gateway, weakened.ruleset(), property);
    assertThat(verdict).isInstanceOf(Verdict.Broken.class);
    return (Verdict.Broken) verdict;
  }

  private static Packet packet(Verdict.Broken broken) {
    return broken.witness().packet();
  }

  @Test
  void withoutGuardAndBackstopSomethingForATunnelLeavesInClear() {
    Verdict.Broken broken =
        broken(
            office().without("for a tunnel, would leave in clear").withoutBackstop(),
            Property.IN_CLEAR);

    Outcome outcome = broken.witness().outcome().orElseThrow();
    assertThat(outcome.tunnel()).isEmpty();
    assertThat(outcome.device()).contains("eth0");
    assertThat(
            OFFICE.tunnels().stream()
                .flatMap(tunnel -> tunnel.farPrefixes().stream())
                .anyMatch(far -> far.value().contains(outcome.destination())))
        .isTrue();
  }

  @Test
  void withoutBackstopFlushedRulesLeak() {
    Verdict.Broken broken = broken(office().withoutBackstop(), Property.FLUSHED);

    assertThat(broken.witness().outcome().flatMap(Outcome::tunnel)).isEmpty();
  }

  @Test
  void withoutSpoofDropAndBackstopAForgedSourceArrives() {
    Verdict.Broken broken =
        broken(
            office().without("source of a tunnel, not decrypted").withoutBackstop(),
            Property.EVIDENCE);

    assertThat(packet(broken).tunnel()).isEmpty();
    assertThat(broken.what()).contains("did not come through it");
  }

  @Test
  void natWithoutExemptionRewritesWhatBelongsIntoATunnel() {
    // A policy that still fits the new source: only then does the packet leave at all.
    Gateway gateway =
        Descriptions.changedExample(
            "office.yaml", "  admin:", "  flows: { from: office, to: roaming }\n  admin:");
    Verdict.Broken broken =
        broken(
            gateway,
            new Weakened(Compiler.compile(gateway).ruleset())
                .without("IPsec will protect it")
                .conditionless("appears as the outside interface's address"),
            Property.REWRITTEN);

    assertThat(broken.witness().outcome().orElseThrow().source())
        .isNotEqualTo(packet(broken).source());
  }

  @Test
  void anIdentityWithoutItsRuleLeavesByAnotherWay() {
    Gateway two = Descriptions.example("two-identities.yaml");
    Weakened weakened = new Weakened(Compiler.compile(two).ruleset()).withoutRoutingRules();

    Verdict.Broken broken = broken(two, weakened, Property.IDENTITY);

    List<Address> addresses =
        two.identities().stream()
            .flatMap(identity -> identity.addresses().stream())
            .map(address -> address.value())
            .toList();
    assertThat(addresses).contains(packet(broken).source());
  }

  @Test
  void answersThatDoNotLeaveByTheirUplinkAreNoticed() {
    Gateway two = Descriptions.example("uplink-servers.yaml");
    Weakened whole = new Weakened(Compiler.compile(two).ruleset());
    assertThat(verdict(two, whole.ruleset(), Property.ANSWERS)).isInstanceOf(Verdict.Holds.class);

    Verdict.Broken forgets =
        broken(two, whole.without("began by the way of second"), Property.ANSWERS);
    assertThat(forgets.what()).contains("does not remember");
    assertThat(packet(forgets).device()).isEqualTo("eth2");

    Verdict.Broken strays =
        broken(two, whole.without("answered by the way of second"), Property.ANSWERS);
    assertThat(packet(strays).device()).isEqualTo("eth1");
    broken(two, whole.withoutRoutingRules(), Property.ANSWERS);
  }

  @Test
  void l2tpInClearOrMoreThanL2tpIsNoticed() {
    Gateway gateway = Descriptions.example("l2tp.yaml");
    Weakened whole = new Weakened(Compiler.compile(gateway).ruleset());

    Verdict.Broken comes = broken(gateway, whole.without("L2TP in clear"), Property.EVIDENCE);
    assertThat(packet(comes).tunnel()).isEmpty();
    assertThat(packet(comes).destinationPort()).isEqualTo(1701);

    Verdict.Broken leaves =
        broken(gateway, whole.without("L2TP, leaves in clear"), Property.IN_CLEAR);
    assertThat(packet(leaves).sourcePort()).isEqualTo(1701);

    Verdict.Broken more =
        broken(gateway, whole.without("decrypted, but from no tunnel of ours"), Property.TOO_MUCH);
    assertThat(more.what()).contains("legacy is given on this host what is not L2TP");

    Verdict.Broken less =
        broken(gateway, whole.without("L2TP through legacy"), Property.TOO_LITTLE);
    assertThat(packet(less).tunnel()).contains("legacy");
  }

  @Test
  void anAcceptTooManyLetsATunnelReachTooMuch() {
    Verdict.Broken broken = broken(office().first("from_roaming", new Accept()), Property.TOO_MUCH);

    assertThat(packet(broken).tunnel()).contains("roaming");
    assertThat(broken.what()).startsWith("roaming reaches");
  }

  @Test
  void aReachRuleThatIsMissingLeavesATunnelTooLittle() {
    Verdict.Broken broken =
        broken(office().without("staff may reach storage"), Property.TOO_LITTLE);

    assertThat(packet(broken).tunnel()).contains("staff");
    assertThat(Prefix.of("192.168.88.0/24").contains(packet(broken).destination())).isTrue();
    assertThat(broken.witness().outcome()).isEmpty();
  }

  @Test
  void anAcceptTooManyOpensTheHostToTheWorld() {
    Verdict.Broken broken =
        broken(office().instead("nothing allows it", new Accept()), Property.OUTSIDE);

    assertThat(packet(broken).device()).isEqualTo("eth0");
    assertThat(packet(broken).tunnel()).isEmpty();
  }

  @Test
  void whatIsNotUnderstoodIsNoProof() {
    Verdict verdict =
        verdict(
            OFFICE,
            office()
                .first("forward", new Statement.Opaque("osf name \"Linux\""), new Accept())
                .withoutBackstop()
                .ruleset(),
            Property.EVIDENCE);

    assertThat(verdict)
        .isInstanceOfSatisfying(
            Verdict.Unknown.class, unknown -> assertThat(unknown.why()).contains("osf name"));
  }

  @Test
  void anAcceptTooManyGivesATunnelTooMuchOfThisHost() {
    Verdict.Broken broken = broken(office().first("in_branch", new Accept()), Property.TOO_MUCH);

    assertThat(FAR.contains(packet(broken).source())).isTrue();
  }

  @Test
  void nothingElseBreaksWhereOneReachRuleIsMissing() {
    List<Property> missing = new ArrayList<>();
    for (Verdict verdict :
        Proofs.of(OFFICE, office().without("staff may reach storage").ruleset())) {
      if (!(verdict instanceof Verdict.Holds)) {
        missing.add(verdict.property());
      }
    }

    assertThat(missing).containsExactly(Property.TOO_LITTLE);
  }

  /** A hub with many branches of which the description says the same. */
  private static Gateway hub() {
    StringBuilder text =
        new StringBuilder(
            """
            version: 1
            gateway: hub
            interfaces:
              wan: { device: eth0, role: outside, addresses: [203.0.113.2/24] }
              lan: { device: eth1, role: inside, addresses: [172.16.0.1/16] }
            networks: { office: { on: lan, prefixes: [172.16.0.0/16] } }
            host: { internet: [office] }
            tunnels:
            """);
    for (int branch = 0; branch < 300; branch++) {
      text.append(
          "  b%d: { type: site-to-site, peer: 198.51.%d.%d, local: [office], remote: [10.%d.%d.0/24] }\n"
              .formatted(branch, 100 + branch / 250, branch % 250, branch % 7, branch / 7));
    }
    return Descriptions.gateway("hub.yaml", text.toString());
  }

  @Test
  void manyBranchesAreProvedAsOne() {
    Gateway hub = hub();
    assertThat(Proofs.of(hub, Compiler.compile(hub).ruleset()))
        .allMatch(verdict -> verdict instanceof Verdict.Holds);
  }

  @Test
  void ofManyBranchesTheWitnessNamesOneThatBroughtWhatIsAnothers() {
    Gateway hub = hub();
    Verdict.Broken broken =
        broken(
            hub,
            new Weakened(Compiler.compile(hub).ruleset())
                .without("source of a tunnel, not decrypted")
                .withoutBackstop(),
            Property.EVIDENCE);

    assertThat(hub.tunnels().stream().flatMap(tunnel -> tunnel.farPrefixes().stream()))
        .anyMatch(far -> far.value().contains(packet(broken).source()));
    assertThat(packet(broken).tunnel()).isEmpty();
  }
}
