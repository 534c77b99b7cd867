package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CulpritsTest {
  private static final List<String> LOST =
      List.of(
          "lacks: rule ip priority 5000 from 10.8.0.2/32 lookup 7100 (office.yaml:30)",
          "lacks: route ip 10.0.3.0/24 dev eth0 (office.yaml:12)");

  private static final List<String> FORWARDING =
      List.of("net/ipv4/ip_forward is 0 and is to be 1 (forwarding)");

  /** The files of a host. */
  private static final class Files implements Machine {
    private final Map<String, String> texts = new LinkedHashMap<>();

    Files with(String path, String text) {
      texts.put(path, text);
      return this;
    }

    @Override
    public Answer run(List<String> command, String stdin, Duration limit) {
      return new Answer(Answer.NOT_FOUND, "", "");
    }

    @Override
    public Optional<String> read(String path) {
      return Optional.ofNullable(texts.get(path));
    }

    @Override
    public List<String> list(String directory) {
      return texts.keySet().stream()
          .filter(path -> path.startsWith(directory + "/"))
          .map(path -> path.substring(directory.length() + 1))
          .map(rest -> rest.replaceAll("/.*", ""))
          .distinct()
          .sorted()
          .toList();
    }

    @Override
    public Optional<String> link(String path) {
      return Optional.empty();
    }
  }

  private static Files networkd() {
    return new Files().with("/run/systemd/netif/state", "OPER_STATE=routable");
  }

  @Test
  void nobodyIsNamedWhereNobodyIsKnown() {
    assertThat(Culprits.of(new Files(), LOST)).isEmpty();
    assertThat(Culprits.of(new Files(), FORWARDING)).isEmpty();
    assertThat(Culprits.of(networkd(), List.of())).isEmpty();
    assertThat(Culprits.of(networkd(), List.of("chain input lacks: accept"))).isEmpty();
  }

  @Test
  void networkdThatRemovesRulesAndRoutes() {
    assertThat(Culprits.of(networkd(), LOST))
        .singleElement()
        .asString()
        .contains(
            "systemd-networkd", "ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no");
    assertThat(Culprits.of(networkd(), LOST.subList(0, 1)))
        .singleElement()
        .asString()
        .contains("ManageForeignRoutingPolicyRules=no below");
  }

  @Test
  void networkdThatMayNot() {
    Files host =
        networkd()
            .with("/etc/systemd/networkd.conf", "[Network]\n#ManageForeignRoutes=yes\n")
            .with(
                "/usr/lib/systemd/networkd.conf.d/10-vendor.conf",
                "[Network]\nManageForeignRoutes=yes\nManageForeignRoutingPolicyRules=yes\n")
            .with(
                "/etc/systemd/networkd.conf.d/20-vpn.conf",
                "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules = false\n");
    assertThat(Culprits.of(host, LOST)).isEmpty();
    host.with("/etc/systemd/networkd.conf.d/30-late.conf", "[Network]\nManageForeignRoutes=yes\n");
    assertThat(Culprits.of(host, LOST))
        .singleElement()
        .asString()
        .contains("with ManageForeignRoutes=no below");
  }

  @Test
  void aFileThatSetsTheValueThatStands() {
    Files host =
        new Files().with("/etc/sysctl.d/50-hard.conf", "# no router\nnet.ipv4.ip_forward=0");
    assertThat(Culprits.of(host, FORWARDING))
        .containsExactly(
            "net/ipv4/ip_forward is 0 because /etc/sysctl.d/50-hard.conf:2 says so, whenever it is"
                + " loaded");
    // Another file that comes behind has the last word.
    host.with("/etc/sysctl.conf", "net.ipv4.ip_forward = 1\n");
    assertThat(Culprits.of(host, FORWARDING)).isEmpty();
  }

  @Test
  void keysWithSlashesAndOfDevicesWithDots() {
    List<String> drift = List.of("net/ipv4/conf/eth0.7/rp_filter is 1 and is to be 2 (x.yaml:3)");
    for (String key : List.of("net/ipv4/conf/eth0.7/rp_filter", "net.ipv4.conf.eth0/7.rp_filter")) {
      Files host = new Files().with("/usr/lib/sysctl.d/50-default.conf", "-" + key + " = 1\n");
      assertThat(Culprits.of(host, drift)).as(key).hasSize(1);
      host.with("/etc/sysctl.d/50-default.conf", "");
      assertThat(Culprits.of(host, drift)).as("the file of that name in /etc counts").isEmpty();
    }
  }

  @Test
  void whoeverLoadsDebiansRules() {
    List<String> gone = List.of("table inet gatehouse is gone: somebody has flushed it");
    assertThat(Culprits.of(new Files(), gone)).isEmpty();
    assertThat(
            Culprits.of(
                new Files().with("/etc/nftables.conf", "#!/usr/sbin/nft -f\n\nflush ruleset\n"),
                gone))
        .singleElement()
        .asString()
        .contains("/etc/nftables.conf", "nftables.service");
  }
}
