package io.gatehouse.netlink;

/** One element that comes into a set or map, or goes. */
public sealed interface ElementChange {
  SetId set();

  SetElement element();

  /** It comes; nothing happens where it stands with the same data, another data is refused. */
  record Add(SetId set, SetElement element) implements ElementChange {}

  /** It goes; refused where it does not stand. */
  record Remove(SetId set, SetElement element) implements ElementChange {}
}
