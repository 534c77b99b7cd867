package io.gatehouse.it.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse diagnose --live} on a firewall's own two devices. */
class LiveIT {
  /** Sends ESP until a process has ended, so that nobody has to guess when. */
  private static final String TALK =
      """
      cat > /tmp/$N-talk.py <<'END'
      import os, socket, struct, sys, time
      server, process = sys.argv[1], sys.argv[2]
      esp = socket.socket(socket.AF_INET, socket.SOCK_RAW, 50)
      number = 0
      while os.path.exists(f"/proc/{process}"):
          number += 1
          esp.sendto(struct.pack("!II", 0x12345678, number) + b"x" * 32, (server, 0))
          time.sleep(0.02)
      END
      """;

  @Test
  void namesWhatTheFirewallItselfDrops() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET);
    try (Network net =
        lab.network(
            """
            wire pc:eth0 192.0.2.7/24 -- fw:lan 192.0.2.1/24
            wire fw:wan 198.51.100.1/24 -- server:eth0 198.51.100.2/24
            route pc default via 192.0.2.1
            route server default via 198.51.100.1
            set fw net.ipv4.ip_forward=1
            """)) {
      JsonNode whole = listened(lab, net);
      JsonNode esp = whole.path("stories").get(0).path("rows").get(0);
      assertThat(esp.path("channel").asString()).as("%s", whole).isEqualTo("esp");
      assertThat(esp.path("toServer"))
          .as("%s", whole)
          .hasSize(2)
          .allSatisfy(count -> assertThat(count.asInt()).isPositive());
      // The server knows no ESP, and says so.
      assertThat(whole.path("findings").findValuesAsString("finding")).containsExactly("refused");

      net.host("fw")
          .nft(
              "table ip x { chain f { type filter hook forward priority 0; ip protocol esp drop; }; }");
      JsonNode broken = listened(lab, net);
      assertThat(broken.path("findings").findValuesAsString("finding"))
          .as("%s", broken)
          .containsExactly("esp-lost");
      assertThat(broken.path("findings").get(0).path("from").asString()).isEqualTo("client-lan");
      assertThat(broken.path("findings").get(0).path("to").asString()).isEqualTo("client-isp");
    }
  }

  private static JsonNode listened(Lab lab, Network net) {
    String name = net.host("fw").namespace().replaceFirst("-fw$", "");
    Answer answer =
        lab.run(
            "N="
                + name
                + "\n"
                + TALK
                + """
                lab-in $N-fw env GATEHOUSE_BUILD=never %s diagnose --json --seconds 2 \\
                  --live client-lan=lan --live client-isp=wan & process=$!
                lab-in $N-pc python3 /tmp/$N-talk.py 198.51.100.2 $process
                wait $process
                echo "status $?" >&2
                """
                    .formatted(Lab.HOME.resolve("gatehouse")));
    assertThat(answer.err()).contains("status ");
    return new JsonMapper().readTree(answer.out());
  }
}
