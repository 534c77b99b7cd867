package io.gatehouse.config;

import org.jspecify.annotations.Nullable;

/**
 * The keys that lead to a node. Linked to its parent, because a text for every node of a hostile
 * file would not fit into memory.
 */
final class Path {
  static final Path TOP = new Path(null, "", -1);

  private final @Nullable Path parent;
  private final String key;
  private final int index;

  private Path(@Nullable Path parent, String key, int index) {
    this.parent = parent;
    this.key = key;
    this.index = index;
  }

  Path key(String name) {
    return new Path(this, name, -1);
  }

  Path item(int number) {
    return new Path(this, "", number);
  }

  /** The last key; empty at the top and for an item. */
  String last() {
    return key;
  }

  private void write(StringBuilder out) {
    if (parent == null) {
      return;
    }
    parent.write(out);
    if (index >= 0) {
      out.append('[').append(index).append(']');
    } else {
      out.append(out.isEmpty() ? "" : ".").append(key);
    }
  }

  /** As in {@code tunnels.staff.reach[0]}. */
  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    write(out);
    return out.toString();
  }
}
