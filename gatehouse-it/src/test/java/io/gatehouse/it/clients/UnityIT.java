package io.gatehouse.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.clients.Clients;
import io.gatehouse.clients.Known;
import io.gatehouse.clients.Platform;
import io.gatehouse.clients.Recipe;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.model.Gateway;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What strongSwan clients with IKEv1 are granted by the files that we write for the gateway. */
@Tag("full")
class UnityIT {
  private static final String TWO =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.9/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
        storage: { via: lan, prefixes: 192.168.88.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: 10.0.3.0/24
          reach: [storage, office]
          esp: { proposals: [aes128gcm16] }
      """;

  private static final String ONE = TWO.replace("[storage, office]", "office");

  private static final String WIRES =
      """
      wire gw:eth0 203.0.113.9/24 -- laptop:eth0 203.0.113.20/24
      wire gw:eth1 10.0.1.1/24 192.168.88.1/24 -- files:eth0 10.0.1.20/24
      """;

  private static final String AUTHENTICATION =
      """
      connections { staff { local { auth = psk } remote { auth = psk } } }
      secrets { ike { secret = "lab" } }
      """;

  private static String client(Map<String, String> children) {
    StringBuilder text = new StringBuilder();
    children.forEach((name, networks) ->
        text.append(
            "%s { remote_ts = %s\nesp_proposals = aes128gcm16 }\n".formatted(name, networks)));
    return """
    connections { office {
      version = 1
      remote_addrs = 203.0.113.9
      vips = 0.0.0.0
      local { auth = psk }
      remote { auth = psk }
      children {
        %s
      }
    } }
    secrets { ike { secret = "lab" } }
    """
        .formatted(text);
  }

  private static final String WITHOUT_UNITY =
      "random nonce aes sha1 sha2 hmac kdf gcm openssl curve25519 pem pkcs1 pkcs8 pubkey x509"
          + " constraints attr kernel-netlink socket-default vici";

  private static final String UNITY = "charon { cisco_unity = yes }\n";

  /** The gateway's answer has a split-include attribute, as charon writes it down. */
  private static final Pattern TOLD = Pattern.compile("parsed .* CPRP\\([^)]*U_SPLITINC");

  /** The far end of a policy for what leaves. */
  private static final Pattern OUT = Pattern.compile("(?m)^src \\S+ dst (\\S+).*\n\\s+dir out ");

  /** The near end of a policy for what came in and goes on. */
  private static final Pattern IN =
      Pattern.compile("(?m)^src 10\\.0\\.3\\.\\d+/32 dst (\\S+).*\n\\s+dir fwd ");

  private static Recipe recipe(String description) {
    Gateway gateway = Descriptions.gateway("test.yaml", description);
    return Clients.of(
        gateway,
        Compiler.compile(gateway),
        gateway.tunnel("staff").orElseThrow(),
        Platform.IKEV1,
        Known.nothing());
  }

  private static String file(Recipe recipe, String end) {
    return recipe.files().stream()
        .filter(file -> file.name().endsWith(end))
        .findFirst()
        .orElseThrow()
        .text();
  }

  private static Set<String> ends(Host host, Pattern which) {
    Set<String> ends = new TreeSet<>();
    Matcher found = which.matcher(host.run("ip", "xfrm", "policy").expected().out());
    while (found.find()) {
      ends.add(found.group(1));
    }
    return ends;
  }

  private static void start(Host host, String swanctl, String strongswan, String plugins) {
    host.write("/etc/lab-swanctl.conf", swanctl);
    host.write("/etc/lab-strongswan.conf", strongswan);
    host.script(
            "export CHARON_FILE=/etc/lab-strongswan.conf CHARON_PLUGINS='%s'\nlab-charon start /etc/lab-swanctl.conf"
                .formatted(plugins))
        .expected();
  }

  @Test
  void aClientWithUnityGetsExactlyTheDescribedNetworks() {
    Recipe recipe = recipe(TWO);
    try (Network net = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP).network(WIRES)) {
      Host gw = net.host("gw");
      Host laptop = net.host("laptop");
      start(
          gw,
          Described.of(TWO).swanctl() + file(recipe, "-ikev1.conf") + AUTHENTICATION,
          file(recipe, "-strongswan.conf"),
          "");
      start(laptop, client(Map.of("all", "0.0.0.0/0")), UNITY, "");
      laptop.initiate("all").expected();
      assertThat(ends(laptop, OUT)).containsExactly("10.0.1.0/24", "192.168.88.0/24");
      assertThat(ends(gw, IN)).isEqualTo(ends(laptop, OUT));
      assertThat(recipe.through())
          .extracting(Object::toString)
          .containsExactlyElementsOf(ends(laptop, OUT));
      assertThat(
              laptop
                  .run("ip", "-4", "route", "show", "table", "220")
                  .expected()
                  .out()
                  .lines()
                  .map(line -> line.split(" ", -1)[0]))
          .containsExactlyInAnyOrder("10.0.1.0/24", "192.168.88.0/24");
    }
  }

  @Test
  void withoutUnityEachNetworkHasToBeAskedForAndEverythingIsTheFirst() {
    Recipe recipe = recipe(TWO);
    try (Network net = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP).network(WIRES)) {
      Host gw = net.host("gw");
      Host laptop = net.host("laptop");
      start(
          gw,
          Described.of(TWO).swanctl() + file(recipe, "-ikev1.conf") + AUTHENTICATION,
          file(recipe, "-strongswan.conf"),
          "");
      start(
          laptop,
          client(
              Map.of(
                  "all",
                  "0.0.0.0/0",
                  "one",
                  "10.0.1.0/24",
                  "other",
                  "192.168.88.0/24",
                  "none",
                  "10.77.0.0/16")),
          "",
          WITHOUT_UNITY);
      laptop.initiate("all").expected();
      // The first of `reach`, not the lowest.
      assertThat(recipe.remarks())
          .extracting(Recipe.Remark::text)
          .anyMatch(text -> text.contains("is answered with 192.168.88.0/24 alone"));
      assertThat(ends(laptop, OUT)).containsExactly("192.168.88.0/24");
      laptop.run("swanctl", "--terminate", "--ike", "office").expected();
      laptop.initiate("one").expected();
      laptop.initiate("other").expected();
      assertThat(ends(laptop, OUT)).containsExactly("10.0.1.0/24", "192.168.88.0/24");
      assertThat(laptop.initiate("none").status()).isNotZero();
      assertThat(laptop.charonLog()).contains("received INVALID_ID_INFORMATION");
    }
  }

  @Test
  void attributesByThePoolOrByAttrDoForOneNetwork() {
    Recipe recipe = recipe(ONE);
    String own = Described.of(ONE).swanctl() + file(recipe, "-ikev1.conf") + AUTHENTICATION;
    try (Network net = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP).network(WIRES)) {
      Host gw = net.host("gw");
      Host laptop = net.host("laptop");
      start(gw, own + file(recipe, "-attributes.conf"), UNITY, WITHOUT_UNITY);
      start(laptop, client(Map.of("all", "0.0.0.0/0")), UNITY, "");
      laptop.initiate("all").expected();
      assertThat(ends(laptop, OUT)).containsExactly("10.0.1.0/24");
      assertThat(laptop.charonLog()).containsPattern(TOLD);
      laptop.stopCharon();
      gw.stopCharon();
      for (Host host : new Host[] {gw, laptop}) {
        host.run("rm", "-f", "/run/charon.vici", "/var/log/charon.log").expected();
      }
      start(gw, own, UNITY + file(recipe, "-attr.conf"), WITHOUT_UNITY);
      start(laptop, client(Map.of("all", "0.0.0.0/0")), UNITY, "");
      laptop.initiate("all").expected();
      assertThat(ends(laptop, OUT)).containsExactly("10.0.1.0/24");
      assertThat(laptop.charonLog()).containsPattern(TOLD);
    }
  }
}
