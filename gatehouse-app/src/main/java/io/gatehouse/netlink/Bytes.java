package io.gatehouse.netlink;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Objects;

/**
 * Bytes that do not change, perhaps a part of a datagram: a part knows its position there. The
 * kernel writes numbers in the machine's own order, except where a name says network order.
 */
public final class Bytes {
  /** No bytes. */
  public static final Bytes NONE = new Bytes(new byte[0], 0, 0);

  private static final VarHandle SHORT = own(short[].class);
  private static final VarHandle INT = own(int[].class);
  private static final VarHandle LONG = own(long[].class);
  private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;

  private final byte[] array;
  private final int from;
  private final int to;

  private Bytes(byte[] array, int from, int to) {
    this.array = array;
    this.from = from;
    this.to = to;
  }

  private static VarHandle own(Class<?> arrayOf) {
    return MethodHandles.byteArrayViewVarHandle(arrayOf, ByteOrder.nativeOrder());
  }

  /** A copy of the array's content. */
  public static Bytes of(byte... bytes) {
    return new Bytes(bytes.clone(), 0, bytes.length);
  }

  /** Of an array that nobody else keeps. */
  static Bytes owning(byte[] bytes) {
    return new Bytes(bytes, 0, bytes.length);
  }

  /** A number of 32 bits in the machine's own order, as nftables keeps marks. */
  public static Bytes int32(long value) {
    byte[] bytes = new byte[4];
    INT.set(bytes, 0, (int) value);
    return owning(bytes);
  }

  /** A number of 16 bits in the machine's own order, as nftables keeps conntrack zones. */
  public static Bytes int16(int value) {
    byte[] bytes = new byte[2];
    SHORT.set(bytes, 0, (short) value);
    return owning(bytes);
  }

  /** A number of 64 bits in network order: times of nftables. */
  static Bytes int64be(long value) {
    byte[] bytes = new byte[8];
    LONG.set(bytes, 0, LITTLE ? Long.reverseBytes(value) : value);
    return owning(bytes);
  }

  /** Its characters in UTF-8, with the zero behind it that the kernel wants. */
  static Bytes text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return owning(Arrays.copyOf(bytes, bytes.length + 1));
  }

  public int length() {
    return to - from;
  }

  /** Where it begins in the datagram that it is part of. */
  public int position() {
    return from;
  }

  /** The part from there on, of that many bytes; both must lie within. */
  public Bytes part(int at, int length) {
    Objects.checkFromIndexSize(at, length, length());
    return new Bytes(array, from + at, from + at + length);
  }

  /** Everything from there on. */
  public Bytes from(int at) {
    return part(at, length() - at);
  }

  public int u8(int at) {
    return array[index(at, 1)] & 0xff;
  }

  public int u16(int at) {
    return (short) SHORT.get(array, index(at, 2)) & 0xffff;
  }

  public long u32(int at) {
    return (int) INT.get(array, index(at, 4)) & 0xffffffffL;
  }

  public long u64(int at) {
    return (long) LONG.get(array, index(at, 8));
  }

  /** 16 bits in network order: ports. */
  public int u16be(int at) {
    int own = u16(at);
    return LITTLE ? Short.reverseBytes((short) own) & 0xffff : own;
  }

  /** 32 bits in network order: SPIs, and every number of nfnetlink. */
  public long u32be(int at) {
    int own = (int) u32(at);
    return (LITTLE ? Integer.reverseBytes(own) : own) & 0xffffffffL;
  }

  /** 64 bits in network order. */
  public long u64be(int at) {
    return LITTLE ? Long.reverseBytes(u64(at)) : u64(at);
  }

  /** Text up to the first zero, or to the end. */
  public String text() {
    int end = from;
    while (end < to && array[end] != 0) {
      end++;
    }
    return new String(array, from, end - from, StandardCharsets.UTF_8);
  }

  /** A copy. */
  public byte[] array() {
    return Arrays.copyOfRange(array, from, to);
  }

  private int index(int at, int length) {
    return from + Objects.checkFromIndexSize(at, length, length());
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes bytes
        && Arrays.equals(array, from, to, bytes.array, bytes.from, bytes.to);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + array[i];
    }
    return hash;
  }

  /** How many, not which: some are keys. */
  @Override
  public String toString() {
    return length() + " bytes";
  }
}
