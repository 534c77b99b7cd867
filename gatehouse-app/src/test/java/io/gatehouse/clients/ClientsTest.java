package io.gatehouse.clients;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.Recipe.Weight;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What sets up the other end, read by something else than what wrote it. */
class ClientsTest {
  private static final String OFFICE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: [10.0.1.0/24, "2001:db8:1::/64"] }
        storage: { via: lan, prefixes: 192.168.88.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.3.0/24, "2001:db8:3::/64"]
          reach: [office, storage]
          dns: 10.0.1.53
          esp: { proposals: aes256gcm16-ecp256 }
      """;

  private static final Known SAID =
      new Known(
          Optional.of("vpn.example.org"),
          Authentication.EAP,
          List.of("example.org"),
          Optional.of("TUlJ"));

  private static Recipe recipe(String description, Platform platform, Known known) {
    Gateway gateway = Descriptions.gateway("test.yaml", description);
    return Clients.of(
        gateway, Compiler.compile(gateway), gateway.tunnels().getFirst(), platform, known);
  }

  private static String file(Recipe recipe, String end) {
    return recipe.files().stream()
        .filter(file -> file.name().endsWith(end))
        .map(Artifact::text)
        .findFirst()
        .orElseThrow();
  }

  private static List<String> texts(Recipe recipe, Weight weight) {
    return recipe.remarks().stream()
        .filter(remark -> remark.weight() == weight)
        .map(Remark::text)
        .toList();
  }

  private static List<String> strings(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }

  private static List<String> routes(List<Map<String, String>> commands) {
    return commands.stream()
        .filter(command -> "Add-VpnConnectionRoute".equals(command.get("")))
        .map(command -> command.getOrDefault("DestinationPrefix", ""))
        .toList();
  }

  private static Map<String, String> command(List<Map<String, String>> commands, String name) {
    return commands.stream().filter(c -> name.equals(c.get(""))).findFirst().orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"DHCP", "IKEV1"},
      mode = EnumSource.Mode.EXCLUDE)
  void whatGoesThroughIsWhatIsReached(Platform platform) {
    Recipe recipe = recipe(OFFICE, platform, SAID);

    assertThat(strings(recipe.through()))
        .containsExactly("10.0.1.0/24", "192.168.88.0/24", "2001:db8:1::/64");
    assertThat(recipe.works()).isTrue();
    assertThat(recipe.missing()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"DHCP", "IKEV1"},
      mode = EnumSource.Mode.EXCLUDE)
  void whatAClientHasNoAddressForDoesNotGoThrough(Platform platform) {
    Recipe recipe =
        recipe(OFFICE.replace("[10.0.3.0/24, \"2001:db8:3::/64\"]", "10.0.3.0/24"), platform, SAID);

    assertThat(strings(recipe.through())).containsExactly("10.0.1.0/24", "192.168.88.0/24");
    assertThat(strings(recipe.missing())).containsExactly("2001:db8:1::/64");
    assertThat(texts(recipe, Weight.WARNING)).anyMatch(t -> t.startsWith("Clients get no IPv6"));
    assertThat(recipe.files().getFirst().text()).doesNotContain("2001:db8:1::");
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"DHCP", "IKEV1"},
      mode = EnumSource.Mode.EXCLUDE)
  void aFullTunnelOfOneFamilyIsSaidToLeak(Platform platform) {
    String full =
        OFFICE
            .replace("[10.0.3.0/24, \"2001:db8:3::/64\"]", "10.0.3.0/24")
            .replace("[office, storage]", "internet");
    Recipe recipe = recipe(full, platform, SAID);

    assertThat(strings(recipe.through())).contains("0.0.0.0/0");
    assertThat(texts(recipe, Weight.WARNING)).anyMatch(t -> t.startsWith("IPv6 goes beside"));
    assertThat(texts(recipe(OFFICE, platform, SAID), Weight.WARNING))
        .noneMatch(t -> t.contains("goes beside"));
  }

  @ParameterizedTest
  @EnumSource(
      value = Platform.class,
      names = {"DHCP", "IKEV1"},
      mode = EnumSource.Mode.EXCLUDE)
  void aNameServerOutsideOfTheTunnelIsWarnedOf(Platform platform) {
    Recipe recipe = recipe(OFFICE.replace("10.0.1.53", "10.9.9.9"), platform, SAID);

    assertThat(texts(recipe, Weight.WARNING)).anyMatch(t -> t.contains("10.9.9.9"));
    assertThat(texts(recipe(OFFICE, platform, SAID), Weight.WARNING))
        .noneMatch(t -> t.contains("10.0.1.53"));
  }

  @ParameterizedTest
  @EnumSource(Platform.class)
  void noSecretStandsInAFile(Platform platform) {
    for (Authentication authentication : Authentication.values()) {
      Known known = new Known(Optional.empty(), authentication, List.of(), Optional.empty());
      for (Artifact file : recipe(OFFICE, platform, known).files()) {
        assertThat(file.text())
            .doesNotContainIgnoringCase("secret =")
            .doesNotContainIgnoringCase("<key>SharedSecret")
            .doesNotContainIgnoringCase("<key>AuthPassword")
            .doesNotContain("-L2tpPsk '");
      }
    }
  }

  @Test
  void theServerIsAPlaceholderWhereNobodyKnowsIt() {
    String followed = OFFICE.replace(", addresses: 203.0.113.2/24", "");

    assertThat(recipe(followed, Platform.WINDOWS, Known.nothing()).placeholders())
        .contains("CHANGE-ME-server");
    assertThat(file(recipe(OFFICE, Platform.WINDOWS, Known.nothing()), ".ps1"))
        .contains("-ServerAddress '203.0.113.2'");
    assertThat(
            file(
                recipe(
                    OFFICE.replace("addresses: 203", "public: 198.51.100.9, addresses: 203"),
                    Platform.WINDOWS,
                    Known.nothing()),
                ".ps1"))
        .contains("-ServerAddress '198.51.100.9'");
  }

  // ---- Windows

  @Test
  void windowsSplits() {
    List<Map<String, String>> commands =
        Reads.powerShell(file(recipe(OFFICE, Platform.WINDOWS, SAID), ".ps1"));

    assertThat(command(commands, "Add-VpnConnection"))
        .containsEntry("ServerAddress", "vpn.example.org")
        .containsEntry("TunnelType", "Ikev2")
        .containsEntry("AuthenticationMethod", "Eap")
        .containsKey("SplitTunneling");
    assertThat(routes(commands))
        .containsExactly("10.0.1.0/24", "192.168.88.0/24", "2001:db8:1::/64");
    assertThat(command(commands, "Add-VpnConnectionTriggerDnsConfiguration"))
        .containsEntry("DnsSuffix", ".example.org")
        .containsEntry("DnsIPAddress", "10.0.1.53");
  }

  /** Parameters and values that the module knows (its manifest in Windows 10). */
  @ParameterizedTest
  @CsvSource({
    "aes128gcm16, GCMAES128, GCMAES128, None",
    "aes256gcm16-ecp384, GCMAES256, GCMAES256, ECP384",
    "aes256gcm16-x25519-modp2048, GCMAES256, GCMAES256, PFS2048",
    "aes256-sha256-modp2048, AES256, SHA256128, PFS2048",
    "aes128-sha1-none, AES128, SHA196, None",
    "3des-sha1-modp1024, DES3, SHA196, PFS2",
    "chacha20poly1305, '', '', ''",
    "aes256-sha512, '', '', ''",
  })
  void windowsSaysTheProposalInItsWords(
      String proposal, String cipher, String integrity, String group) {
    Recipe recipe = recipe(OFFICE.replace("aes256gcm16-ecp256", proposal), Platform.WINDOWS, SAID);

    assertThat(recipe.works()).isEqualTo(!cipher.isEmpty());
    if (recipe.works()) {
      Map<String, String> ipsec =
          command(Reads.powerShell(file(recipe, ".ps1")), "Set-VpnConnectionIPsecConfiguration");
      assertThat(ipsec)
          .containsEntry("CipherTransformConstants", cipher)
          .containsEntry("AuthenticationTransformConstants", integrity)
          .containsEntry("PfsGroup", group);
      assertThat(ipsec.keySet())
          .isSubsetOf(
              Set.of(
                  "",
                  "ConnectionName",
                  "AuthenticationTransformConstants",
                  "CipherTransformConstants",
                  "DHGroup",
                  "EncryptionMethod",
                  "IntegrityCheckMethod",
                  "PfsGroup",
                  "Force"));
    } else {
      assertThat(recipe.files()).isEmpty();
      assertThat(texts(recipe, Weight.FAILS)).anyMatch(t -> t.contains("no tunnel would come up"));
    }
  }

  @Test
  void windowsThatCannotRekeyIsRefused() {
    Recipe recipe =
        recipe(OFFICE.replace("aes256gcm16-ecp256", "aes256gcm16-x25519"), Platform.WINDOWS, SAID);

    assertThat(recipe.works()).isFalse();
    assertThat(texts(recipe, Weight.FAILS)).anyMatch(t -> t.contains("first rekeying"));
    assertThat(
            recipe(OFFICE.replace("aes256gcm16-ecp256", "aes256gcm16-x25519"), Platform.APPLE, SAID)
                .works())
        .isTrue();
    String second = "[aes256gcm16-x25519, aes128gcm16-ecp256]";
    assertThat(recipe(OFFICE.replace("aes256gcm16-ecp256", second), Platform.WINDOWS, SAID).works())
        .isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.3.0/24, 10.0.0.0/8, true",
    "172.16.9.0/24, 172.16.0.0/16, true",
    "192.168.9.0/24, 192.168.9.0/24, true",
    "192.168.88.128/26, 192.168.88.0/24, false",
  })
  void theClassOfTheVirtualIpIsTurnedOffWhereItIsMoreThanTheTunnelCarries(
      String pool, String all, boolean disabled) {
    String description = OFFICE.replace("[10.0.3.0/24, \"2001:db8:3::/64\"]", pool);
    if (!disabled) {
      // A pool inside a network that is reached lies there by proxy only.
      description =
          description
              .replace("type: remote-access", "type: remote-access\n    return: proxy")
              .replace("storage: { via: lan, ", "storage: { on: lan, ");
    }
    Recipe recipe = recipe(description, Platform.WINDOWS, SAID);

    assertThat(file(recipe, ".ps1").contains("'^DisableClassBasedDefaultRoute=)0"))
        .isEqualTo(disabled);
    assertThat(recipe.remarks().stream().anyMatch(r -> r.text().contains(all + " makes Windows")))
        .isEqualTo(disabled);
  }

  /** The book holds connections of others, in whatever encoding: nothing of them may change. */
  @Test
  void inTheWindowsPhoneBookOneByteChanges() {
    String script = file(recipe(OFFICE, Platform.WINDOWS, SAID), ".ps1");
    assertThat(script).doesNotContain("Get-Content", "Set-Content", "ReadAllText", "-Encoding");
    assertThat(script.indexOf("[IO.File]::Copy($book, \"$book.before-gatehouse\""))
        .isPositive()
        .isLessThan(script.indexOf("WriteAllBytes($book"));

    Matcher expression =
        Pattern.compile(
                "\\$mine = '(.*)' \\+ \\[regex]::Escape\\(\\$name\\) \\+ '(.*)' \\+\n  '(.*)'\n")
            .matcher(script);
    assertThat(expression.find()).isTrue();
    // .NET's lines end with a line feed alone: Java's do with (?d).
    Pattern mine =
        Pattern.compile(
            "(?d)"
                + expression.group(1)
                + Pattern.quote("office-staff")
                + expression.group(2)
                + expression.group(3));
    for (String end : List.of("\r\n", "\n")) {
      String book =
          """
          [foreign]
          DisableClassBasedDefaultRoute=0
          [office-staff]
          Encoding=1
          DisableClassBasedDefaultRoute=0
          [office-staff-2]
          DisableClassBasedDefaultRoute=0
          """
              .replace("[foreign]", "\u00ef\u00bb\u00bf[B\u00fcro \u00c3\u00bc\u0085\u0000]")
              .replace("\n", end);
      String changed = mine.matcher(book).replaceAll("$11");
      int at = book.indexOf("Route=0", book.indexOf("[office-staff]")) + "Route=".length();
      assertThat(changed).isEqualTo(book.substring(0, at) + "1" + book.substring(at + 1));
      assertThat(mine.matcher(changed).replaceAll("$11")).isEqualTo(changed);
      assertThat(changed.getBytes(ISO_8859_1)).hasSize(book.length());
    }
    assertThat(mine.matcher("[office-staff]\n[b]\nDisableClassBasedDefaultRoute=0\n").find())
        .isFalse();
  }

  @Test
  void aFullTunnelOnWindows() {
    Recipe recipe = recipe(OFFICE.replace("[office, storage]", "internet"), Platform.WINDOWS, SAID);
    List<Map<String, String>> commands = Reads.powerShell(file(recipe, ".ps1"));

    assertThat(command(commands, "Add-VpnConnection")).doesNotContainKey("SplitTunneling");
    assertThat(routes(commands)).containsExactly("::/0");
  }

  @Test
  void nothingInANameIsACommandToPowerShell() {
    assertThat(Windows.quoted("a'; Remove-Item x; '")).isEqualTo("'a''; Remove-Item x; '''");
  }

  @Test
  void windowsHasNoPreSharedKeysForIkeV2() {
    Known psk = new Known(Optional.empty(), Authentication.PSK, List.of(), Optional.empty());

    assertThat(recipe(OFFICE, Platform.WINDOWS, psk).works()).isFalse();
    assertThat(recipe(OFFICE, Platform.APPLE, psk).works()).isFalse();
    assertThat(recipe(OFFICE, Platform.ANDROID, psk).works()).isFalse();
    assertThat(recipe(OFFICE, Platform.LINUX, psk).works()).isTrue();
  }

  @Test
  void l2tpOnWindows() {
    String l2tp =
        """
        version: 1
        gateway: office
        interfaces:
          wan: { device: eth0, role: outside, public: 198.51.100.9, addresses: 10.7.7.2/24 }
        tunnels:
          legacy: { type: l2tp, esp: { proposals: aes256-sha1 } }
        """;
    Recipe recipe = recipe(l2tp, Platform.WINDOWS, Known.nothing());
    List<Map<String, String>> commands = Reads.powerShell(file(recipe, ".ps1"));

    assertThat(command(commands, "Add-VpnConnection"))
        .containsEntry("TunnelType", "L2tp")
        .containsEntry("ServerAddress", "198.51.100.9")
        .containsEntry("L2tpPsk", "$key");
    assertThat(command(commands, "Set-ItemProperty"))
        .containsEntry("Name", "AssumeUDPEncapsulationContextOnSendRule")
        .containsEntry("Value", "2");
    assertThat(recipe.through()).isEmpty();
    for (Platform other : List.of(Platform.APPLE, Platform.ANDROID, Platform.LINUX)) {
      assertThat(recipe(l2tp, other, Known.nothing()).works()).isFalse();
    }
  }

  // ---- Apple

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value, String... keys) {
    Object at = value;
    for (String key : keys) {
      at = ((Map<String, Object>) at).get(key);
    }
    return (Map<String, Object>) at;
  }

  @Test
  void anAppleProfileIsAPropertyListWithAllThatAppleRequires() throws Exception {
    Object profile = Reads.plist(file(recipe(OFFICE, Platform.APPLE, SAID), ".mobileconfig"));
    List<?> payloads = (List<?>) map(profile).get("PayloadContent");

    assertThat(payloads).hasSize(2);
    assertThat(map(payloads.getFirst()))
        .containsEntry("PayloadType", "com.apple.security.root")
        .containsEntry("PayloadContent", "TUlJ");
    Map<String, Object> vpn = map(payloads.getLast());
    assertThat(vpn)
        .containsEntry("PayloadType", "com.apple.vpn.managed")
        .containsEntry("VPNType", "IKEv2")
        .containsKeys("PayloadUUID", "PayloadIdentifier", "PayloadVersion", "UserDefinedName");
    assertThat(map(vpn, "IKEv2"))
        .containsEntry("RemoteAddress", "vpn.example.org")
        .containsEntry("RemoteIdentifier", "vpn.example.org")
        .containsEntry("AuthenticationMethod", "None")
        .containsEntry("ExtendedAuthEnabled", 1)
        .containsEntry("EnablePFS", 1)
        .containsKey("LocalIdentifier");
    assertThat(map(vpn, "IKEv2", "ChildSecurityAssociationParameters"))
        .containsEntry("EncryptionAlgorithm", "AES-256-GCM")
        .containsEntry("DiffieHellmanGroup", 19);
    assertThat(map(vpn, "DNS"))
        .containsEntry("ServerAddresses", List.of("10.0.1.53"))
        .containsEntry("SupplementalMatchDomains", List.of("example.org"));
    assertThat(map(vpn, "IPv4")).containsEntry("OverridePrimary", 0);
  }

  @Test
  void anAppleProfileWithACertificateNamesItsPayload() throws Exception {
    Known known =
        new Known(Optional.of("vpn"), Authentication.CERTIFICATE, List.of(), Optional.empty());
    Recipe recipe = recipe(OFFICE, Platform.APPLE, known);
    List<?> payloads =
        (List<?>) map(Reads.plist(file(recipe, ".mobileconfig"))).get("PayloadContent");

    assertThat(map(payloads.getFirst(), "IKEv2"))
        .containsEntry("AuthenticationMethod", "Certificate")
        .containsKey("PayloadCertificateUUID");
    assertThat(recipe.placeholders()).containsExactly("CHANGE-ME-client-identity");
    assertThat(texts(recipe, Weight.WARNING)).anyMatch(t -> t.contains("--domain"));
  }

  // ---- Android

  @Test
  void anAndroidProfile() {
    JsonNode profile =
        new JsonMapper().readTree(file(recipe(OFFICE, Platform.ANDROID, SAID), ".sswan"));

    assertThat(profile.path("type").asString()).isEqualTo("ikev2-eap");
    assertThat(profile.path("remote").path("addr").asString()).isEqualTo("vpn.example.org");
    assertThat(profile.path("remote").path("cert").asString()).isEqualTo("TUlJ");
    assertThat(profile.path("uuid").asString()).hasSize(36);
    assertThat(profile.path("esp-proposal").asString()).isEqualTo("aes256gcm16-ecp256");
    assertThat(profile.path("split-tunneling").path("subnets"))
        .extracting(JsonNode::asString)
        .containsExactly("10.0.1.0/24", "192.168.88.0/24", "2001:db8:1::/64");
  }

  @Test
  void aFullTunnelOnAndroidBlocksTheOtherFamily() {
    String full =
        OFFICE
            .replace("[10.0.3.0/24, \"2001:db8:3::/64\"]", "10.0.3.0/24")
            .replace("[office, storage]", "internet");
    JsonNode split =
        new JsonMapper()
            .readTree(file(recipe(full, Platform.ANDROID, SAID), ".sswan"))
            .path("split-tunneling");

    assertThat(split.path("block-ipv6").asBoolean()).isTrue();
    assertThat(split.has("block-ipv4")).isFalse();
    assertThat(split.has("subnets")).isFalse();
  }

  // ---- Linux

  @Test
  void aKeyFileForNetworkManager() {
    Map<String, Map<String, String>> file =
        Reads.keyFile(file(recipe(OFFICE, Platform.LINUX, SAID), ".nmconnection"));

    assertThat(file.get("connection"))
        .containsEntry("id", "office-staff")
        .containsEntry("type", "vpn");
    assertThat(file.get("vpn"))
        .containsEntry("service-type", "org.freedesktop.NetworkManager.strongswan")
        .containsEntry("address", "vpn.example.org")
        .containsEntry("method", "eap")
        .containsEntry("esp", "aes256gcm16-ecp256")
        .containsEntry("proposal", "yes")
        .containsEntry("remote-ts", "10.0.1.0/24;192.168.88.0/24;2001:db8:1::/64");
    assertThat(file.get("ipv4")).containsEntry("never-default", "true");
    assertThat(
            Reads.keyFile(
                    file(
                        recipe(
                            OFFICE.replace("[office, storage]", "internet"), Platform.LINUX, SAID),
                        ".nmconnection"))
                .get("ipv6"))
        .containsEntry("never-default", "false");
  }

  // ---- DHCP

  private static final String BESIDE =
      """
      version: 1
      gateway: beside
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.2/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24, router: 10.0.1.1 }
      tunnels:
        staff: { type: remote-access, pools: [10.0.3.0/25, 10.64.0.0/10], reach: office }
        branch: { type: site-to-site, peer: 198.51.100.7, local: office, remote: 10.20.0.0/16 }
      """;

  @Test
  void dhcpOptionsAreWhatAClientReads() {
    String text = file(recipe(BESIDE, Platform.DHCP, Known.nothing()), "-dhcp.txt");
    List<String> expected =
        List.of(
            "10.0.3.0/25 10.0.1.2",
            "10.20.0.0/16 10.0.1.2",
            "10.64.0.0/10 10.0.1.2",
            "0.0.0.0/0 10.0.1.1");

    List<String> values =
        text.lines()
            .flatMap(line -> Arrays.stream(line.split("[,; \"]", -1)))
            .filter(word -> word.matches("([0-9a-f]{2}:?){20,}"))
            .toList();
    assertThat(values).hasSize(5);
    for (String value : values) {
      assertThat(Reads.classlessRoutes(HexFormat.of().parseHex(value.replace(":", ""))))
          .isEqualTo(expected);
    }
    String dnsmasq =
        text.lines().filter(line -> line.startsWith("dhcp-option=121,")).findFirst().orElseThrow();
    assertThat(dnsmasq.substring(16).split(",", -1))
        .containsExactly(
            expected.stream().flatMap(r -> Arrays.stream(r.split(" ", -1))).toArray(String[]::new));
  }

  @Test
  void theLansRouterIsToldInItsWords() {
    assertThat(file(recipe(BESIDE, Platform.DHCP, Known.nothing()), "-router.txt"))
        .contains("ip route add 10.0.3.0/25 via 10.0.1.2\n", "10.0.1.1");
  }

  @Test
  void nobodyIsToldWhatHeKnows() {
    Recipe recipe = recipe(OFFICE, Platform.DHCP, Known.nothing());

    assertThat(recipe.files()).isEmpty();
    assertThat(texts(recipe, Weight.NOTE)).anyMatch(t -> t.startsWith("Nobody in the LAN"));
  }

  @Test
  void aSiteHasNoClients() {
    Gateway gateway = Descriptions.example("office.yaml");
    Recipe recipe =
        Clients.of(
            gateway,
            Compiler.compile(gateway),
            gateway.tunnel("branch").orElseThrow(),
            Platform.WINDOWS,
            Known.nothing());

    assertThat(recipe.works()).isFalse();
  }

  @Test
  void clientsWithIkev1AreToldTheNetworksOfIpv4() {
    Recipe recipe = recipe(OFFICE, Platform.IKEV1, Known.nothing());

    assertThat(recipe.works()).isTrue();
    assertThat(strings(recipe.through())).containsExactly("10.0.1.0/24", "192.168.88.0/24");
    assertThat(strings(recipe.missing())).containsExactly("2001:db8:1::/64");
    assertThat(texts(recipe, Weight.NOTE))
        .anyMatch(
            t -> t.startsWith("A client with Unity") && t.contains("10.0.1.0/24, 192.168.88.0/24"));
    assertThat(texts(recipe, Weight.WARNING))
        .anyMatch(t ->
            t.startsWith("A client without Unity")
                && t.contains("is answered with 10.0.1.0/24 alone"));
    assertThat(file(recipe, "-ikev1.conf")).contains("  staff {\n    version = 0");
    assertThat(file(recipe, "-strongswan.conf")).contains("cisco_unity = yes", "unity {");
    // Several networks by attributes alone would be more at the client than at the gateway.
    assertThat(recipe.files()).noneMatch(f -> f.text().contains("split_include"));
  }

  @Test
  void oneNetworkMayBeToldByAttributesAlone() {
    String one =
        OFFICE
            .replace("[office, storage]", "storage")
            .replace("dns: 10.0.1.53", "dns: 192.168.88.53");
    Recipe recipe = recipe(one, Platform.IKEV1, Known.nothing());

    // The pool of IPv4 is the first of two.
    assertThat(file(recipe, "-attributes.conf"))
        .contains("staff-1 {\n    split_include = 192.168.88.0/24\n");
    assertThat(file(recipe, "-attr.conf")).contains("split-include = 192.168.88.0/24\n");
    assertThat(texts(recipe, Weight.WARNING)).noneMatch(t -> t.contains("without Unity"));
  }

  @Test
  void aFullTunnelNeedsNoUnity() {
    Recipe recipe =
        recipe(OFFICE.replace("[office, storage]", "internet"), Platform.IKEV1, Known.nothing());

    assertThat(strings(recipe.through())).containsExactly("0.0.0.0/0");
    assertThat(recipe.files()).hasSize(1);
    // The pool has both families, an IKEv1 client has not.
    assertThat(texts(recipe, Weight.WARNING)).anyMatch(t -> t.startsWith("IPv6 goes beside"));
  }

  @ParameterizedTest
  @CsvSource({
    "aes256gcm16-ecp256, true, true",
    "aes256gcm16, true, false",
    "aes256-sha256-modp2048, false, true",
    "aes256-sha256, false, false",
    "'[aes256gcm16-ecp256, aes128-sha1]', false, false",
    "aes256-sha256-modp2048-none, false, false",
  })
  void whatOldClientsDoNotKnowIsWarnedOf(String proposals, boolean cipher, boolean group) {
    Recipe recipe =
        recipe(OFFICE.replace("aes256gcm16-ecp256", proposals), Platform.IKEV1, Known.nothing());

    assertThat(texts(recipe, Weight.WARNING).stream().anyMatch(t -> t.contains("AES in CBC")))
        .isEqualTo(cipher);
    assertThat(texts(recipe, Weight.WARNING).stream().anyMatch(t -> t.contains("need PFS")))
        .isEqualTo(group);
  }

  @Test
  void ikev1ClientsWithoutAnIpv4PoolGetNothing() {
    Recipe recipe =
        recipe(
            OFFICE.replace("[10.0.3.0/24, \"2001:db8:3::/64\"]", "\"2001:db8:3::/64\""),
            Platform.IKEV1,
            Known.nothing());

    assertThat(recipe.works()).isFalse();
    assertThat(recipe.files()).isEmpty();
  }
}
