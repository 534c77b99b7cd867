package io.gatehouse.it;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./gatehouse}, in a home of its own that holds the launcher and the jar alone. */
class LauncherIT {
  private static final Path BUILT = Path.of(System.getProperty("gatehouse.home"));
  private static final String VERSION = "gatehouse \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\n";

  /** A cache takes seconds to make, and is not what these tests are about. */
  private static final Map<String, String> UNCACHED = Map.of("GATEHOUSE_AOT", "never");

  @TempDir private Path temp;
  private Path launcher;
  private Path jar;
  private Path caches;

  private record Answer(int status, String out, String err) {}

  private record Running(Process process, Path out, Path err) {
    Answer answer() throws IOException, InterruptedException {
      if (!process.waitFor(2, TimeUnit.MINUTES)) {
        process.destroyForcibly();
      }
      return new Answer(process.waitFor(), Files.readString(out), Files.readString(err));
    }
  }

  @BeforeEach
  void copyWhatIsShipped() throws IOException {
    Path home = Files.createDirectories(temp.resolve("a home"));
    Path target = Files.createDirectories(home.resolve("gatehouse-app/target"));
    launcher = Files.copy(BUILT.resolve("gatehouse"), home.resolve("gatehouse"));
    jar = target.resolve("gatehouse.jar");
    Files.copy(BUILT.resolve("gatehouse-app/target/gatehouse.jar"), jar);
    caches = target.resolve("aot");
  }

  private Running start(Path directory, Map<String, String> environment, List<String> command)
      throws IOException {
    Path out = Files.createTempFile(temp, "out", "");
    Path err = Files.createTempFile(temp, "err", "");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile());
    builder.environment().put("GATEHOUSE_JAVA", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    return new Running(builder.start(), out, err);
  }

  private Answer run(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    return start(temp, environment, command).answer();
  }

  private static void assertVersion(Answer answer) {
    assertThat(answer.err()).isEmpty();
    assertThat(answer.out()).matches(VERSION);
    assertThat(answer.status()).isZero();
  }

  private List<Path> cacheFiles() throws IOException {
    try (Stream<Path> files = Files.list(caches)) {
      return files.toList();
    }
  }

  @Test
  void firstStartMakesACacheAndTheSecondKeepsIt() throws Exception {
    assertVersion(run(Map.of(), "--version"));
    assertThat(cacheFiles()).hasSize(1);
    Path cache = cacheFiles().getFirst();
    FileTime made = Files.getLastModifiedTime(cache);
    assertThat(cache).isNotEmptyFile().hasExtension("aot");

    assertVersion(run(Map.of(), "--version"));
    assertThat(cacheFiles()).containsExactly(cache);
    assertThat(Files.getLastModifiedTime(cache)).isEqualTo(made);
  }

  @Test
  void theJvmAcceptsTheCache() throws Exception {
    assertVersion(run(Map.of(), "--version"));
    // Under AOTMode=on the JVM refuses to start when it cannot use the cache.
    assertVersion(run(Map.of("GATEHOUSE_JAVA_OPTIONS", "-XX:AOTMode=on"), "--version"));
  }

  @Test
  @Tag("full")
  void anotherJarMakesAnotherCache() throws Exception {
    assertVersion(run(Map.of(), "--version"));
    FileTime made = Files.getLastModifiedTime(cacheFiles().getFirst());
    Files.setLastModifiedTime(jar, FileTime.from(Instant.now()));

    assertVersion(run(Map.of(), "--version"));
    assertThat(cacheFiles()).hasSize(1);
    assertThat(Files.getLastModifiedTime(cacheFiles().getFirst())).isGreaterThan(made);
    assertVersion(run(Map.of("GATEHOUSE_JAVA_OPTIONS", "-XX:AOTMode=on"), "--version"));
  }

