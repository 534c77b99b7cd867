package io.gatehouse.vici;

/** What one frame of VICI holds. */
sealed interface Packet {
  /** Type 0: a command, to charon. */
  record Request(String command, Section message) implements Packet {}

  /** Type 1: what the command answers. */
  record Response(Section message) implements Packet {}

  /** Type 2: charon knows no such command. */
  record UnknownCommand() implements Packet {}

  /** Type 3: events of that name, please. */
  record Register(String event) implements Packet {}

  /** Type 4: no more of them. */
  record Unregister(String event) implements Packet {}

  /** Type 5: so it is. */
  record Confirmed() implements Packet {}

  /** Type 6: charon knows no such event. */
  record UnknownEvent() implements Packet {}

  /** Type 7: it happened. */
  record Event(String name, Section message) implements Packet {}

  /**
   * It cannot be read.
   *
   * @param position of the byte where, from the type on
   */
  record Malformed(int position, String why) implements Packet {}
}
