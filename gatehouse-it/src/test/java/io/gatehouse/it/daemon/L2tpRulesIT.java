package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.Described;
import io.gatehouse.it.daemon.L2tpClientsIT.World;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * The rules that keep L2TP clients apart, without the daemon, whose JVM takes long in emulation:
 * the test gives each SA's mark a zone. Two clients behind one NAT, from port 1701 to port 1701,
 * real charons, xl2tpd and PPP.
 */
class L2tpRulesIT {
  private static final int CLIENTS = 2;

  @Test
  void eachHasItsOwnAnswersAndItsOwnLink() {
    try (Network net = L2tpClientsIT.behindOneNat(World.FOUR, CLIENTS)) {
      L2tpClientsIT.charons(World.FOUR, net, CLIENTS, L2tpPppIT.DESCRIPTION);
      Host gateway = net.host("gw");
      gateway.nft(Described.of(L2tpPppIT.DESCRIPTION).nft());
      initiate(net);
      assertThat(marked(gateway).expected().out().lines()).hasSize(CLIENTS);
      L2tpClientsIT.assertEachHasItsOwn(World.FOUR, net, CLIENTS);

      L2tpPppIT.dial(net, CLIENTS);
      L2tpPppIT.assertEachHasItsLink(net, CLIENTS);
    }
  }

  private static void initiate(Network net) {
    StringBuilder script = new StringBuilder();
    for (int i = 1; i <= CLIENTS; i++) {
      script.append(
          "lab-in %s swanctl --initiate --child l2tp --timeout 60 > /dev/null & raised+=($!)%n"
              .formatted(net.host("c" + i).namespace()));
    }
    script.append("for each in ${raised[@]}; do wait $each || exit 1; done\n");
    net.lab().run(script.toString(), Duration.ofMinutes(2)).expected();
  }

  /** Gives each SA's mark a zone, as the daemon does; a line to a mark. */
  private static Answer marked(Host gateway) {
    return gateway.script(
        """
        zone=0x1000
        for mark in $(swanctl --list-sas --raw | grep -o 'mark-in=[0-9a-f]*'); do
          mark=0x${mark#mark-in=}
          nft "add element inet gatehouse l2tp.zones { $mark : $zone }" && echo $mark
          zone=$((zone + 1))
        done
        """);
  }
}
