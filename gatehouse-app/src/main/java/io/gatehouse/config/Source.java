package io.gatehouse.config;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Where descriptions come from: this package opens no files itself. Names are joined with {@code
 * /}.
 */
public interface Source {

  /**
   * The bytes of one file.
   *
   * @param file as the user named it, or as an {@code include} made it from the including file's
   *     directory
   * @param limit in bytes: of a larger file, one byte more than that is enough
   */
  Content read(String file, int limit);

  /**
   * The names in a directory, in any order, without {@code .} and {@code ..}; nothing where there
   * is no such directory. Only asked for an {@code include} that has a {@code *} or {@code ?} in
   * it.
   *
   * @param directory empty for the current one
   */
  List<String> names(String directory);

  /** What became of a file. */
  sealed interface Content {
    /** Its bytes, from position to limit. */
    record Bytes(ByteBuffer bytes) implements Content {}

    /**
     * It cannot be had.
     *
     * @param why in the words of a message, such as {@code no such file}
     */
    record Unreadable(String why) implements Content {}
  }
}
