package io.gatehouse.masquerade;

import java.util.Arrays;
import java.util.function.IntConsumer;

/**
 * A hash table of keys of 96 bits whose entries keep their number, with columns of numbers beside
 * them. Nothing is allocated for an entry: 20 bytes for key and chain, 4 for each column, all but
 * the head of its chain side by side, so that a look-up costs two lines of the processor's cache.
 */
final class SlotTable {
  /** No entry. */
  static final int NONE = -1;

  /**
   * Entries that a sweep looks at: of more, the packets behind it would wait for milliseconds. Two
   * million take 64 sweeps.
   */
  static final int SLICE = 1 << 15;

  private static final int FREE = -2;
  private static final int FIRST_CAPACITY = 64;

  private static final int LOW = 2;
  private static final int NEXT = 3;
  private static final int COLUMNS = 4;

  private final int limit;
  private final long salt;
  private final int stride;

  /** Row by row: the key's high half in two, its low half, the next of its chain, the columns. */
  private int[] rows;

  private int[] heads = new int[FIRST_CAPACITY];
  private int size;

  /** Entries below were in use at some time. */
  private int top;

  private int free = NONE;

  /** Where the next sweep goes on. */
  private int unswept;

  /**
   * @param columns how many numbers stand beside a key
   * @param limit entries that it may hold at most
   * @param salt unknown to strangers, who choose the keys
   */
  SlotTable(int columns, int limit, long salt) {
    this.limit = limit;
    this.salt = salt;
    this.stride = COLUMNS + columns;
    this.rows = new int[FIRST_CAPACITY * stride];
    Arrays.fill(heads, NONE);
  }

  int size() {
    return size;
  }

  /** Entries have numbers below this. */
  int top() {
    return top;
  }

  boolean isUsed(int slot) {
    return rows[slot * stride + NEXT] >= NONE;
  }

  long high(int slot) {
    return high(slot * stride, rows);
  }

  int low(int slot) {
    return rows[slot * stride + LOW];
  }

  int at(int column, int slot) {
    return rows[slot * stride + COLUMNS + column];
  }

  void put(int column, int slot, int value) {
    rows[slot * stride + COLUMNS + column] = value;
  }

  /** Shows the next slice of entries, or all where they are fewer; each may be removed. */
  void sweep(IntConsumer entry) {
    if (top <= SLICE) {
      unswept = 0;
    }
    for (int left = Math.min(top, SLICE); left > 0; left--) {
      if (unswept >= top) {
        unswept = 0;
      }
      int slot = unswept++;
      if (isUsed(slot)) {
        entry.accept(slot);
      }
    }
  }

  /** The entry of a key, or {@link #NONE}. */
  int find(long keyHigh, int keyLow) {
    int slot = heads[index(keyHigh, keyLow)];
    while (slot != NONE) {
      int row = slot * stride;
      if (rows[row + LOW] == keyLow && high(row, rows) == keyHigh) {
        return slot;
      }
      slot = rows[row + NEXT];
    }
    return NONE;
  }

  private static long high(int row, int[] rows) {
    return (long) rows[row] << 32 | (rows[row + 1] & 0xffffffffL);
  }

  /** A new entry for a key that has none, its columns 0; {@link #NONE} where the table is full. */
  int add(long keyHigh, int keyLow) {
    if (size == limit) {
      return NONE;
    }
    int slot;
    if (free != NONE) {
      slot = free;
      free = rows[slot * stride + LOW];
    } else {
      if (top == heads.length) {
        grow();
      }
      slot = top++;
    }
    int row = slot * stride;
    rows[row] = (int) (keyHigh >>> 32);
    rows[row + 1] = (int) keyHigh;
    rows[row + LOW] = keyLow;
    Arrays.fill(rows, row + COLUMNS, row + stride, 0);
    link(slot);
    size++;
    return slot;
  }

  private void link(int slot) {
    int row = slot * stride;
    int head = index(high(row, rows), rows[row + LOW]);
    rows[row + NEXT] = heads[head];
    heads[head] = slot;
  }

  void remove(int slot) {
    int row = slot * stride;
    int head = index(high(row, rows), rows[row + LOW]);
    if (heads[head] == slot) {
      heads[head] = rows[row + NEXT];
    } else {
      int before = heads[head];
      while (rows[before * stride + NEXT] != slot) {
        before = rows[before * stride + NEXT];
      }
      rows[before * stride + NEXT] = rows[row + NEXT];
    }
    rows[row + NEXT] = FREE;
    rows[row + LOW] = free;
    free = slot;
    size--;
  }

  private void grow() {
    int capacity = heads.length * 2;
    rows = Arrays.copyOf(rows, capacity * stride);
    heads = new int[capacity];
    Arrays.fill(heads, NONE);
    for (int slot = 0; slot < top; slot++) {
      if (isUsed(slot)) {
        link(slot);
      }
    }
  }

  private int index(long keyHigh, int keyLow) {
    long mixed = (keyHigh ^ salt ^ keyLow * 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ mixed >>> 32) * 0x94d049bb133111ebL;
    return (int) (mixed >>> 32) & heads.length - 1;
  }
}
