package io.gatehouse.cli;

import io.gatehouse.config.Source;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Descriptions from the file system.
 *
 * @param directory that names are relative to
 */
record Disk(Path directory) implements Source {

  @Override
  public Content read(String file, int limit) {
    try {
      Path path = directory.resolve(file);
      if (Files.isDirectory(path)) {
        return new Content.Unreadable("it is a directory");
      }
      try (InputStream in = Files.newInputStream(path)) {
        return new Content.Bytes(ByteBuffer.wrap(in.readNBytes(limit + 1)));
      }
    } catch (NoSuchFileException e) {
      return new Content.Unreadable("no such file");
    } catch (AccessDeniedException e) {
      return new Content.Unreadable("permission denied");
    } catch (InvalidPathException e) {
      return new Content.Unreadable("no file can have that name");
    } catch (IOException e) {
      return new Content.Unreadable("it cannot be read");
    }
  }

  @Override
  public List<String> names(String directory) {
    try (Stream<Path> entries = Files.list(this.directory.resolve(directory))) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    } catch (IOException | InvalidPathException e) {
      return List.of();
    }
  }
}
