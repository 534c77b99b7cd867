package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;

/** Descriptions in memory, by name; one without a name is given for every name. */
record Fixed(Map<String, byte[]> files) implements Source {

  Fixed(String text) {
    this(text.getBytes(UTF_8));
  }

  Fixed(byte[] bytes) {
    this(Map.of("", bytes));
  }

  @Override
  public Content read(String file, int limit) {
    byte[] bytes = files.getOrDefault(file, files.get(""));
    return bytes == null
        ? new Content.Unreadable("no such file")
        : new Content.Bytes(ByteBuffer.wrap(bytes));
  }

  @Override
  public List<String> names(String directory) {
    return files.keySet().stream().filter(name -> !name.contains("/")).toList();
  }
}
