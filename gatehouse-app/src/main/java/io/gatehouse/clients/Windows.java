package io.gatehouse.clients;

import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Suite.Vocabulary;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Windows 10 and 11, IKEv2, by the VpnClient module of PowerShell. */
final class Windows {
  /** What Set-VpnConnectionIPsecConfiguration can say. */
  static final Vocabulary WORDS =
      new Vocabulary(
          Map.of("aes128", "AES128", "aes192", "AES192", "aes256", "AES256", "3des", "DES3"),
          Map.of(
              "aes128gcm16", "GCMAES128", "aes192gcm16", "GCMAES192", "aes256gcm16", "GCMAES256"),
          Map.of("md5", "MD596", "sha1", "SHA196", "sha256", "SHA256128"),
          Map.of(
              "modp768", "PFS1",
              "modp1024", "PFS2",
              "modp2048", "PFS2048",
              "modp2048s256", "PFS24",
              "ecp256", "ECP256",
              "ecp384", "ECP384"));

  private final Wanted wanted;
  private final StringBuilder script = new StringBuilder();

  private Windows(Wanted wanted) {
    this.wanted = wanted;
  }

  static Recipe recipe(Wanted wanted) {
    return new Windows(wanted).write();
  }

  private Recipe write() {
    Optional<Suite> suite = Suite.choose(wanted.proposals(), WORDS);
    check(suite);
    List<Prefix> classes = classes();
    boolean split = wanted.through.stream().noneMatch(Prefix::isAll);
    boolean disable = split && !classes.isEmpty();
    remarks(split, classes);
    suite.ifPresent(found -> script(found, split, disable));
    return wanted.recipe(
        Platform.WINDOWS,
        List.of(),
        List.of(new Artifact(wanted.title() + ".ps1", script.toString())));
  }

  private void check(Optional<Suite> suite) {
    if (wanted.known.authentication() == Authentication.PSK) {
      wanted.fails(
          "Windows has no pre-shared keys for IKEv2: give the gateway a certificate, and clients"
              + " passwords (--auth eap) or certificates (--auth certificate).");
    }
    if (suite.isEmpty()) {
      wanted.fails(
          "Windows knows none of the proposals "
              + Wanted.list(wanted.proposals())
              + ": no tunnel would come up. Add aes256gcm16 or aes256-sha256 under"
              + " `esp: { proposals: … }`.");
    } else if (!suite.get().groupKnown()) {
      wanted.fails(
          "The tunnel would come up and end at its first rekeying: the proposals "
              + Wanted.list(wanted.proposals())
              + " want a key exchange that Windows does not have. Add one with modp2048, ecp256 or"
              + " ecp384, or without any, under `esp: { proposals: … }`.");
    }
  }

  /**
   * Networks of the old classes that Windows leads into the tunnel because a virtual IP is in them,
   * where they are more than the tunnel carries.
   */
  private List<Prefix> classes() {
    return wanted.pools().stream()
        .filter(pool -> pool.family() == Family.V4)
        .map(pool -> classOf(pool.first()))
        .distinct()
        .filter(all -> wanted.through.stream().noneMatch(prefix -> prefix.contains(all)))
        .toList();
  }

  /** RFC 791, 2.3: the address's first bits tell how much of it is the network. */
  static Prefix classOf(Address address) {
    int first = (int) (address.low() >>> 24);
    return Prefix.masked(address, first < 128 ? 8 : first < 192 ? 16 : 24);
  }

  private void remarks(boolean split, List<Prefix> classes) {
    if (split) {
      for (Prefix all : classes) {
        wanted.note(
            "A virtual IP in the class "
                + all
                + " makes Windows lead all of it into the tunnel, which carries only the networks"
                + " above: the script turns that off (DisableClassBasedDefaultRoute).");
      }
      if (classes.isEmpty() && wanted.speaks(Family.V4)) {
        wanted.note(
            "The class of the virtual IP lies inside the networks above: the route that Windows"
                + " makes of it does no harm.");
      }
      if (!wanted.dns().isEmpty() && wanted.known.domains().isEmpty()) {
        wanted.warn(
            "Windows asks all its name servers, the tunnel's first or not: for names of yours only"
                + " the tunnel's, say --domain example.org.");
      }
      wanted.note(
          "Windows ignores the networks that the gateway's answer names, and goes by its own routes:"
              + " run the script again when `reach` changes.");
    } else {
      if (wanted.isFull(Family.V6)) {
        wanted.note(
            "Windows makes no default route for IPv6 of its own in an IKEv2 tunnel: the script adds it"
                + " (::/0).");
      }
    }
    wanted.note(
        "The gateway's certificate must name "
            + wanted.server()
            + " (subjectAltName) and be for server authentication.");
    wanted.note(
        "Windows 8.1 takes the same commands, without GCM. Windows 7 has none of them: in the"
            + " connection's TCP/IP settings, Advanced, clear `Use default gateway on remote network`"
            + ", set `Disable class based route addition`, and add each network by hand:"
            + " route -p add NETWORK mask MASK VIRTUAL-IP.");
  }

