package io.gatehouse.daemon;

import io.gatehouse.masquerade.Reason;
import io.gatehouse.model.Address;
import io.gatehouse.model.Masquerade.Register;
import io.gatehouse.registration.Credentials;
import io.gatehouse.registration.Registrar;
import io.gatehouse.slowpath.SlowPath;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** Listens to hosts that register their SPIs, where the description that stands says so. */
final class Registrations implements AutoCloseable {
  private static final Duration RETRY = Duration.ofSeconds(1);

  /** Another description is followed within this. */
  private static final Duration TURN = Duration.ofMillis(250);

  /** For a connection, from its first packet to the answer: the first handshake loads classes. */
  private static final Duration LIMIT = Duration.ofSeconds(15);

  /** For the slow path's part of it. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private final SlowPath slowPath;
  private final AtomicReference<Optional<Register>> wanted =
      new AtomicReference<>(Optional.empty());
  private final Worker worker = new Worker("registrations", RETRY, this::listen);

  Registrations(SlowPath slowPath) {
    this.slowPath = slowPath;
  }

  void start() {
    worker.start();
  }

  /** What to do from now on. */
  void follow(Optional<Register> register) {
    wanted.set(register);
  }

  /** Why nobody can register just now. */
  Optional<String> trouble() {
    return worker.trouble();
  }

  private String listen(Worker told) throws IOException {
    while (!told.isOver()) {
      Optional<Register> now = wanted.get();
      if (now.isPresent()) {
        listen(told, now.get());
      } else {
        told.works();
        LockSupport.parkNanos(TURN.toNanos());
      }
    }
    return "it ends";
  }

  private void listen(Worker told, Register now) throws IOException {
    try (Registrar registrar =
        Registrar.open(
            new InetSocketAddress(InetAddress.getByAddress(now.at().value().bytes()), now.port()),
            new Credentials(
                Path.of(now.certificate()), Path.of(now.key()), Path.of(now.authorities())),
            this::register,
            LIMIT)) {
      while (!told.isOver() && wanted.get().filter(now::equals).isPresent()) {
        told.works();
        registrar.accept(TURN);
      }
    }
  }

  private Optional<String> register(Address host, Address remote, int spi) {
    try {
      return slowPath
          .register(host, remote, spi)
          .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
          .map(Reason::words);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("it ends");
    } catch (ExecutionException | TimeoutException e) {
      return Optional.of("it is too busy to answer");
    }
  }

  @Override
  public void close() {
    worker.close();
  }
}
