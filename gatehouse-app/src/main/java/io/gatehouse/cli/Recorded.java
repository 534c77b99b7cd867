package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.config.Source;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All files that a description was read from, kept with what was compiled from them, so that an
 * earlier generation can be compiled again when its files have long changed.
 */
final class Recorded implements Source {
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, List<String>> directories = new LinkedHashMap<>();
  private final Source source;

  /**
   * @param source where the files are read the first time
   */
  Recorded(Source source) {
    this.source = source;
  }

  /** From {@link #text}; lines that nobody can read stand for files that are not there. */
  static Recorded of(String text) {
    Recorded recorded = new Recorded(new Nowhere());
    for (String line : text.lines().toList()) {
      List<String> words = new ArrayList<>();
      try {
        for (String word : line.substring(1).split(" ", -1)) {
          words.add(new String(Base64.getDecoder().decode(word), UTF_8));
        }
        if (line.startsWith("f") && words.size() == 2) {
          String encoded = line.substring(line.indexOf(' ') + 1);
          recorded.files.put(words.getFirst(), Base64.getDecoder().decode(encoded));
        } else if (line.startsWith("d")) {
          recorded.directories.put(words.getFirst(), words.subList(1, words.size()));
        }
      } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
        // As if it had not been kept.
      }
    }
    return recorded;
  }

  /** A line for each file and directory; names and contents in Base64, whatever they are. */
  String text() {
    StringBuilder text = new StringBuilder();
    files.forEach((name, bytes) ->
        text.append('f')
            .append(encode(name.getBytes(UTF_8)))
            .append(' ')
            .append(encode(bytes))
            .append('\n'));
    directories.forEach((name, names) -> {
      text.append('d').append(encode(name.getBytes(UTF_8)));
      names.forEach(n -> text.append(' ').append(encode(n.getBytes(UTF_8))));
      text.append('\n');
    });
    return text.toString();
  }

  private static String encode(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }

  @Override
  public Content read(String file, int limit) {
    byte[] known = files.get(file);
    if (known != null) {
      return new Content.Bytes(ByteBuffer.wrap(known));
    }
    Content content = source.read(file, limit);
    if (content instanceof Content.Bytes read) {
      byte[] bytes = new byte[read.bytes().remaining()];
      read.bytes().duplicate().get(bytes);
      files.put(file, bytes);
    }
    return content;
  }

  @Override
  public List<String> names(String directory) {
    return directories.computeIfAbsent(directory, source::names);
  }

  /** There is nothing beside what was recorded. */
  private static final class Nowhere implements Source {
    @Override
    public Content read(String file, int limit) {
      return new Content.Unreadable("it was not kept");
    }

    @Override
    public List<String> names(String directory) {
      return List.of();
    }
  }
}