  private void script(Suite suite, boolean split, boolean disable) {
    Authentication authentication = wanted.known.authentication();
    line(
        "# %s, for Windows 10 and 11; run it in PowerShell as the user.".formatted(wanted.title()));
    line("# Written by gatehouse from %s.".formatted(wanted.tunnel.origin().place()));
    line("$name = %s".formatted(quoted(wanted.title())));
    line("Remove-VpnConnection -Name $name -Force -ErrorAction SilentlyContinue");
    line(
        "Add-VpnConnection -Name $name -ServerAddress %s -TunnelType Ikev2 `"
            .formatted(quoted(wanted.server())));
    line(
        "  -AuthenticationMethod %s -EncryptionLevel Required%s -RememberCredential -Force"
            .formatted(
                authentication == Authentication.EAP ? "Eap" : "MachineCertificate",
                split ? " -SplitTunneling" : ""));
    line("Set-VpnConnectionIPsecConfiguration -ConnectionName $name `");
    line("  -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 -DHGroup ECP384 `");
    line(
        "  -CipherTransformConstants %s -AuthenticationTransformConstants %s `"
            .formatted(suite.cipher(), suite.integrity().orElse(suite.cipher())));
    line("  -PfsGroup %s -Force".formatted(suite.group().orElse("None")));
    for (Prefix prefix : wanted.through) {
      if (split || (prefix.isAll() && prefix.family() == Family.V6)) {
        line(
            "Add-VpnConnectionRoute -ConnectionName $name -DestinationPrefix %s"
                .formatted(quoted(prefix.toString())));
      }
    }
    if (disable) {
      line("# No route for the whole class of the virtual IP: the networks above are enough.");
      line("$book = \"$env:APPDATA\\Microsoft\\Network\\Connections\\Pbk\\rasphone.pbk\"");
      // Bytes in, bytes out: the book holds all of the user's connections, in an encoding that
      // nobody tells. Latin-1 has one character for each byte; BOMs would make ReadAllText guess.
      line("$latin = [Text.Encoding]::GetEncoding(28591)");
      line("$text = $latin.GetString([IO.File]::ReadAllBytes($book))");
      line("$mine = '(?ms)(^\\[' + [regex]::Escape($name) + '\\]\\r?$(?:(?!^\\[).)*?' +");
      line("  '^DisableClassBasedDefaultRoute=)0(?=\\r?$)'");
      line("$changed = [regex]::Replace($text, $mine, '${1}1')");
      line("if ($changed -cne $text) {");
      line("  [IO.File]::Copy($book, \"$book.before-gatehouse\", $true)");
      line("  [IO.File]::WriteAllBytes($book, $latin.GetBytes($changed))");
      line("} else { Write-Warning \"DisableClassBasedDefaultRoute=0 of $name is not in $book\" }");
    }
    for (String domain : split ? wanted.known.domains() : List.<String>of()) {
      line(
          "Add-VpnConnectionTriggerDnsConfiguration -ConnectionName $name -DnsSuffix %s `"
              .formatted(quoted("." + domain)));
      line(
          "  -DnsIPAddress %s -Force"
              .formatted(String.join(", ", servers().stream().map(Windows::quoted).toList())));
    }
  }

  private List<String> servers() {
    List<String> servers = new ArrayList<>();
    wanted.dns().forEach(address -> servers.add(address.toString()));
    return servers.isEmpty() ? List.of(Wanted.PLACEHOLDER + "name-server") : servers;
  }

  private void line(String line) {
    script.append(line).append('\n');
  }

  /** A literal: nothing in it means anything to PowerShell. */
  static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
