package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.gatehouse.model.Address;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.attribute.FileTime;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * Listens on an inside address to hosts that say under which SPI they receive. Each speaks for the
 * address that it speaks from and no other, and its certificate has to name that address.
 */
public final class Registrar implements AutoCloseable {
  /** Connections at once, in all and of one host: handshakes cost this machine time. */
  private static final int AT_ONCE = 32;

  private static final int EACH = 2;

  /** Of subject alternative names (RFC 5280, 4.2.1.6). */
  private static final int IP_ADDRESS = 7;

  private final ServerSocket server;
  private final Credentials credentials;
  private final Registry registry;
  private final Duration limit;
  private final Map<Address, Integer> served = new ConcurrentHashMap<>();
  private final AtomicInteger all = new AtomicInteger();
  private SSLContext context;
  private List<FileTime> written;

  /** Who keeps what hosts say. */
  public interface Registry {
    /** Keeps one; why that cannot be, in words, or nothing where it is done. */
    Optional<String> register(Address host, Address remote, int spi);
  }

  private Registrar(ServerSocket server, Credentials credentials, Registry registry, Duration limit)
      throws IOException {
    this.server = server;
    this.credentials = credentials;
    this.registry = registry;
    this.limit = limit;
    written = credentials.written();
    context = credentials.context();
  }

  /**
   * Opens its port.
   *
   * @param limit for a connection, from its first packet to the answer
   * @throws IOException where the files cannot be read, or the address is not this host's yet
   */
  public static Registrar open(
      InetSocketAddress at, Credentials credentials, Registry registry, Duration limit)
      throws IOException {
    ServerSocket server = new ServerSocket();
    try {
      server.setReuseAddress(true);
      server.bind(at, AT_ONCE);
      return new Registrar(server, credentials, registry, limit);
    } catch (IOException e) {
      server.close();
      throw new IOException("registrations at " + at + ": " + e.getMessage(), e);
    }
  }

  /** Where it listens. */
  public InetSocketAddress at() {
    return (InetSocketAddress) server.getLocalSocketAddress();
  }

  /**
   * Waits for one connection, which is served elsewhere.
   *
   * @throws IOException where the port is closed, or the files were changed and cannot be read
   */
  public void accept(Duration wait) throws IOException {
    server.setSoTimeout(Math.toIntExact(Math.max(1, wait.toMillis())));
    Socket peer;
    try {
      peer = server.accept();
    } catch (SocketTimeoutException e) {
      return;
    }
    boolean begun = false;
    try {
      SSLContext now = current();
      Address host = Address.fromBytes(peer.getInetAddress().getAddress());
      if (enter(host)) {
        Thread.ofVirtual().start(() -> serve(peer, now, host));
        begun = true;
      }
    } finally {
      if (!begun) {
        peer.close();
      }
    }
  }

  /** Certificates are renewed while it listens. */
  private SSLContext current() throws IOException {
    List<FileTime> times = credentials.written();
    if (!times.equals(written)) {
      context = credentials.context();
      written = times;
    }
    return context;
  }

  private boolean enter(Address host) {
    boolean room = all.incrementAndGet() <= AT_ONCE;
    room &= served.merge(host, 1, Integer::sum) <= EACH;
    if (!room) {
      leave(host);
    }
    return room;
  }

  private void leave(Address host) {
    all.decrementAndGet();
    served.computeIfPresent(host, (who, count) -> count > 1 ? count - 1 : null);
  }

  private void serve(Socket peer, SSLContext now, Address host) {
    Thread deadline = Deadline.of(peer, limit);
    try (peer;
        SSLSocket tls = (SSLSocket) now.getSocketFactory().createSocket(peer, null, true)) {
      tls.setUseClientMode(false);
      tls.setNeedClientAuth(true);
      tls.setEnabledProtocols(Credentials.VERSIONS);
      tls.startHandshake();
      String answer = answer(tls, host);
      tls.getOutputStream().write((answer + "\n").getBytes(US_ASCII));
    } catch (IOException e) {
      // It has gone, is too slow, or nobody that we know.
    } finally {
      deadline.interrupt();
      leave(host);
    }
  }

  private String answer(SSLSocket tls, Address host) throws IOException {
    // Read in any case: closing a socket with something unread may take the answer away (RFC 1122,
    // 4.2.2.13).
    Optional<Notice> notice = Notice.read(tls.getInputStream()).flatMap(Notice::of);
    if (!(tls.getSession().getPeerCertificates()[0] instanceof X509Certificate certificate)
        || !names(certificate, host)) {
      return "refused: the certificate does not name " + host;
    }
    return notice
        .map(n ->
            registry
                .register(host, n.remote(), n.spi())
                .map(why -> "refused: " + why)
                .orElse("done"))
        .orElse("refused: it takes `register REMOTE SPI`, an IPv4 address and a number");
  }

  private static boolean names(X509Certificate certificate, Address host) {
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      return names != null
          && names.stream()
              .filter(name -> name.get(0).equals(IP_ADDRESS))
              .anyMatch(
                  name -> Address.parse(name.get(1).toString()).filter(host::equals).isPresent());
    } catch (CertificateParsingException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
