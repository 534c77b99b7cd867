package io.gatehouse.pptp;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Tcp;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;

/** PPTP's messages and the segments that bring them. */
final class Wire {
  static final Address A = Address.of("10.0.1.11");
  static final Address B = Address.of("10.0.1.12");
  static final Address SERVER = Address.of("10.0.1.80");
  static final Address REMOTE = Address.of("198.51.100.7");
  static final Address OTHER = Address.of("198.51.100.8");

  private static final int[] LENGTHS = {
    156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24
  };

  private Wire() {}

  /** A message of a type, with what its bytes 12 to 15 say; of replies, that it went well. */
  static Bytes message(int type, int first, int second) {
    return message(type, first, second, /* result= */ 1);
  }

  static Bytes message(int type, int first, int second, int result) {
    int length = LENGTHS[type - 1];
    String head = "%04x00011a2b3c4d%04x0000%04x%04x".formatted(length, type, first, second);
    byte[] bytes = new byte[length];
    System.arraycopy(HexFormat.of().parseHex(head), 0, bytes, 0, 16);
    if (type == 8 || type == 10) {
      bytes[16] = (byte) result;
    }
    return Bytes.taking(bytes);
  }

  static Bytes start() {
    return message(1, 0x0100, 0);
  }

  static Bytes all(Bytes... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Bytes part : parts) {
      all.writeBytes(part.toArray());
    }
    return Bytes.taking(all.toByteArray());
  }

  static Tcp tcp(int from, int to, int sequence, int flags, Bytes data) {
    return new Tcp(from, to, sequence, 0, flags, 8192, data);
  }
}
