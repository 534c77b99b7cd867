package io.gatehouse.packet;

import java.util.Arrays;
import java.util.HexFormat;

/**
 * Bytes that do not change, in network order. A part shares the memory of the whole. Reading beyond
 * the end is a programmer's error: parsers ask for {@link #length} first.
 */
public final class Bytes {
  /** No bytes. */
  public static final Bytes EMPTY = new Bytes(new byte[0], 0, 0);

  private final byte[] array;
  private final int from;
  private final int length;

  private Bytes(byte[] array, int from, int length) {
    this.array = array;
    this.from = from;
    this.length = length;
  }

  /** A copy of the array. */
  public static Bytes copyOf(byte[] array) {
    return new Bytes(array.clone(), 0, array.length);
  }

  /** The array itself, without a copy: who made it never writes into it again. */
  public static Bytes taking(byte[] array) {
    return new Bytes(array, 0, array.length);
  }

  /** The bytes that hexadecimal digits spell; blanks between them are skipped. For constants. */
  public static Bytes ofHex(String digits) {
    byte[] array = HexFormat.of().parseHex(digits.replaceAll("\\s+", ""));
    return new Bytes(array, 0, array.length);
  }

  /** How many. */
  public int length() {
    return length;
  }

  /** 8 bits at an offset, unsigned. */
  public int u8(int at) {
    return array[index(at, 1)] & 0xff;
  }

  /** 16 bits at an offset, unsigned. */
  public int u16(int at) {
    int i = index(at, 2);
    return (array[i] & 0xff) << 8 | (array[i + 1] & 0xff);
  }

  /** 32 bits at an offset. */
  public int i32(int at) {
    int i = index(at, 4);
    return array[i] << 24
        | (array[i + 1] & 0xff) << 16
        | (array[i + 2] & 0xff) << 8
        | (array[i + 3] & 0xff);
  }

  /** 32 bits at an offset, unsigned. */
  public long u32(int at) {
    return i32(at) & 0xffffffffL;
  }

  /** 64 bits at an offset. */
  public long i64(int at) {
    return (long) i32(at) << 32 | u32(at + 4);
  }

  /** The bytes from {@code begin} up to, not including, {@code end}. */
  public Bytes part(int begin, int end) {
    if (begin < 0 || end < begin || end > length) {
      throw new IndexOutOfBoundsException(begin + " to " + end + " of " + length);
    }
    return new Bytes(array, from + begin, end - begin);
  }

  /** A copy as an array. */
  public byte[] toArray() {
    return Arrays.copyOfRange(array, from, from + length);
  }

  private int index(int at, int width) {
    if (at < 0 || at + width > length) {
      throw new IndexOutOfBoundsException(at + ", " + width + " wide, of " + length);
    }
    return from + at;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Bytes b
        && Arrays.equals(array, from, from + length, b.array, b.from, b.from + b.length);
  }

  @Override
  public int hashCode() {
    int hash = 1;
    for (int i = from; i < from + length; i++) {
      hash = 31 * hash + array[i];
    }
    return hash;
  }

  /** Hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(array, from, from + length);
  }
}
