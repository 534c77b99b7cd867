package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gatehouse.model.Address;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/** A host's end: says one thing, and hears whether it is done. */
public final class Registration {
  private Registration() {}

  /**
   * Tells a gateway that this host receives from a remote under an SPI.
   *
   * @param limit for all of it
   * @return why the gateway refuses; nothing where it is done
   * @throws IOException where there is no answer, in words: nobody is there, or is who it should be
   */
  public static Optional<String> tell(
      InetSocketAddress gateway, Credentials credentials, Address remote, int spi, Duration limit)
      throws IOException {
    String answer = ask(gateway, credentials, new Notice(remote, spi).line() + "\n", limit);
    return answer.equals("done")
        ? Optional.empty()
        : Optional.of(answer.replaceFirst("^refused: ", ""));
  }

  /** The line that comes back. */
  static String ask(InetSocketAddress gateway, Credentials credentials, String text, Duration limit)
      throws IOException {
    String name = gateway.getAddress().getHostAddress();
    Socket plain = new Socket();
    Thread deadline = Deadline.of(plain, limit);
    try (plain) {
      plain.connect(gateway, Math.toIntExact(limit.toMillis()));
      try (SSLSocket tls =
          (SSLSocket)
              credentials
                  .context()
                  .getSocketFactory()
                  .createSocket(plain, name, gateway.getPort(), true)) {
        SSLParameters parameters = tls.getSSLParameters();
        // The certificate has to name the address (RFC 6125): no other host inside can answer.
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setProtocols(Credentials.VERSIONS);
        tls.setSSLParameters(parameters);
        tls.getOutputStream().write(text.getBytes(US_ASCII));
        return Notice.read(tls.getInputStream())
            .orElseThrow(() -> new IOException("it ended without an answer"));
      }
    } catch (IOException e) {
      throw new IOException(name + " port " + gateway.getPort() + ": " + e.getMessage(), e);
    } finally {
      deadline.interrupt();
    }
  }
}
