package io.gatehouse.clients;

import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.Recipe.Weight;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Windows 10 and 11, L2TP over IPsec (RFC 3193), by PowerShell. */
final class WindowsL2tp {
  private WindowsL2tp() {}

  static Recipe recipe(Gateway gateway, Tunnel.L2tp tunnel, Known known) {
    List<Remark> remarks = new ArrayList<>();
    Optional<Suite> suite =
        Suite.choose(tunnel.esp().proposals().stream().map(Located::value).toList(), Windows.WORDS);
    if (suite.isEmpty()) {
      remarks.add(
          new Remark(
              Weight.FAILS,
              "Windows knows none of the tunnel's proposals. Add aes256-sha1 under"
                  + " `esp: { proposals: … }`."));
    }
    boolean translated =
        tunnel.on().stream().anyMatch(outside -> !outside.publicAddresses().isEmpty());
    if (translated) {
      remarks.add(
          new Remark(
              Weight.WARNING,
              "The gateway is behind NAT itself: Windows refuses L2TP there until the script's"
                  + " registry value is set and the machine has started anew (run it as"
                  + " administrator)."));
    }
    remarks.add(
        new Remark(
            Weight.WARNING,
            "What L2TP clients reach is not in the description yet: nothing is forwarded between them"
                + " and our networks."));
    remarks.add(
        new Remark(
            Weight.NOTE,
            "L2TP needs IKEv1, which strongSwan no longer builds by default: prefer"
                + " a tunnel of type remote-access."));
    remarks.add(
        new Remark(
            Weight.NOTE,
            "Windows asks for the pre-shared key when the script runs; it stands in no file of"
                + " ours."));
    List<Artifact> files =
        suite
            .map(found ->
                List.of(
                    new Artifact(
                        gateway.name() + "-" + tunnel.name() + ".ps1",
                        script(gateway, tunnel, known, found, translated))))
            .orElse(List.of());
    return new Recipe(
        Platform.WINDOWS,
        tunnel.name(),
        List.of(),
        List.of(),
        List.of(),
        remarks,
        files,
        Wanted.placeholders(files),
        tunnel.origin());
  }

  private static String script(
      Gateway gateway, Tunnel.L2tp tunnel, Known known, Suite suite, boolean translated) {
    String title = gateway.name() + "-" + tunnel.name();
    StringBuilder script = new StringBuilder();
    script.append("# %s, for Windows 10 and 11; run it in PowerShell.\n".formatted(title));
    script.append("# Written by gatehouse from %s.\n".formatted(tunnel.origin().place()));
    script.append("$name = %s\n".formatted(Windows.quoted(title)));
    script.append("$key = Read-Host 'Pre-shared key of the gateway'\n");
    script.append("Remove-VpnConnection -Name $name -Force -ErrorAction SilentlyContinue\n");
    script.append(
        "Add-VpnConnection -Name $name -ServerAddress %s -TunnelType L2tp `\n"
            .formatted(Windows.quoted(Wanted.server(gateway, tunnel, known))));
    script.append(
        """
          -L2tpPsk $key -AuthenticationMethod MSChapv2 -EncryptionLevel Optional `
          -SplitTunneling -RememberCredential -Force
        """);
    script.append("Set-VpnConnectionIPsecConfiguration -ConnectionName $name `\n");
    script.append("  -EncryptionMethod AES256 -IntegrityCheckMethod SHA256 -DHGroup ECP384 `\n");
    script.append(
        "  -CipherTransformConstants %s -AuthenticationTransformConstants %s `\n"
            .formatted(suite.cipher(), suite.integrity().orElse(suite.cipher())));
    script.append("  -PfsGroup %s -Force\n".formatted(suite.group().orElse("None")));
    if (translated) {
      script.append(
          """
          Set-ItemProperty -Path HKLM:\\SYSTEM\\CurrentControlSet\\Services\\PolicyAgent `
            -Name AssumeUDPEncapsulationContextOnSendRule -Type DWord -Value 2
          """);
    }
    return script.toString();
  }
}
