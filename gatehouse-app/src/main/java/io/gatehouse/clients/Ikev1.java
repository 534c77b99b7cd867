package io.gatehouse.clients;

import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Suite.Vocabulary;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What lets IKEv1 clients into a tunnel, and what they are granted. A Quick Mode carries one
 * selector for each end (RFC 2409, 5.5), so that several networks come through one pair of SAs only
 * where both ends speak Cisco's Unity: the client asks for everything and is told the networks as
 * split-include attributes, an address and a mask each.
 */
final class Ikev1 {
  private static final Map<String, String> CBC =
      Map.of("3des", "3des", "aes128", "aes128", "aes192", "aes192", "aes256", "aes256");

  private static final Map<String, String> GCM =
      Map.of(
          "aes128gcm16", "aes128gcm16", "aes192gcm16", "aes192gcm16", "aes256gcm16", "aes256gcm16");

  private static final Map<String, String> HMAC =
      Map.of(
          "md5", "md5", "sha1", "sha1", "sha256", "sha256", "sha384", "sha384", "sha512", "sha512");

  private final Wanted wanted;

  /** Unity's attributes know no IPv6. */
  private final List<Prefix> through;

  private Ikev1(Wanted wanted) {
    this.wanted = wanted;
    through = wanted.through.stream().filter(prefix -> prefix.family() == Family.V4).toList();
  }

  static Recipe recipe(Wanted wanted) {
    return new Ikev1(wanted).write();
  }

  private Recipe write() {
    List<Prefix> left =
        wanted.through.stream().filter(prefix -> prefix.family() == Family.V6).toList();
    String networks = Wanted.list(through);
    if (through.isEmpty()) {
      wanted.fails("IKEv1 clients get IPv4 only, and nothing of it is reached here.");
    }
    if (!left.isEmpty()) {
      wanted.warn(
          "%s cannot be told to IKEv1 clients, because Unity's attributes are IPv4's: use IKEv2."
              .formatted(Wanted.list(left)));
    }
    if (isFull() && wanted.isFull(Family.V6)) {
      wanted.warn(
          "IPv6 goes beside the tunnel although the rest goes through it. Whoever must not leak uses"
              + " IKEv2.");
    }
    wanted.warn(
        "IKEv1 is for what is installed already: strongSwan 6.1 is built without it unless one asks"
            + " for it. It knows no EAP; users have XAuth behind a certificate or a pre-shared key.");
    algorithms();
    if (isFull()) {
      wanted.note("Clients ask for 0.0.0.0/0 and get it, with Unity and without.");
    } else if (!through.isEmpty()) {
      wanted.note(
          "A client with Unity (Cisco's, Apple's \"Cisco IPSec\", strongSwan with the unity plugin) asks"
              + " for 0.0.0.0/0, is told "
              + networks
              + " and gets all of it with one pair of SAs.");
      without();
    }
    List<Prefix> missing = new ArrayList<>(wanted.missing);
    missing.addAll(left);
    Recipe all = wanted.recipe(Platform.IKEV1, List.of(), files());
    return new Recipe(
        all.platform(),
        all.tunnel(),
        through,
        all.lost(),
        missing.stream().sorted().toList(),
        all.remarks(),
        all.files(),
        all.placeholders(),
        all.origin());
  }

  /**
   * Where a key exchange is proposed, a Quick Mode has to have it (RFC 2409, 5.5): the first too.
   */
  private void algorithms() {
    if (Suite.choose(wanted.proposals(), new Vocabulary(CBC, Map.of(), HMAC, Map.of())).isEmpty()) {
      wanted.warn(
          "Many IKEv1 clients know AES in CBC with an HMAC only, of which there is nothing in "
              + Wanted.list(wanted.proposals())
              + ": add aes256-sha256 under `esp: { proposals: … }`, or aes128-sha1 for the oldest.");
    }
    Optional<Suite> suite =
        Suite.choose(wanted.proposals(), new Vocabulary(CBC, GCM, HMAC, Map.of()));
    if (suite.isPresent() && !suite.get().groupKnown()) {
      wanted.warn(
          "Clients need PFS with the group of %s: unlike IKEv2, the first Quick Mode has it too, and is refused without."
              .formatted(Wanted.list(wanted.proposals())));
    }
  }

