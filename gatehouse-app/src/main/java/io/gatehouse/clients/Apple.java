package io.gatehouse.clients;

import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Suite.Vocabulary;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** macOS, iOS and iPadOS: a configuration profile (property list in XML). */
final class Apple {
  private static final Vocabulary WORDS =
      new Vocabulary(
          Map.of("aes128", "AES-128", "aes256", "AES-256", "3des", "3DES"),
          Map.of(
              "aes128gcm16", "AES-128-GCM",
              "aes256gcm16", "AES-256-GCM",
              "chacha20poly1305", "ChaCha20Poly1305"),
          Map.of(
              "sha1", "SHA1-96", "sha256", "SHA2-256", "sha384", "SHA2-384", "sha512", "SHA2-512"),
          // Numbers of IANA's list.
          Map.of(
              "modp1024", "2",
              "modp1536", "5",
              "modp2048", "14",
              "modp3072", "15",
              "modp4096", "16",
              "ecp256", "19",
              "ecp384", "20",
              "ecp521", "21",
              "curve25519", "31",
              "curve448", "32"));

  private final Wanted wanted;
  private final StringBuilder text = new StringBuilder();
  private int depth;

  private Apple(Wanted wanted) {
    this.wanted = wanted;
  }

  static Recipe recipe(Wanted wanted) {
    return new Apple(wanted).write();
  }

  private Recipe write() {
    Optional<Suite> suite = Suite.choose(wanted.proposals(), WORDS);
    remarks(suite);
    suite.ifPresent(this::profile);
    return wanted.recipe(
        Platform.APPLE,
        List.of(),
        List.of(new Artifact(wanted.title() + ".mobileconfig", text.toString())));
  }

  private void remarks(Optional<Suite> suite) {
    Authentication authentication = wanted.known.authentication();
    if (authentication == Authentication.PSK) {
      wanted.fails(
          "A profile would have to hold the pre-shared key itself, and no secret stands in a file of"
              + " ours: use --auth eap or --auth certificate.");
    }
    if (suite.isEmpty()) {
      wanted.fails(
          "Apple's systems know none of the proposals "
              + Wanted.list(wanted.proposals())
              + ": no tunnel would come up. Add aes256gcm16 under `esp: { proposals: … }`.");
    } else if (!suite.get().groupKnown()) {
      wanted.fails(
          "The tunnel would come up and end at its first rekeying: Apple's systems do not have the"
              + " key exchange of "
              + Wanted.list(wanted.proposals())
              + ". Add one with ecp256 or curve25519 under `esp: { proposals: … }`.");
    }
    boolean split = wanted.through.stream().noneMatch(prefix -> prefix.isAll());
    if (split && !wanted.dns().isEmpty() && wanted.known.domains().isEmpty()) {
      wanted.warn(
          "With a split tunnel the system asks the tunnel's name servers only for domains that a"
              + " profile names: say --domain example.org.");
    }
    if (authentication == Authentication.CERTIFICATE) {
      wanted.note(
          "The client's certificate and key are a payload of their own (PKCS #12), which Apple"
              + " Configurator or an MDM adds: its UUID stands in the profile already.");
    }
    if (wanted.known.authority().isEmpty()) {
      wanted.note(
          "The certificate that signed the gateway's is not in the profile: give it with"
              + " --authority FILE, where no public authority signed it.");
    }
    wanted.note(
        "The system asks for everything, and makes a route for each network that the gateway's answer"
            + " names: nothing has to be changed here when `reach` changes.");
  }

  private void profile(Suite suite) {
    Known known = wanted.known;
    line("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    line(
        "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\""
            + " \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">");
    line("<plist version=\"1.0\">");
    open("dict");
    payload("Configuration", "profile", wanted.title());
    key("PayloadContent");
    open("array");
    known.authority().ifPresent(this::authority);
    open("dict");
    payload("com.apple.vpn.managed", "vpn", wanted.title());
    text("UserDefinedName", wanted.title());
    text("VPNType", "IKEv2");
    key("IKEv2");
    open("dict");
    text("RemoteAddress", wanted.server());
    text("RemoteIdentifier", wanted.server());
    if (known.authentication() == Authentication.EAP) {
      // The user's name, which the system asks for, is the identity then.
      text("LocalIdentifier", "");
      text("AuthenticationMethod", "None");
      number("ExtendedAuthEnabled", 1);
    } else {
      text("LocalIdentifier", Wanted.PLACEHOLDER + "client-identity");
      text("AuthenticationMethod", "Certificate");
      text("PayloadCertificateUUID", upper("identity"));
      number("ExtendedAuthEnabled", 0);
    }
    number("EnablePFS", suite.group().isPresent() ? 1 : 0);
    text("DeadPeerDetectionRate", "Medium");
    number("UseConfigurationAttributeInternalIPSubnet", 0);
    number("DisableMOBIKE", 0);
    key("IKESecurityAssociationParameters");
    // Of strongSwan's default proposal, which the gateway's fragment leaves as it is.
    algorithms("AES-256", "SHA2-256", "20");
    key("ChildSecurityAssociationParameters");
    algorithms(suite.cipher(), suite.integrity().orElse("SHA2-256"), suite.group().orElse("20"));
    close("dict");
    key("IPv4");
    open("dict");
    number("OverridePrimary", wanted.through.stream().anyMatch(prefix -> prefix.isAll()) ? 1 : 0);
    close("dict");
    if (!wanted.dns().isEmpty() && !known.domains().isEmpty()) {
      key("DNS");
      open("dict");
      list("ServerAddresses", wanted.dns().stream().map(Object::toString).toList());
      list("SupplementalMatchDomains", known.domains());
      close("dict");
    }
    close("dict");
    close("array");
    close("dict");
    line("</plist>");
  }

  private void authority(String certificate) {
    open("dict");
    payload("com.apple.security.root", "authority", wanted.title() + " authority");
    key("PayloadContent");
    line("<data>" + certificate + "</data>");
    close("dict");
  }

  private void algorithms(String cipher, String integrity, String group) {
    open("dict");
    text("EncryptionAlgorithm", cipher);
    text("IntegrityAlgorithm", integrity);
    number("DiffieHellmanGroup", Integer.parseInt(group));
    close("dict");
  }

  private void payload(String type, String part, String title) {
    text("PayloadType", type);
    number("PayloadVersion", 1);
    text("PayloadIdentifier", "gatehouse." + wanted.title() + "." + part);
    text("PayloadUUID", upper(part));
    text("PayloadDisplayName", title);
  }

  private String upper(String part) {
    return wanted.uuid("apple/" + part).toString().toUpperCase(java.util.Locale.ROOT);
  }

  private void list(String key, List<String> values) {
    key(key);
    open("array");
    values.forEach(value -> line("<string>" + escaped(value) + "</string>"));
    close("array");
  }

  private void text(String key, String value) {
    key(key);
    line("<string>" + escaped(value) + "</string>");
  }

  private void number(String key, int value) {
    key(key);
    line("<integer>" + value + "</integer>");
  }

  private void key(String key) {
    line("<key>" + key + "</key>");
  }

  private void open(String element) {
    line("<" + element + ">");
    depth++;
  }

  private void close(String element) {
    depth--;
    line("</" + element + ">");
  }

  private void line(String line) {
    text.repeat(' ', 2 * depth).append(line).append('\n');
  }

  private static String escaped(String value) {
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
