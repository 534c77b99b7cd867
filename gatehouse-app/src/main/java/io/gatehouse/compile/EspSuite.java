package io.gatehouse.compile;

import static java.util.Map.entry;

import io.gatehouse.model.Located;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The algorithms of one ESP SA, as far as they cost bytes.
 *
 * @param name in strongSwan's words
 * @param iv bytes of initialization vector in each packet
 * @param block bytes to which the cipher pads; 1 for stream ciphers
 * @param icv bytes of integrity check value
 */
record EspSuite(String name, int iv, int block, int icv) {
  private static final String DEFAULT = "strongSwan's default";

  /** An encryption keyword; {@code icv} is there where it protects integrity by itself (AEAD). */
  private record Cipher(String name, int iv, int block, Optional<Integer> icv) {}

  private record Integrity(String name, int icv) {}

  private static final Pattern COUNTED =
      Pattern.compile(
          "(aes(128|192|256)(ctr|gmac|ccm|gcm)|camellia(128|192|256)(ctr|ccm(?=[0-9])))(?<icv>(?<=ccm|gcm)(8|64|12|96|16|128))?");
  private static final Pattern CBC =
      Pattern.compile(
          "(?<wide>(aes|camellia|serpent|twofish)(128|192|256)?)|(?<narrow>3des|des|cast128|blowfish(128|192|256)?)");

  // RFC 2403, 2404, 3566, 4494 and 4595; RFC 4868 for SHA-2; sha256_96 is an early draft's.
  private static final Map<String, Integer> ICVS =
      Map.ofEntries(
          entry("sha", 12),
          entry("sha1", 12),
          entry("sha1_160", 20),
          entry("sha256", 16),
          entry("sha2_256", 16),
          entry("sha256_96", 12),
          entry("sha2_256_96", 12),
          entry("sha384", 24),
          entry("sha2_384", 24),
          entry("sha512", 32),
          entry("sha2_512", 32),
          entry("md5", 12),
          entry("md5_128", 16),
          entry("aesxcbc", 12),
          entry("camelliaxcbc", 12),
          entry("aescmac", 12));

  // Key exchange, pseudo-random functions and extended sequence numbers cost nothing: the upper
  // half of an extended sequence number is
  // not sent (RFC 4303, 2.2.1).
  private static final Pattern FREE =
      Pattern.compile(
          "(no)?esn|none|prf(sha1|sha256|sha384|sha512|md5|aesxcbc|camelliaxcbc|aescmac)"
              + "|(ke[1-7]_)?(none|modp(none|null|[0-9]+(s[0-9]+)?)|ecp[0-9]+(bp)?|curve25519|x25519|curve448|x448|gost(256|512)|mlkem[0-9]+"
              + "|ntru[0-9]+|newhope128)");

  // AES-CBC and HMAC-SHA2-512-256 (RFC 3602, RFC 4868): nothing that strongSwan can name costs
  // more.
  private static final Cipher COSTLIEST_CIPHER = new Cipher("aes256", 16, 16, Optional.empty());
  private static final Integrity COSTLIEST_INTEGRITY = new Integrity("sha512", 32);

  /** Every pair of algorithms that the tunnel's proposals allow. */
  static List<EspSuite> of(Tunnel tunnel, List<Note> notes) {
    List<EspSuite> suites = new ArrayList<>();
    for (Located<String> proposal : tunnel.esp().proposals()) {
      suites.addAll(of(proposal, notes));
    }
    return suites.isEmpty() ? List.of(byDefault()) : suites;
  }

  /**
   * Of what strongSwan proposes by itself (proposal_create_default, _aead), AES-CBC with
   * HMAC-SHA2-512-256 is the costliest.
   */
  private static EspSuite byDefault() {
    EspSuite costliest = pair(COSTLIEST_CIPHER, COSTLIEST_INTEGRITY);
    return new EspSuite(
        costliest.name + " (of " + DEFAULT + ")", costliest.iv, costliest.block, costliest.icv);
  }

  private static List<EspSuite> of(Located<String> proposal, List<Note> notes) {
    if (proposal.value().equals("default")) {
      return List.of(byDefault());
    }
    List<Cipher> ciphers = new ArrayList<>();
    List<Integrity> integrities = new ArrayList<>();
    List<String> unknown = new ArrayList<>();
    for (String word : proposal.value().split("-", -1)) {
      Optional<Cipher> cipher = cipher(word);
      Optional<Integer> icv = Optional.ofNullable(ICVS.get(word));
      cipher.ifPresent(ciphers::add);
      icv.ifPresent(bytes -> integrities.add(new Integrity(word, bytes)));
      if (cipher.isEmpty() && icv.isEmpty() && !FREE.matcher(word).matches()) {
        unknown.add("`" + word + "`");
      }
    }
    if (!unknown.isEmpty() || ciphers.isEmpty()) {
      EspSuite assumed = pair(COSTLIEST_CIPHER, COSTLIEST_INTEGRITY);
      notes.add(
          new Note(
              (unknown.isEmpty()
                      ? "The proposal `" + proposal.value() + "` names no cipher"
                      : String.join(", ", unknown) + " is no ESP algorithm known to strongSwan")
                  + ": the MSS is reckoned for the costliest, "
                  + assumed.name
                  + ".",
              proposal.origin()));
      return List.of(assumed);
    }
    return ciphers.stream().flatMap(cipher -> suites(cipher, integrities).stream()).toList();
  }

  private static List<EspSuite> suites(Cipher cipher, List<Integrity> integrities) {
    if (cipher.icv.isPresent() || integrities.isEmpty()) {
      return List.of(new EspSuite(cipher.name, cipher.iv, cipher.block, cipher.icv.orElse(0)));
    }
    return integrities.stream().map(integrity -> pair(cipher, integrity)).toList();
  }

  private static EspSuite pair(Cipher cipher, Integrity integrity) {
    return new EspSuite(cipher.name + "-" + integrity.name, cipher.iv, cipher.block, integrity.icv);
  }

  private static Optional<Cipher> cipher(String word) {
    if (word.equals("null")) {
      return Optional.of(new Cipher(word, 0, 1, Optional.empty())); // RFC 2410
    }
    if (word.equals("chacha20poly1305") || word.equals("chacha20poly1305compat")) {
      return Optional.of(new Cipher(word, 8, 1, Optional.of(16))); // RFC 7634, 2
    }
    Matcher counted = COUNTED.matcher(word);
    if (counted.matches()) {
      // Eight bytes of IV in all of them: RFC 3686, 3; RFC 4106, 3.1; RFC 4309, 3.1; RFC 4543, 3.1.
      return Optional.of(
          new Cipher(
              word,
              8,
              1,
              word.endsWith("ctr") ? Optional.empty() : Optional.of(icv(counted.group("icv")))));
    }
    Matcher cbc = CBC.matcher(word);
    if (cbc.matches()) {
      int block = cbc.group("wide") != null ? 16 : 8; // RFC 2451, 2.4 and 3; RFC 3602, 2
      return Optional.of(new Cipher(word, block, block, Optional.empty()));
    }
    return Optional.empty();
  }

  /**
   * The number behind ccm or gcm counts bytes up to 16 and bits from 64; without one, and in GMAC,
   * it is 16 bytes.
   */
  private static int icv(@Nullable String number) {
    return switch (Optional.ofNullable(number).orElse("16")) {
      case "8", "64" -> 8;
      case "12", "96" -> 12;
      default -> 16;
    };
  }
}
