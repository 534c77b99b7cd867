package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys as text (RFC 7468). */
final class Pem {
  /** Far more than any chain or bundle of hosts takes. */
  private static final long LARGEST = 4 * 1024 * 1024;

  private static final Pattern KEY =
      Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]*)-----END PRIVATE KEY-----");

  private Pem() {}

  /** At least one. */
  static List<X509Certificate> certificates(Path file) throws IOException {
    try {
      List<X509Certificate> all =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(read(file)))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
      if (all.isEmpty()) {
        throw new IOException(file + " holds no certificate");
      }
      return all;
    } catch (CertificateException e) {
      throw new IOException(file + " holds no certificate that can be read", e);
    }
  }

  /**
   * @param algorithm of the certificate that it belongs to: {@code EC}, {@code RSA}, {@code EdDSA}
   */
  static PrivateKey key(Path file, String algorithm) throws IOException {
    Matcher text = KEY.matcher(new String(read(file), ISO_8859_1));
    if (!text.find()) {
      throw new IOException(
          file + " holds no `PRIVATE KEY` (PKCS #8, without a password; `openssl pkey` makes one)");
    }
    try {
      byte[] bytes = Base64.getMimeDecoder().decode(text.group(1));
      return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(bytes));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IOException(file + " is no key of the certificate's kind (" + algorithm + ")", e);
    }
  }

  private static byte[] read(Path file) throws IOException {
    try {
      if (Files.size(file) > LARGEST) {
        throw new IOException(file + " is larger than 4 MiB");
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new IOException(file + " is not there", e);
    }
  }
}