  private void without() {
    // As they stand in local_ts, of which charon takes the first that fits.
    Prefix first =
        wanted.selectors.stream().filter(through::contains).findFirst().orElse(through.getFirst());
    if (through.size() == 1) {
      wanted.note(
          "A client without Unity asks for exactly "
              + first
              + ": one that asks for 0.0.0.0/0 is answered with less than it asked for, which strongSwan"
              + " takes and most others refuse.");
    } else {
      wanted.warn(
          "A client without Unity gets one network with each Quick Mode and has to ask for exactly "
              + String.join(", or ", through.stream().map(Prefix::toString).toList())
              + ", each in a child of its own. One that asks for 0.0.0.0/0 is answered with "
              + first
              + " alone, which strongSwan takes and most others refuse.");
      wanted.warn(
          "Attributes alone do not do for several networks: without the unity plugin the gateway's pair"
              + " of SAs is for "
              + first
              + ", while the client sends "
              + Wanted.list(through)
              + " into it.");
    }
  }

  private boolean isFull() {
    return through.stream().anyMatch(Prefix::isAll);
  }

  private List<Artifact> files() {
    String name = wanted.title() + "-ikev1";
    List<Artifact> files = new ArrayList<>();
    files.add(new Artifact(name + ".conf", connection(name)));
    if (!isFull()) {
      files.add(new Artifact(name + "-strongswan.conf", daemon(name)));
    }
    if (through.size() == 1 && !isFull()) {
      LiveMaps.pool(wanted.tunnel, Family.V4)
          .ifPresent(pool -> files.add(new Artifact(name + "-attributes.conf", pools(name, pool))));
      files.add(new Artifact(name + "-attr.conf", attributes(name)));
    }
    return files;
  }

  private String head(String place) {
    return "# %s. Written by gatehouse from %s.\n# %s\n"
        .formatted(wanted.title(), wanted.tunnel.origin().place(), place);
  }

  private String connection(String name) {
    return head("On the gateway: /etc/swanctl/conf.d/zz-" + name + ".conf, read after the tunnel's")
        + "# fragment (gatehouse plan --format swanctl), into which strongSwan merges it.\n"
        + "connections {\n  "
        + LiveMaps.connection(wanted.tunnel)
        + " {\n    version = 0  # whichever the client begins with\n  }\n}\n";
  }

  private String daemon(String name) {
    return head("On the gateway: /etc/strongswan.d/" + name + ".conf")
        + "# The unity plugin tells clients the child's local_ts by itself.\n"
        + "charon {\n  cisco_unity = yes\n  plugins {\n    unity {\n      load = yes\n    }\n  }\n}\n";
  }

  private String pools(String name, String pool) {
    return head(
            "On the gateway, instead of the unity plugin: /etc/swanctl/conf.d/zz-"
                + name
                + "-attributes.conf")
        + "# charon.cisco_unity = yes all the same. IKEv2 clients get the attribute too, and ignore it.\n"
        + "pools {\n"
        + "  %s {\n    split_include = %s\n  }\n".formatted(pool, Wanted.list(through))
        + "}\n";
  }

  private String attributes(String name) {
    return head(
            "On the gateway, instead of the unity plugin and of the pool's attributes:"
                + " /etc/strongswan.d/"
                + name
                + "-attr.conf")
        + "# charon.cisco_unity = yes all the same. For every connection of this charon.\n"
        + "charon {\n  plugins {\n    attr {\n      split-include = %s\n    }\n  }\n}\n"
            .formatted(Wanted.list(through));
  }
}
