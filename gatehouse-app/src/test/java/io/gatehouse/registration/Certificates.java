package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicInteger;

/** Makes certificates (RFC 5280, 4.1) and writes them as files. */
final class Certificates {
  private static final AtomicInteger SERIAL = new AtomicInteger();

  private static final byte[] ECDSA_WITH_SHA256 =
      HexFormat.of().parseHex("300a06082a8648ce3d040302");
  private static final byte[] COMMON_NAME = HexFormat.of().parseHex("0603550403");
  private static final byte[] SUBJECT_ALTERNATIVE_NAME = HexFormat.of().parseHex("0603551d11");
  private static final byte[] BASIC_CONSTRAINTS = HexFormat.of().parseHex("0603551d13");
  private static final byte[] TRUE = HexFormat.of().parseHex("0101ff");

  private final Path directory;

  Certificates(Path directory) {
    this.directory = directory;
  }

  /** Who signs. */
  record Authority(String name, KeyPair keys) {}

  Authority authority(String name) throws GeneralSecurityException, IOException {
    Authority authority = new Authority(name, keys("EC"));
    byte[] mayCertify = der(0x30, BASIC_CONSTRAINTS, TRUE, der(0x04, der(0x30, TRUE)));
    write(name, authority.keys, certificate(name, authority.keys, authority, mayCertify, 365));
    return authority;
  }

  /** A certificate for an address, and its key: {@code NAME.pem} and {@code NAME.key}. */
  void host(String name, String address, Authority by)
      throws GeneralSecurityException, IOException {
    host(name, address, by, 365);
  }

  /**
   * @param days from now on; negative ones are over
   */
  void host(String name, String address, Authority by, int days)
      throws GeneralSecurityException, IOException {
    KeyPair keys = keys("EC");
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String part : address.split("\\.", -1)) {
      bytes.write(Integer.parseInt(part));
    }
    byte[] names =
        der(0x30, SUBJECT_ALTERNATIVE_NAME, der(0x04, der(0x30, der(0x87, bytes.toByteArray()))));
    write(name, keys, certificate(name, keys, by, names, days));
  }

  static KeyPair keys(String algorithm) throws GeneralSecurityException {
    return KeyPairGenerator.getInstance(algorithm).generateKeyPair();
  }

  private void write(String name, KeyPair keys, byte[] certificate) throws IOException {
    Files.writeString(directory.resolve(name + ".pem"), pem("CERTIFICATE", certificate));
    Files.writeString(
        directory.resolve(name + ".key"), pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
  }

  static String pem(String what, byte[] bytes) {
    return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
  }

  private static byte[] certificate(
      String subject, KeyPair keys, Authority by, byte[] extension, int days)
      throws GeneralSecurityException {
    byte[] content =
        der(
            0x30,
            der(0xa0, HexFormat.of().parseHex("020102")),
            der(0x02, BigInteger.valueOf(SERIAL.incrementAndGet()).toByteArray()),
            ECDSA_WITH_SHA256,
            name(by.name),
            der(0x30, time(Math.min(days, 0) - 1), time(days)),
            name(subject),
            keys.getPublic().getEncoded(),
            der(0xa3, der(0x30, extension)));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(by.keys.getPrivate());
    signature.update(content);
    return der(0x30, content, ECDSA_WITH_SHA256, der(0x03, new byte[1], signature.sign()));
  }

  private static byte[] name(String text) {
    return der(0x30, der(0x31, der(0x30, COMMON_NAME, der(0x0c, text.getBytes(UTF_8)))));
  }

  /** So many days from now. */
  private static byte[] time(int days) {
    String text =
        DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'")
            .withZone(ZoneOffset.UTC)
            .format(Instant.now().plus(Duration.ofDays(days)));
    return der(0x17, text.getBytes(UTF_8));
  }

  private static byte[] der(int tag, byte[]... parts) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      content.writeBytes(part);
    }
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    whole.write(tag);
    int length = content.size();
    if (length < 128) {
      whole.write(length);
    } else if (length < 256) {
      whole.write(0x81);
      whole.write(length);
    } else {
      whole.write(0x82);
      whole.write(length >> 8);
      whole.write(length);
    }
    whole.writeBytes(content.toByteArray());
    return whole.toByteArray();
  }
}
