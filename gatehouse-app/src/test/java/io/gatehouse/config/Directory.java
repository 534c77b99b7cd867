package io.gatehouse.config;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Descriptions below a directory. */
record Directory(Path root) implements Source {

  /** The fixtures of this package. */
  static Path fixtures(String name) {
    return Path.of("src/test/resources/io/gatehouse/config", name);
  }

  @Override
  public Content read(String file, int limit) {
    try {
      return new Content.Bytes(ByteBuffer.wrap(Files.readAllBytes(root.resolve(file))));
    } catch (IOException e) {
      return new Content.Unreadable("no such file");
    }
  }

  @Override
  public List<String> names(String directory) {
    Path path = root.resolve(directory);
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(path)) {
      return files.map(f -> f.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
