package io.gatehouse.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.model.Gateway;
import java.nio.ByteBuffer;
import java.util.List;

/** A description that includes no other. */
record OneText(String text) implements Source {
  /** Reads it; one that is refused is a mistake of the benchmark. */
  Gateway gateway() {
    return switch (Description.read("bench.yaml", this)) {
      case Reading.Understood understood -> understood.gateway();
      case Reading.Refused refused ->
          throw new IllegalStateException(refused.problems().toString());
    };
  }

  @Override
  public Content read(String file, int limit) {
    return new Content.Bytes(ByteBuffer.wrap(text.getBytes(UTF_8)));
  }

  @Override
  public List<String> names(String directory) {
    return List.of();
  }
}
