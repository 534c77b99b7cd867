package io.gatehouse.clients;

import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Android with the strongSwan app: a profile that it imports (.sswan, JSON). */
final class Android {
  private final Wanted wanted;

  private Android(Wanted wanted) {
    this.wanted = wanted;
  }

  static Recipe recipe(Wanted wanted) {
    return new Android(wanted).write();
  }

  private Recipe write() {
    Known known = wanted.known;
    if (known.authentication() == Authentication.PSK) {
      wanted.fails("The app has no pre-shared keys: use --auth eap or --auth certificate.");
    }
    boolean full = wanted.through.stream().anyMatch(Prefix::isAll);
    if (known.authority().isEmpty()) {
      wanted.note(
          "The certificate that signed the gateway's is not in the profile: give it with"
              + " --authority FILE, where no public authority signed it.");
    }
    if (!full && !wanted.dns().isEmpty()) {
      wanted.warn(
          "Android asks the tunnel's name servers for every name while the tunnel is up, also for"
              + " those that it does not carry.");
    }
    for (Family family : Family.values()) {
      if (full && !wanted.isFull(family)) {
        wanted.note(
            "The profile blocks "
                + Wanted.name(family)
                + " while the tunnel is up, because it would go beside it.");
      }
    }
    wanted.note(
        "The built-in VPN of Android 11 and later knows IKEv2 too and follows the gateway's answer,"
            + " but takes no file: type it in, or let an MDM do so.");
    return wanted.recipe(
        Platform.ANDROID,
        List.of(),
        List.of(new Artifact(wanted.title() + ".sswan", json(known, full))));
  }

  private String json(Known known, boolean full) {
    List<String> lines = new ArrayList<>();
    lines.add(field("uuid", string(wanted.uuid("android").toString())));
    lines.add(field("name", string(wanted.title())));
    lines.add(
        field(
            "type",
            string(known.authentication() == Authentication.EAP ? "ikev2-eap" : "ikev2-cert")));
    List<String> remote = new ArrayList<>();
    remote.add("\"addr\": " + string(wanted.server()));
    remote.add("\"id\": " + string(wanted.server()));
    known.authority().ifPresent(der -> remote.add("\"cert\": " + string(der)));
    lines.add(field("remote", "{ " + String.join(", ", remote) + " }"));
    if (!wanted.proposals().isEmpty() && !wanted.proposals().getFirst().equals("default")) {
      lines.add(field("esp-proposal", string(wanted.proposals().getFirst())));
    }
    List<String> split = new ArrayList<>();
    if (!full) {
      split.add(
          "\"subnets\": ["
              + String.join(
                  ", ", wanted.through.stream().map(prefix -> string(prefix.toString())).toList())
              + "]");
    }
    for (Family family : Family.values()) {
      if (full && !wanted.isFull(family)) {
        split.add("\"block-%s\": true".formatted(Wanted.name(family).toLowerCase(Locale.ROOT)));
      }
    }
    if (!split.isEmpty()) {
      lines.add(field("split-tunneling", "{ " + String.join(", ", split) + " }"));
    }
    return "{\n" + String.join(",\n", lines) + "\n}\n";
  }

  private static String field(String key, String value) {
    return "  " + string(key) + ": " + value;
  }

  private static String string(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
