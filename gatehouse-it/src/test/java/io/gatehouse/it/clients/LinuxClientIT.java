package io.gatehouse.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.clients.Clients;
import io.gatehouse.clients.Known;
import io.gatehouse.clients.Platform;
import io.gatehouse.clients.Recipe;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.model.Gateway;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A strongSwan client that is set up by our file connects, and has the described routes. */
class LinuxClientIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.9/24 }
        lan: { device: eth1, role: inside, addresses: [10.0.1.1/24, "2001:db8:1::1/64"] }
      networks:
        office: { on: lan, prefixes: [10.0.1.0/24, "2001:db8:1::/64"] }
        storage: { via: lan, prefixes: 192.168.88.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.3.0/24, "2001:db8:3::/64"]
          reach: [office, storage]
          esp: { proposals: [aes128gcm16] }
      """;

  /** charon waits for us here: what a file of our own may say after another. */
  private static final String ASKED = "start_action = start";

  private static final String SECRET = "secrets { ike { secret = \"lab\" } }\n";

  /** The far end of a policy for what leaves. */
  private static final Pattern OUT = Pattern.compile("(?m)^src \\S+ dst (\\S+).*\n\\s+dir out ");

  @Test
  void hasExactlyTheDescribedRoutes() {
    Gateway gateway = Descriptions.gateway("test.yaml", DESCRIPTION);
    Compiled compiled = Compiler.compile(gateway);
    Recipe recipe =
        Clients.of(
            gateway,
            compiled,
            gateway.tunnel("staff").orElseThrow(),
            Platform.LINUX,
            new Known(Optional.empty(), Known.Authentication.PSK, List.of(), Optional.empty()));
    String client = recipe.files().getFirst().text();
    assertThat(client).contains(ASKED);

    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.9/24 -- laptop:eth0 203.0.113.20/24
            wire gw:eth1 10.0.1.1/24 2001:db8:1::1/64 -- files:eth0 10.0.1.20/24
            """)) {
      net.charon(
          new Network.Peer(
              "gw",
              Described.of(DESCRIPTION).swanctl()
                  + "connections { staff { local { auth = psk } remote { auth = psk } } }\n"
                  + SECRET),
          // The test brings it up itself, so as to wait for it.
          new Network.Peer("laptop", client.replace(ASKED, "start_action = none") + SECRET));
      Host laptop = net.host("laptop");
      laptop.initiate("staff").expected();

      TreeSet<String> routed = new TreeSet<>();
      for (String family : List.of("-4", "-6")) {
        laptop
            .run("ip", family, "route", "show", "table", "220")
            .expected()
            .out()
            .lines()
            .map(line -> line.split(" ", -1)[0])
            .forEach(routed::add);
      }
      assertThat(routed)
          .containsExactlyInAnyOrder("10.0.1.0/24", "192.168.88.0/24", "2001:db8:1::/64");
      assertThat(recipe.through())
          .extracting(Object::toString)
          .containsExactlyInAnyOrderElementsOf(routed);
      // Both families are in this listing.
      String policies = laptop.run("ip", "xfrm", "policy").expected().out();
      TreeSet<String> protectedEnds = new TreeSet<>();
      Matcher out = OUT.matcher(policies);
      while (out.find()) {
        protectedEnds.add(out.group(1));
      }
      assertThat(protectedEnds).as("%s", policies).isEqualTo(routed);
    }
  }
}
