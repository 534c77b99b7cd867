package io.gatehouse.diagnose;

import java.util.ArrayList;
import java.util.List;

/** What stands between two points, in words, and what to do about it. */
final class Places {
  private Places() {}

  /** Who may have dropped something between two points. */
  static String culprit(Point from, Point to) {
    int low = Math.min(from.place(), to.place());
    int high = Math.max(from.place(), to.place());
    if (high - low > 1) {
      return "Something between the " + from.title() + " and the " + to.title() + " drops it";
    }
    return switch (low) {
      case 0 -> "The client's firewall drops it, or does not translate it";
      case 1 -> "Something in the internet between the two firewalls drops it";
      default -> "The server's firewall drops it, or does not forward it to the server";
    };
  }

  /** What to try where a kind of packet is lost between two points. */
  static List<String> next(Channel channel, Point from, Point to, String server) {
    int low = Math.min(from.place(), to.place());
    int high = Math.max(from.place(), to.place());
    List<String> next = new ArrayList<>();
    if (high - low > 1) {
      next.add("capture at a point between them too");
    }
    if (low == 0) {
      next.add("gatehouse doctor, on the client's firewall");
    }
    if (low <= 1 && high >= 2) {
      next.add("gatehouse probe " + server + ", from the client's firewall");
    }
    if (high == 3) {
      next.add("gatehouse doctor, on the server's firewall");
    }
    if (channel == Channel.ESP) {
      next.add("or force UDP encapsulation: encap = yes in the connection (swanctl.conf)");
    }
    return next;
  }

  /** What lies behind the last point that has a capture. */
  static String beyond(Point last) {
    return switch (last) {
      case CLIENT_LAN -> "the client's firewall, something on the way or the server itself";
      case CLIENT_ISP -> "something in the internet, the server's firewall or the server itself";
      case SERVER_ISP -> "the server's firewall or the server itself";
      case SERVER_DMZ -> "the server itself: its own firewall, or no service that listens there";
    };
  }
}
