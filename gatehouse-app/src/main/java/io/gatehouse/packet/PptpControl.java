package io.gatehouse.packet;

import java.util.OptionalInt;

/**
 * What PPTP's control connection, TCP port 1723 (RFC 2637, 2), brings next. The connection is a
 * stream: messages and segments need not coincide.
 */
public sealed interface PptpControl {
  /** TCP port of the server. */
  int PORT = 1723;

  /**
   * A message.
   *
   * @param length bytes of it
   * @param type of control message, 1 to 15
   * @param callId that the sender has chosen, in types that bear one
   * @param peerCallId that the recipient has chosen, in types that bear one
   */
  record Message(int length, int type, OptionalInt callId, OptionalInt peerCallId)
      implements PptpControl {}

  /** The beginning of a message; the rest has not come. */
  record Incomplete() implements PptpControl {}

  /** No message, so that nothing behind it can be told either. */
  record Broken(Malformed why) implements PptpControl {}

  /** Where the bytes of a message's own Call ID stand, in types that bear one. */
  static OptionalInt callIdOffset(int type) {
    return switch (type) {
      case 7, 8, 9, 10, 12, 13 -> OptionalInt.of(12);
      default -> OptionalInt.empty();
    };
  }

  /** Where the bytes of the Peer's Call ID stand, in types that bear one. */
  static OptionalInt peerCallIdOffset(int type) {
    return switch (type) {
      case 8, 10 -> OptionalInt.of(14);
      case 11, 14, 15 -> OptionalInt.of(12);
      default -> OptionalInt.empty();
    };
  }

  /** Reads what a stream begins with. */
  static PptpControl read(Bytes stream) {
    return PptpParser.read(stream);
  }
}
