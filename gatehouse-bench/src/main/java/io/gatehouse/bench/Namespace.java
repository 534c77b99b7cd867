package io.gatehouse.bench;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A thread in a network namespace of its own. It ends with the program. */
final class Namespace {
  private static final int NEW_NETWORK = 0x40000000; // CLONE_NEWNET

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

  /** Of its thread; `ip link set … netns` takes it. */
  final String number;

  Namespace() {
    number =
        call(() -> {
          unshare();
          return Path.of("/proc/thread-self").toRealPath().getFileName().toString();
        });
  }

  @SuppressWarnings("restricted") // the JDK has no namespaces
  private static void unshare() throws Exception {
    Linker linker = Linker.nativeLinker();
    MethodHandle unshare =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("unshare"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    try {
      if ((int) unshare.invokeExact(NEW_NETWORK) != 0) {
        throw new IOException("no network namespace");
      }
    } catch (Throwable e) {
      throw new IOException(e);
    }
  }

  interface Work<T> {
    T done() throws Exception;
  }

  <T> T call(Work<T> work) {
    return CompletableFuture.supplyAsync(
            () -> {
              try {
                return work.done();
              } catch (Exception e) {
                throw new IllegalStateException(e);
              }
            },
            thread)
        .join();
  }

  void sh(String script) {
    call(() -> {
      Process process =
          new ProcessBuilder("sh", "-ec", "exec 2>&1; cat | sh -e")
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (OutputStream to = process.getOutputStream()) {
        to.write(script.getBytes(UTF_8));
      }
      if (process.waitFor() != 0) {
        throw new IOException(script.lines().findFirst().orElse(""));
      }
      return true;
    });
  }

  void nft(Path file) {
    sh("nft -f " + file);
  }
}
