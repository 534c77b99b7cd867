package io.gatehouse.registration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatehouse.model.Address;
import io.gatehouse.registration.Certificates.Authority;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Over TLS and TCP, on this machine's loopback: hosts speak from 127.0.0.1. */
@Timeout(120)
class RegistrarTest {
  private static final Address REMOTE = Address.of("203.0.113.1");
  private static final Duration LONG = Duration.ofMinutes(1);
  private static final String GATEWAY = "127.0.0.5";

  @TempDir Path files;
  private Certificates certificates;
  private Authority authority;
  private final List<String> registered = new CopyOnWriteArrayList<>();
  private volatile boolean over;
  private Optional<Registrar> open = Optional.empty();
  private Optional<Thread> thread = Optional.empty();

  @BeforeEach
  void certificates() throws GeneralSecurityException, IOException {
    certificates = new Certificates(files);
    authority = certificates.authority("authority");
    certificates.host("gateway", GATEWAY, authority);
    certificates.host("host", "127.0.0.1", authority);
  }

  @AfterEach
  void end() throws IOException, InterruptedException {
    over = true;
    if (open.isPresent()) {
      open.get().close();
    }
    if (thread.isPresent()) {
      thread.get().join();
    }
  }

  private Credentials of(String name) {
    return new Credentials(
        files.resolve(name + ".pem"), files.resolve(name + ".key"), files.resolve("authority.pem"));
  }

  private InetSocketAddress listen(String who, Duration limit) throws IOException {
    Registrar registrar =
        Registrar.open(new InetSocketAddress(GATEWAY, 0), of(who), this::register, limit);
    open = Optional.of(registrar);
    thread = Optional.of(Thread.ofPlatform().start(() -> accept(registrar)));
    return registrar.at();
  }

  private void accept(Registrar registrar) {
    while (!over) {
      try {
        registrar.accept(Duration.ofMillis(50));
      } catch (IOException e) {
        if (!over) {
          registered.add("trouble: " + e.getMessage());
        }
      }
    }
  }

  private Optional<String> register(Address host, Address remote, int spi) {
    registered.add(host + " " + remote + " 0x" + Integer.toHexString(spi));
    return spi == 0xbad ? Optional.of("another host has it") : Optional.empty();
  }

  private Optional<String> tell(InetSocketAddress gateway, String who, int spi) throws IOException {
    return Registration.tell(gateway, of(who), REMOTE, spi, LONG);
  }

  @Test
  void aHostRegistersForTheAddressThatItSpeaksFrom() throws IOException {
    InetSocketAddress gateway = listen("gateway", LONG);
    assertThat(tell(gateway, "host", 0xc0ffee01)).isEmpty();
    assertThat(tell(gateway, "host", 0xbad)).contains("another host has it");
    assertThat(registered)
        .containsExactly("127.0.0.1 203.0.113.1 0xc0ffee01", "127.0.0.1 203.0.113.1 0xbad");
  }

  @Test
  void anotherHostsCertificateRegistersNothing() throws Exception {
    certificates.host("other", "127.0.0.2", authority);
    assertThat(tell(listen("gateway", LONG), "other", 1))
        .contains("the certificate does not name 127.0.0.1");
    assertThat(registered).isEmpty();
  }

