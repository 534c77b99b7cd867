package io.gatehouse.vici;

import java.util.List;

/** What {@link Charon} and hooks tell, in the order in which it counts. */
public sealed interface CharonNews {
  /** Everything that stands: what is not among it has gone, with or without an event. */
  record Listed(List<IkeSa> all) implements CharonNews {
    public Listed {
      all = List.copyOf(all);
    }
  }

  /** One IKE SA as it stands, with all its children. */
  record Stands(IkeSa ike) implements CharonNews {}

  /** Something happened. */
  record Happened(TunnelEvent event) implements CharonNews {}

  /** The same, told by an updown hook: nobody will list it. */
  record Hooked(TunnelEvent event) implements CharonNews {}

  /**
   * There is no connection; everything is listed again after the next one.
   *
   * @param why for people
   */
  record Unreachable(String why) implements CharonNews {}
}