  @Test
  void severalAtOnceOnFirstStart() throws Exception {
    List<Running> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(start(temp, Map.of(), List.of(launcher.toString(), "--version")));
    }
    for (Running one : all) {
      assertVersion(one.answer());
    }
    assertThat(cacheFiles()).hasSize(1);
    assertThat(cacheFiles().getFirst()).isNotEmptyFile().hasExtension("aot");
  }

  @Test
  void aBrokenCacheIsNoObstacle() throws Exception {
    assertVersion(run(Map.of(), "--version"));
    Path cache = cacheFiles().getFirst();
    byte[] whole = Files.readAllBytes(cache);
    Files.write(cache, Arrays.copyOf(whole, whole.length / 3));
    assertVersion(run(Map.of(), "--version"));
    Files.writeString(cache, "not a cache at all");
    assertVersion(run(Map.of(), "--version"));
  }

  @Test
  void whereNothingCanBeWrittenItStartsWithoutACache() throws Exception {
    assumeTrue(Files.getOwner(temp).getName().equals("root"), "needs root, to become nobody");
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    Answer answer =
        start(
                Path.of("/"),
                Map.of("HOME", "/nonexistent"),
                List.of(
                    "setpriv",
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups",
                    launcher.toString(),
                    "--version"))
            .answer();
    assertVersion(answer);
    assertThat(caches).doesNotExist();
  }

  @Test
  void whereTheHomeCannotBeWrittenTheUserHasTheCache() throws Exception {
    assumeTrue(Files.getOwner(temp).getName().equals("root"), "needs root, to become nobody");
    Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
    Path own = Files.createDirectory(temp.resolve("own"));
    Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxrwx"));
    Answer answer =
        start(
                Path.of("/"),
                Map.of("XDG_CACHE_HOME", own.toString()),
                List.of(
                    "setpriv",
                    "--reuid=65534",
                    "--regid=65534",
                    "--clear-groups",
                    launcher.toString(),
                    "--version"))
            .answer();
    assertVersion(answer);
    try (Stream<Path> files = Files.walk(own)) {
      assertThat(files.filter(Files::isRegularFile))
          .singleElement()
          .satisfies(file -> assertThat(file).isNotEmptyFile().hasExtension("aot"));
    }
  }

  @Test
  void startsThroughALinkFromAnyDirectory() throws Exception {
    Path bin = Files.createDirectories(temp.resolve("bin"));
    Path link = Files.createSymbolicLink(bin.resolve("gatehouse"), Path.of("../a home/gatehouse"));
    assertVersion(start(Path.of("/"), UNCACHED, List.of(link.toString(), "--version")).answer());
    assertVersion(start(bin, UNCACHED, List.of("./gatehouse", "--version")).answer());
    String path = bin + ":" + System.getenv("PATH");
    assertVersion(
        start(
                temp,
                Map.of("PATH", path, "GATEHOUSE_AOT", "never"),
                List.of("bash", "-c", "gatehouse --version"))
            .answer());
    assertVersion(
        start(temp.resolve("a home"), UNCACHED, List.of("bash", "gatehouse", "--version"))
            .answer());
  }

  @Test
  void theJvmSaysNothingOfItsOwn() throws Exception {
    assertVersion(
        run(
            Map.of(
                "GATEHOUSE_AOT", "never",
                "JAVA_TOOL_OPTIONS", "-Xmx200m",
                "JDK_JAVA_OPTIONS", "-Xmx200m",
                "_JAVA_OPTIONS", "-Xmx200m"),
            "--version"));
  }

  @Test
  void statusAndArgumentsPassThrough() throws Exception {
    Answer answer = run(UNCACHED, "--no such option", "");
    assertThat(answer.status()).isEqualTo(64);
    assertThat(answer.err()).contains("'--no such option'").doesNotContain("\tat ");
    assertThat(answer.out()).isEmpty();
  }

  @Test
  void namesTheJavaThatIsTooOld() throws Exception {
    Path old = Files.createDirectories(temp.resolve("old/bin"));
    script(old.resolve("java"), "exit 1");
    Files.writeString(temp.resolve("old/release"), "JAVA_VERSION=\"17.0.15\"\n");
    Answer answer = run(Map.of("GATEHOUSE_JAVA", old.getParent().toString()), "--version");
    assertThat(answer.status()).isEqualTo(77);
    assertThat(answer.err()).contains("Java 17.0.15").contains("JDK 25 or later is needed");
  }

  @Test
  void namesAGatehouseJavaThatIsNotThere() throws Exception {
    Answer answer = run(Map.of("GATEHOUSE_JAVA", "/nonexistent/jdk"), "--version");
    assertThat(answer.status()).isEqualTo(77);
    assertThat(answer.err()).contains("/nonexistent/jdk").contains("no Java there");
  }

  @Test
  void acceptsThePathOfTheProgramJava() throws Exception {
    String java = System.getProperty("java.home") + "/bin/java";
    assertVersion(run(Map.of("GATEHOUSE_JAVA", java, "GATEHOUSE_AOT", "never"), "--version"));
  }

  @Test
  void withoutAJarAndWithoutSourcesItSaysSo() throws Exception {
    Files.delete(jar);
    Answer answer = run(Map.of(), "--version");
    assertThat(answer.status()).isEqualTo(77);
    assertThat(answer.err()).contains("no gatehouse.jar").contains("no sources");
  }

  @Test
  void withoutMavenItSaysHowToGetIt() throws Exception {
    Files.delete(jar);
    Files.copy(BUILT.resolve("pom.xml"), launcher.resolveSibling("pom.xml"));
    Path bin = Files.createDirectories(temp.resolve("few"));
    for (String tool : List.of("bash", "env", "find", "mkdir", "readlink", "flock")) {
      script(bin.resolve(tool), "exec " + which(tool) + " \"$@\"");
    }
    Answer answer = run(Map.of("PATH", bin.toString()), "--version");
    assertThat(answer.status()).isEqualTo(77);
    assertThat(answer.err()).contains("Maven").contains("apt-get install");
  }

  private static void script(Path file, String line) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + line + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Path which(String tool) {
    return Stream.of("/usr/bin", "/bin", "/usr/sbin", "/sbin")
        .map(directory -> Path.of(directory, tool))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow(() -> new AssertionError(tool + " is not on this host"));
  }

  @Test
  void theJarHoldsNoOldClass() throws Exception {
    try (var opened = new JarFile(jar.toFile())) {
      String old =
          opened.stream()
              .filter(entry -> entry.getName().endsWith(".class"))
              .filter(entry -> {
                try (var in = opened.getInputStream(entry)) {
                  // Stack maps begin with Java 6, format 50; AOT caches refuse what lacks them.
                  byte[] head = in.readNBytes(8);
                  return ((head[6] & 0xff) << 8 | (head[7] & 0xff)) < 50;
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              })
              .map(ZipEntry::getName)
              .collect(joining(", "));
      assertThat(old).isEmpty();
      assertThat(opened.getManifest().getMainAttributes().getValue("Enable-Native-Access"))
          .isEqualTo("ALL-UNNAMED");
    }
  }
}
