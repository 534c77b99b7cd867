package io.gatehouse.diagnose;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Where a sniffer stands, in the order from client to server. */
public enum Point {
  /** The client's own network, behind its firewall. */
  CLIENT_LAN("client LAN", "client-lan", "inside lan client"),
  /** Outside of the client's firewall. */
  CLIENT_ISP("client ISP", "client-isp", "outside isp"),
  /** Outside of the server's firewall. */
  SERVER_ISP("server ISP", "server-isp", "far"),
  /** Inside of the server's firewall, where the server is. */
  SERVER_DMZ("server DMZ", "server-dmz", "dmz server");

  private final String title;
  private final String word;

  /** Other words for it, separated by blanks. */
  private final String others;

  Point(String title, String word, String others) {
    this.title = title;
    this.word = word;
    this.others = others;
  }

  /** Where it is on the way, from 0. */
  int place() {
    return switch (this) {
      case CLIENT_LAN -> 0;
      case CLIENT_ISP -> 1;
      case SERVER_ISP -> 2;
      case SERVER_DMZ -> 3;
    };
  }

  /** What people call it. */
  public String title() {
    return title;
  }

  /** Its word on the command line. */
  public String word() {
    return word;
  }

  /** The point of a word. */
  public static Optional<Point> of(String word) {
    return Arrays.stream(values())
        .filter(p -> p.word.equals(word) || List.of(p.others.split(" ", -1)).contains(word))
        .findFirst();
  }
}
