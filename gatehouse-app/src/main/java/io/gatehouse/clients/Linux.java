package io.gatehouse.clients;

import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.List;

/** Linux: strongSwan by swanctl, and NetworkManager with its strongSwan plugin. */
final class Linux {
  private final Wanted wanted;

  private Linux(Wanted wanted) {
    this.wanted = wanted;
  }

  static Recipe recipe(Wanted wanted) {
    return new Linux(wanted).write();
  }

  private Recipe write() {
    Authentication authentication = wanted.known.authentication();
    wanted.note(
        "Use one of the two files. Secrets stand in neither: swanctl reads them from `secrets { … }`"
            + " in a file of its own, NetworkManager asks for them.");
    wanted.note(
        "The file asks for the networks above by name; should the gateway reach more later, clients"
            + " need the new file. One that asks for 0.0.0.0/0 gets what the gateway grants.");
    if (!wanted.dns().isEmpty()) {
      wanted.note(
          "charon writes the name servers into /etc/resolv.conf, for all names, with the resolve"
              + " plugin only; NetworkManager takes them by itself.");
    }
    if (authentication == Authentication.PSK) {
      wanted.warn(
          "One pre-shared key for all clients lets each of them play the gateway: for trials only.");
    }
    return wanted.recipe(
        Platform.LINUX,
        List.of(),
        List.of(
            new Artifact(wanted.title() + ".conf", swanctl()),
            new Artifact(wanted.title() + ".nmconnection", networkManager())));
  }

  private String swanctl() {
    Authentication authentication = wanted.known.authentication();
    String addresses =
        String.join(
            ", ", wanted.families().stream().map(f -> f == Family.V4 ? "0.0.0.0" : "::").toList());
    StringBuilder text = new StringBuilder();
    text.append(
        "# %s. Written by gatehouse from %s.\n"
            .formatted(wanted.title(), wanted.tunnel.origin().place()));
    text.append(
        "# /etc/swanctl/conf.d/%s.conf; secrets { … } belong in another file.\n"
            .formatted(wanted.title()));
    text.append("connections {\n");
    text.append("  %s {\n".formatted(wanted.title()));
    text.append("    version = 2\n");
    text.append("    remote_addrs = %s\n".formatted(wanted.server()));
    text.append("    vips = %s\n".formatted(addresses));
    text.append("    dpd_delay = 30s\n");
    text.append(
        switch (authentication) {
          case EAP ->
              "    local {\n      auth = eap-mschapv2\n      eap_id = "
                  + Wanted.PLACEHOLDER
                  + "user\n    }\n";
          case CERTIFICATE ->
              "    local {\n      auth = pubkey\n      certs = "
                  + Wanted.PLACEHOLDER
                  + "certificate.pem\n    }\n";
          case PSK -> "    local {\n      auth = psk\n    }\n";
        });
    text.append(
        authentication == Authentication.PSK
            ? "    remote {\n      auth = psk\n    }\n"
            : "    remote {\n      auth = pubkey\n      id = %s\n    }\n"
                .formatted(wanted.server()));
    text.append("    children {\n");
    text.append("      %s {\n".formatted(wanted.tunnel.name()));
    text.append("        remote_ts = %s\n".formatted(Wanted.list(wanted.through)));
    if (!wanted.proposals().isEmpty()) {
      text.append("        esp_proposals = %s\n".formatted(Wanted.list(wanted.proposals())));
    }
    text.append("        start_action = start\n");
    text.append("        dpd_action = restart\n");
    text.append("      }\n    }\n  }\n}\n");
    return text.toString();
  }

  /** A keyfile (nm-settings-keyfile(5)); lists within a value are separated by semicolons. */
  private String networkManager() {
    Authentication authentication = wanted.known.authentication();
    StringBuilder text = new StringBuilder();
    text.append(
        "# %s. Written by gatehouse from %s.\n"
            .formatted(wanted.title(), wanted.tunnel.origin().place()));
    text.append(
        "# /etc/NetworkManager/system-connections/%s.nmconnection, mode 0600.\n"
            .formatted(wanted.title()));
    text.append("[connection]\n");
    text.append("id=%s\n".formatted(wanted.title()));
    text.append("uuid=%s\n".formatted(wanted.uuid("networkmanager")));
    text.append("type=vpn\nautoconnect=false\n\n");
    text.append("[vpn]\nservice-type=org.freedesktop.NetworkManager.strongswan\n");
    text.append("address=%s\n".formatted(wanted.server()));
    text.append(
        switch (authentication) {
          case EAP -> "method=eap\nuser=%suser\npassword-flags=2\n".formatted(Wanted.PLACEHOLDER);
          case CERTIFICATE ->
              "method=key\nusercert=/etc/swanctl/x509/%scertificate.pem\nuserkey=/etc/swanctl/private/%skey.pem\n"
                  .formatted(Wanted.PLACEHOLDER, Wanted.PLACEHOLDER);
          case PSK -> "method=psk\npassword-flags=2\n";
        });
    if (authentication != Authentication.PSK) {
      text.append("remote-identity=%s\n".formatted(wanted.server()));
    }
    text.append("virtual=yes\nencap=no\nipcomp=no\n");
    if (wanted.proposals().isEmpty()) {
      text.append("proposal=no\n");
    } else {
      text.append("proposal=yes\nesp=%s\n".formatted(String.join(";", wanted.proposals())));
    }
    text.append(
        "remote-ts=%s\n\n"
            .formatted(String.join(";", wanted.through.stream().map(Prefix::toString).toList())));
    boolean full = wanted.through.stream().anyMatch(Prefix::isAll);
    for (Family family : Family.values()) {
      text.append(family == Family.V4 ? "[ipv4]\n" : "\n[ipv6]\n");
      text.append(wanted.speaks(family) ? "method=auto\n" : "method=disabled\n");
      text.append("never-default=%s\n".formatted(!wanted.isFull(family)));
      if (!wanted.known.domains().isEmpty() && wanted.speaks(family) && !full) {
        text.append("dns-search=%s;\n".formatted(String.join(";", wanted.known.domains())));
      }
    }
    return text.toString();
  }
}
