package io.gatehouse.it.compile;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Sizes;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.ruleset.Ruleset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A thousand groups, each with a port of its own, and fifty thousand clients in them. */
@Tag("full")
class GroupsAtSizeIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 -- roam:eth0 203.0.113.20/24 10.0.0.1/32 10.0.1.244/32 10.0.195.79/32 10.0.200.1/32
      wire gw:eth1 172.16.0.1/16 -- files:eth0 172.16.0.20/16
      route files default via 172.16.0.1
      route roam default via 203.0.113.2
      route gw default via 203.0.113.20
      """;

  /** The client with the number n has the n-th address of the pool, and is in group n % 1000. */
  private static final String MEMBERS =
      """
      {
        echo "add element inet gatehouse %1$s.groups4 {"
        for ((i = 1; i <= 50000; i++)); do
          echo "10.0.$((i / 256)).$((i %% 256)) : goto %1$s.g$((i %% 1000)),"
        done
        echo "}"
      } | nft -f -
      """;

  @Test
  void membersReachTheirGroupsPortAndNoOthers() {
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.NFT_IPSEC, Feature.ESP);
    try (Network net = lab.network(WORLD)) {
      Host gateway = net.host("gw");
      Ruleset ruleset =
          Compiler.compile(Descriptions.gateway("size.yaml", Sizes.groups(1000, 1000))).ruleset();
      Examples.load(gateway, ruleset.withTables(List.of()));
      // Too long for an argument; and to prove it there takes longer than a command may.
      lab.run(
              "lab-in %s nft -f - <<'END'%n%sEND%n"
                  .formatted(gateway.namespace(), Examples.nft(ruleset)))
          .expected();
      gateway.script(MEMBERS.formatted("from_staff")).expected();
      gateway.script(MEMBERS.formatted("in_staff")).expected();
      Laid clients = Laid.tunnel(3, "203.0.113.2", "203.0.113.20", "172.16.0.0/16", "10.0.0.0/16");
      Map.of("gw", clients.all(), "roam", clients.other().all())
          .forEach((host, batch) ->
              net.host(host).script("ip -batch - <<'END'\n" + batch + "END\n").expected());
      Probes.sent(
          net,
          "first tcp from=roam to=files dst=172.16.0.20:5001 src=10.0.0.1",
          "no-first-next tcp from=roam to=files dst=172.16.0.20:5002 src=10.0.0.1",
          "no-first-last tcp from=roam to=files dst=172.16.0.20:5999 src=10.0.0.1",
          "middle tcp from=roam to=files dst=172.16.0.20:5500 src=10.0.1.244",
          "no-middle-first tcp from=roam to=files dst=172.16.0.20:5001 src=10.0.1.244",
          "no-middle-next tcp from=roam to=files dst=172.16.0.20:5501 src=10.0.1.244",
          "last tcp from=roam to=files dst=172.16.0.20:5999 src=10.0.195.79",
          "no-last-middle tcp from=roam to=files dst=172.16.0.20:5500 src=10.0.195.79",
          "everybody tcp from=roam to=files dst=172.16.0.20:443 src=10.0.200.1",
          "no-nobody tcp from=roam to=files dst=172.16.0.20:5500 src=10.0.200.1");
    }
  }
}
