package io.gatehouse.clients;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One choice of algorithms for ESP, in a client's own words.
 *
 * @param integrity empty where the cipher protects integrity by itself
 * @param group of key exchange for rekeying; empty for none
 * @param groupKnown false where the gateway wants a group that the client does not have: the first
 *     CHILD_SA has no exchange of its own (RFC 7296, 1.2) and comes up, the first rekeying fails
 */
record Suite(
    String cipher, Optional<String> integrity, Optional<String> group, boolean groupKnown) {

  /**
   * A client's words for strongSwan's.
   *
   * @param plain ciphers that need an integrity beside them
   * @param combined those that do not
   */
  record Vocabulary(
      Map<String, String> plain,
      Map<String, String> combined,
      Map<String, String> integrities,
      Map<String, String> groups) {}

  /**
   * The first proposal that a client knows, of the gateway's in its order. Without any, strongSwan
   * takes AES-256 in CBC with HMAC-SHA2-256, which every client has.
   */
  static Optional<Suite> choose(List<String> proposals, Vocabulary words) {
    List<Suite> found = new ArrayList<>();
    for (String proposal : proposals.isEmpty() ? List.of("aes256-sha256") : proposals) {
      of(proposal.equals("default") ? "aes256-sha256" : proposal, words).ifPresent(found::add);
    }
    return found.stream()
        .filter(Suite::groupKnown)
        .findFirst()
        .or(() -> found.stream().findFirst());
  }

  private static Optional<Suite> of(String proposal, Vocabulary words) {
    Optional<String> cipher = Optional.empty();
    Optional<String> integrity = Optional.empty();
    Optional<String> group = Optional.empty();
    boolean combined = false;
    boolean asksForGroup = false;
    boolean groupMayLack = false;
    for (String word : proposal.split("-", -1)) {
      String plain = canonical(word);
      if (cipher.isEmpty() && words.combined.containsKey(plain)) {
        cipher = Optional.of(words.combined.get(plain));
        combined = true;
      } else if (cipher.isEmpty() && words.plain.containsKey(plain)) {
        cipher = Optional.of(words.plain.get(plain));
      } else if (integrity.isEmpty() && words.integrities.containsKey(plain)) {
        integrity = Optional.of(words.integrities.get(plain));
      } else if (plain.equals("none") || plain.equals("modpnone")) {
        groupMayLack = true;
      } else if (isGroup(plain)) {
        asksForGroup = true;
        if (group.isEmpty()) {
          group = Optional.ofNullable(words.groups.get(plain));
        }
      }
    }
    if (cipher.isEmpty() || (!combined && integrity.isEmpty())) {
      return Optional.empty();
    }
    return Optional.of(
        new Suite(
            cipher.get(),
            combined ? Optional.empty() : integrity,
            group,
            !asksForGroup || group.isPresent() || groupMayLack));
  }

  /** strongSwan has several words for one thing: sizes of an ICV in bytes or bits, or none. */
  private static String canonical(String word) {
    return switch (word) {
      case "aes128gcm", "aes128gcm128" -> "aes128gcm16";
      case "aes192gcm", "aes192gcm128" -> "aes192gcm16";
      case "aes256gcm", "aes256gcm128" -> "aes256gcm16";
      case "aes" -> "aes128";
      case "sha" -> "sha1";
      case "sha2_256" -> "sha256";
      case "sha2_384" -> "sha384";
      case "sha2_512" -> "sha512";
      case "x25519" -> "curve25519";
      case "x448" -> "curve448";
      default -> word;
    };
  }

  private static boolean isGroup(String word) {
    return word.matches(
        "modp[0-9]+(s[0-9]+)?|ecp[0-9]+(bp)?|curve25519|curve448|ke[1-7]_.*|mlkem[0-9]+");
  }
}
