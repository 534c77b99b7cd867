package io.gatehouse.it.lab;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Assumptions;

/**
 * A network namespace that only one thread, and the processes that it starts, are in. It ends with
 * the thread.
 */
public final class OwnNamespace {
  /** Two links, eth0 and eth1, whose other ends are here too. */
  public static final String TWO_LINKS =
      """
      ip link set lo up
      for each in eth0 eth1; do
        ip link add $each type veth peer name far$each
        ip link set $each up; ip link set far$each up
      done
      """;

  private static final int NEW_NETWORK = 0x40000000; // CLONE_NEWNET

  private OwnNamespace() {}

  /** What a test does there. */
  public interface Body {
    void run() throws Exception;
  }

  /** Runs it in a thread and a namespace of its own. */
  public static void in(Body body) {
    Assumptions.assumeTrue(
        System.getProperty("user.name").equals("root")
            && Files.isExecutable(Path.of("/usr/sbin/nft")),
        "needs root and nft: the tables go into a network namespace");
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .name("own-namespace")
            .start(() -> {
              try {
                unshare();
                body.run();
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    switch (thrown.get()) {
      case null -> {}
      case Error error -> throw error;
      case Throwable other -> throw new AssertionError(other);
    }
  }

  @SuppressWarnings("restricted")
  private static void unshare() throws Throwable {
    Linker linker = Linker.nativeLinker();
    MethodHandle unshare =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("unshare"),
            FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    if ((int) unshare.invokeExact(NEW_NETWORK) != 0) {
      throw new AssertionError("no network namespace");
    }
  }

  /** Runs a shell script there, which must succeed; its output, errors among it. */
  public static String sh(String script) throws Exception {
    Process process =
        new ProcessBuilder("sh", "-ec", script)
            .redirectErrorStream(true)
            .redirectInput(Path.of("/dev/null").toFile())
            .start();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(script + "\n" + out);
    }
    return out;
  }
}
