package io.gatehouse.masquerade;

import java.util.Arrays;

/**
 * A hash table of keys of 96 bits whose entries keep their number, with columns of numbers beside
 * them. Nothing is allocated for an entry: 20 bytes for key and chain, 4 for each column.
 */
final class SlotTable {
  /** No entry. */
  static final int NONE = -1;

  private static final int FREE = -2;
  private static final int FIRST_CAPACITY = 64;

  private final int limit;
  private final long salt;
  private long[] high = new long[FIRST_CAPACITY];
  private int[] low = new int[FIRST_CAPACITY];
  private int[] next = new int[FIRST_CAPACITY];
  private int[] heads = new int[FIRST_CAPACITY];
  private final int[][] columns;
  private int size;

  /** Entries below were in use at some time. */
  private int top;

  private int free = NONE;

  /**
   * @param columns how many numbers stand beside a key
   * @param limit entries that it may hold at most
   * @param salt unknown to strangers, who choose the keys
   */
  SlotTable(int columns, int limit, long salt) {
    this.limit = limit;
    this.salt = salt;
    this.columns = new int[columns][FIRST_CAPACITY];
    Arrays.fill(heads, NONE);
    Arrays.fill(next, FREE);
  }

  int size() {
    return size;
  }

  /** Entries have numbers below this. */
  int top() {
    return top;
  }

  boolean isUsed(int slot) {
    return next[slot] >= NONE;
  }

  long high(int slot) {
    return high[slot];
  }

  int low(int slot) {
    return low[slot];
  }

  int at(int column, int slot) {
    return columns[column][slot];
  }

  void put(int column, int slot, int value) {
    columns[column][slot] = value;
  }

  /** The entry of a key, or {@link #NONE}. */
  int find(long keyHigh, int keyLow) {
    int slot = heads[index(keyHigh, keyLow)];
    while (slot != NONE && (high[slot] != keyHigh || low[slot] != keyLow)) {
      slot = next[slot];
    }
    return slot;
  }

  /** A new entry for a key that has none, its columns 0; {@link #NONE} where the table is full. */
  int add(long keyHigh, int keyLow) {
    if (size == limit) {
      return NONE;
    }
    int slot;
    if (free != NONE) {
      slot = free;
      free = low[slot];
    } else {
      if (top == high.length) {
        grow();
      }
      slot = top++;
    }
    high[slot] = keyHigh;
    low[slot] = keyLow;
    int head = index(keyHigh, keyLow);
    next[slot] = heads[head];
    heads[head] = slot;
    for (int[] column : columns) {
      column[slot] = 0;
    }
    size++;
    return slot;
  }

  void remove(int slot) {
    int head = index(high[slot], low[slot]);
    if (heads[head] == slot) {
      heads[head] = next[slot];
    } else {
      int before = heads[head];
      while (next[before] != slot) {
        before = next[before];
      }
      next[before] = next[slot];
    }
    next[slot] = FREE;
    low[slot] = free;
    free = slot;
    size--;
  }

  private void grow() {
    int capacity = high.length * 2;
    high = Arrays.copyOf(high, capacity);
    low = Arrays.copyOf(low, capacity);
    next = Arrays.copyOf(next, capacity);
    Arrays.fill(next, top, capacity, FREE);
    for (int i = 0; i < columns.length; i++) {
      columns[i] = Arrays.copyOf(columns[i], capacity);
    }
    heads = new int[capacity];
    Arrays.fill(heads, NONE);
    for (int slot = 0; slot < top; slot++) {
      if (isUsed(slot)) {
        int head = index(high[slot], low[slot]);
        next[slot] = heads[head];
        heads[head] = slot;
      }
    }
  }

  private int index(long keyHigh, int keyLow) {
    long mixed = (keyHigh ^ salt ^ keyLow * 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ mixed >>> 32) * 0x94d049bb133111ebL;
    return (int) (mixed >>> 32) & heads.length - 1;
  }
}