  @Test
  void aCertificateOfNobodyThatIsBelievedRegistersNothing() throws Exception {
    InetSocketAddress gateway = listen("gateway", LONG);
    certificates.host("stranger", "127.0.0.1", new Authority("authority", Certificates.keys("EC")));
    certificates.host("expired", "127.0.0.1", authority, -3);
    for (String who : List.of("stranger", "expired")) {
      assertThatThrownBy(() -> tell(gateway, who, 1)).as(who).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(
            () -> {
              try (SSLSocket nobody = withoutCertificate(gateway)) {
                nobody.getOutputStream().write("register 203.0.113.1 1\n".getBytes(US_ASCII));
                assertThat(Notice.read(nobody.getInputStream())).isPresent();
              }
            })
        .isInstanceOf(IOException.class);
    assertThat(registered).isEmpty();
    assertThat(tell(gateway, "host", 1)).as("the same gateway").isEmpty();
  }

  private SSLSocket withoutCertificate(InetSocketAddress gateway)
      throws IOException, GeneralSecurityException {
    KeyStore believed = KeyStore.getInstance("PKCS12");
    believed.load(null, null);
    believed.setCertificateEntry(
        "authority", Pem.certificates(files.resolve("authority.pem")).getFirst());
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(believed);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(null, trust.getTrustManagers(), null);
    return (SSLSocket)
        context.getSocketFactory().createSocket(gateway.getAddress(), gateway.getPort());
  }

  @Test
  void aGatewayWhoseCertificateNamesAnotherAddressIsNotTold() throws Exception {
    certificates.host("elsewhere", "127.0.0.6", authority);
    InetSocketAddress gateway = listen("elsewhere", LONG);
    assertThatThrownBy(() -> tell(gateway, "host", 1))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("127.0.0.5");
    assertThat(registered).isEmpty();
  }

  @Test
  void anythingElseThanTheOneLineRegistersNothing() throws IOException {
    InetSocketAddress gateway = listen("gateway", LONG);
    for (String wrong :
        List.of("register 10.0.1.7 203.0.113.1 1\n", "\n", "register 203.0.113.1 0\n")) {
      assertThat(Registration.ask(gateway, of("host"), wrong, LONG))
          .as(wrong)
          .startsWith("refused: it takes");
    }
    assertThat(Registration.ask(gateway, of("host"), "x".repeat(Notice.LONGEST), LONG))
        .as("overlong")
        .startsWith("refused: it takes");
    assertThat(registered).isEmpty();
  }

  @Test
  void aLineThatIsCutOffRegistersNothing() throws IOException {
    InetSocketAddress gateway = listen("gateway", LONG);
    try (SSLSocket tls =
        (SSLSocket)
            of("host")
                .context()
                .getSocketFactory()
                .createSocket(gateway.getAddress(), gateway.getPort())) {
      tls.getOutputStream().write("register 203.0.113.1 0x1".getBytes(US_ASCII));
      tls.shutdownOutput();
      assertThat(Notice.read(tls.getInputStream()).orElseThrow()).startsWith("refused: it takes");
    }
    assertThat(registered).isEmpty();
  }

  @Test
  void whoSaysNothingIsCutOff() throws IOException {
    InetSocketAddress gateway = listen("gateway", Duration.ofMillis(200));
    try (Socket silent = new Socket(gateway.getAddress(), gateway.getPort())) {
      assertThat(silent.getInputStream().read()).isEqualTo(-1);
    }
    try (SSLSocket silent =
        (SSLSocket)
            of("host")
                .context()
                .getSocketFactory()
                .createSocket(gateway.getAddress(), gateway.getPort())) {
      assertThat(endsBehind(silent, 'r')).isTrue();
    }
    assertThat(registered).isEmpty();
  }

  /** On a busy machine it may end amidst the handshake. */
  private static boolean endsBehind(Socket socket, int one) {
    try {
      socket.getOutputStream().write(one);
      return ended(socket);
    } catch (IOException e) {
      return true;
    }
  }

  private static boolean ended(Socket socket) {
    try {
      return socket.getInputStream().read() < 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void oneHostHasTwoConnectionsAtOnce() throws IOException {
    InetSocketAddress gateway = listen("gateway", LONG);
    try (Socket first = new Socket(gateway.getAddress(), gateway.getPort());
        Socket second = new Socket(gateway.getAddress(), gateway.getPort());
        Socket third = new Socket(gateway.getAddress(), gateway.getPort())) {
      assertThat(ended(third)).isTrue();
      assertThat(first.isConnected() && second.isConnected()).isTrue();
    }
  }

  @Test
  void certificatesThatAreRenewedCountAtOnce() throws Exception {
    InetSocketAddress gateway = listen("gateway", LONG);
    assertThat(tell(gateway, "host", 1)).isEmpty();

    Authority other = certificates.authority("other");
    certificates.host("newer", "127.0.0.1", other);
    certificates.host("gateway", GATEWAY, other);
    Files.copy(
        files.resolve("other.pem"),
        files.resolve("authority.pem"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    Files.setLastModifiedTime(
        files.resolve("authority.pem"), FileTime.from(Instant.now().plusSeconds(7)));

    assertThat(tell(gateway, "newer", 2)).isEmpty();
    assertThatThrownBy(() -> tell(gateway, "host", 3)).isInstanceOf(IOException.class);
    assertThat(registered)
        .containsExactly("127.0.0.1 203.0.113.1 0x1", "127.0.0.1 203.0.113.1 0x2");
  }

  @Test
  void filesThatCannotBeReadAreNamed() throws Exception {
    Path key = files.resolve("gateway.key");
    for (String broken :
        List.of(
            "",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            Certificates.pem("PRIVATE KEY", Certificates.keys("RSA").getPrivate().getEncoded()))) {
      Files.writeString(key, broken);
      assertThatThrownBy(() -> of("gateway").context())
          .isInstanceOf(IOException.class)
          .hasMessageContaining(key.toString());
    }
    Files.delete(key);
    assertThatThrownBy(() -> of("gateway").context()).hasMessageContaining("is not there");
    Files.writeString(files.resolve("gateway.pem"), "nothing");
    assertThatThrownBy(() -> of("gateway").context()).hasMessageContaining("no certificate");
  }

  @Test
  void keysOfEachKindAreRead() throws Exception {
    for (String kind : List.of("EC", "RSA", "Ed25519")) {
      var keys = Certificates.keys(kind);
      Path file = files.resolve(kind);
      Files.writeString(file, Certificates.pem("PRIVATE KEY", keys.getPrivate().getEncoded()));
      assertThat(Pem.key(file, keys.getPublic().getAlgorithm()).getEncoded())
          .isEqualTo(keys.getPrivate().getEncoded());
    }
  }
}
