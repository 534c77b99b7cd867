package io.gatehouse.growth;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.config.Source;
import java.nio.ByteBuffer;
import java.util.List;

/** A description of one file. */
record Written(String text) implements Source {
  @Override
  public Content read(String file, int limit) {
    return new Content.Bytes(ByteBuffer.wrap(text.getBytes(UTF_8)));
  }

  @Override
  public List<String> names(String directory) {
    return List.of();
  }
}
