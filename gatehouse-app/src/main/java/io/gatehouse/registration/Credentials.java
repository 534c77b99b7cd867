package io.gatehouse.registration;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * Who one end is, and whom it believes: files in PEM.
 *
 * @param certificate of this end, and what leads from it to an authority of the other's
 * @param key of the certificate, PKCS #8 without a password
 * @param authorities whose certificates are believed; a host's own certificate may stand there too
 */
public record Credentials(Path certificate, Path key, Path authorities) {
  /** The one version that is spoken (RFC 8446). */
  static final String[] VERSIONS = {"TLSv1.3"};

  /** The key stays in memory, where a password protects nothing. */
  private static final char[] NO_PASSWORD = {};

  /**
   * Reads the files.
   *
   * @throws IOException with the file and what is wrong with it
   */
  SSLContext context() throws IOException {
    List<X509Certificate> chain = Pem.certificates(certificate);
    List<X509Certificate> believed = Pem.certificates(authorities);
    try {
      KeyStore own = empty();
      own.setKeyEntry(
          "own",
          Pem.key(key, chain.getFirst().getPublicKey().getAlgorithm()),
          NO_PASSWORD,
          chain.toArray(X509Certificate[]::new));
      KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
      keys.init(own, NO_PASSWORD);
      KeyStore others = empty();
      for (X509Certificate one : believed) {
        others.setCertificateEntry("authority" + others.size(), one);
      }
      TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
      trust.init(others);
      SSLContext context = SSLContext.getInstance(VERSIONS[0]);
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IOException(certificate + " and " + key + ": " + e.getMessage(), e);
    }
  }

  private static KeyStore empty() throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  /** When the files were written: other times are other files. */
  List<FileTime> written() throws IOException {
    List<FileTime> times = new ArrayList<>();
    for (Path file : List.of(certificate, key, authorities)) {
      times.add(Files.getLastModifiedTime(file));
    }
    return times;
  }
}
