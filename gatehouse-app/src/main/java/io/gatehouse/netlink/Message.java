package io.gatehouse.netlink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Consumer;

/** Writes messages one behind the other. */
final class Message {
  /** An attribute's length has 16 bits, its header counted. */
  static final int LONGEST_ATTRIBUTE = 0xffff;

  private static final int NESTED = 0x8000;

  private ByteBuffer buffer = ByteBuffer.allocate(256).order(ByteOrder.nativeOrder());

  /** A message with what {@code body} writes. */
  Message message(int type, int flags, long sequence, Consumer<Message> body) {
    int start = buffer.position();
    u32(0).u16(type).u16(flags).u32(sequence).u32(0);
    body.accept(this);
    buffer.putInt(start, buffer.position() - start);
    return pad();
  }

  Message u8(int value) {
    room(1).put((byte) value);
    return this;
  }

  Message u16(int value) {
    room(2).putShort((short) value);
    return this;
  }

  Message u32(long value) {
    room(4).putInt((int) value);
    return this;
  }

  /** In network order. */
  Message u16be(int value) {
    return u8(value >>> 8).u8(value);
  }

  Message bytes(Bytes bytes) {
    byte[] array = bytes.array();
    room(array.length).put(array);
    return this;
  }

  Message zeros(int count) {
    room(count).put(new byte[count]);
    return this;
  }

  Message attribute(int type, Bytes value) {
    u16(4 + value.length()).u16(type).bytes(value);
    return pad();
  }

  /** A number in network order, as nfnetlink has them. */
  Message attributeBe(int type, long value) {
    return u16(8).u16(type).u16be((int) (value >>> 16)).u16be((int) value);
  }

  /** An attribute that consists of attributes. */
  Message nested(int type, Consumer<Message> content) {
    int start = buffer.position();
    u16(0).u16(type | NESTED);
    content.accept(this);
    int length = buffer.position() - start;
    if (length > LONGEST_ATTRIBUTE) {
      throw new IllegalArgumentException("an attribute of " + length + " bytes");
    }
    buffer.putShort(start, (short) length);
    return pad();
  }

  Bytes done() {
    return Bytes.owning(Arrays.copyOf(buffer.array(), buffer.position()));
  }

  private Message pad() {
    return zeros(Wire.aligned(buffer.position()) - buffer.position());
  }

  private ByteBuffer room(int length) {
    if (buffer.remaining() < length) {
      ByteBuffer larger =
          ByteBuffer.allocate(Math.max(buffer.capacity() * 2, buffer.position() + length))
              .order(ByteOrder.nativeOrder());
      buffer = larger.put(buffer.flip());
    }
    return buffer;
  }
}
