package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whoever asks, against a daemon that is stopped, or slow. */
@Timeout(60)
class ControlTest {
  private static final Duration SHORT = Duration.ofMillis(100);

  @TempDir Path directory;

  private Path socket() {
    return directory.resolve("control");
  }

  private ServerSocketChannel listening() throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    return server.bind(UnixDomainSocketAddress.of(socket()));
  }

  @Test
  void aDaemonThatAcceptsNobodyIsNotWaitedFor() throws Exception {
    List<String> told = new ArrayList<>();
    try (ServerSocketChannel server = listening()) {
      assertThat(Control.ask(socket(), "status", SHORT, told::add)).isFalse();
      assertThat(server.isOpen()).isTrue();
    }
    assertThat(told).isEmpty();
  }

  @Test
  void halfAnAnswerIsNone() throws Exception {
    List<String> told = new ArrayList<>();
    try (ServerSocketChannel server = listening()) {
      Thread asking =
          Thread.ofVirtual()
              .start(() -> told.add("" + Control.ask(socket(), "status", SHORT, told::add)));
      try (SocketChannel peer = server.accept()) {
        peer.write(ByteBuffer.wrap("generation=1\n".getBytes(StandardCharsets.UTF_8)));
        asking.join(); // the channel is open, and nothing more comes
      }
    }
    assertThat(told).containsExactly("false");
  }

  @Test
  void withoutADaemonThereIsNoAnswer() {
    assertThat(Control.ask(socket(), "status", SHORT, line -> {})).isFalse();
  }
}
