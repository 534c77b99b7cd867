package io.gatehouse.diagnose;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Udp;

/** Notifications that stand in clear in a message of IKE. */
final class Notifications {
  static final int INVALID_IKE_SPI = 4;
  static final int INVALID_MAJOR_VERSION = 5;
  static final int INVALID_SPI = 11;
  static final int NO_PROPOSAL_CHOSEN = 14;
  static final int PAYLOAD_MALFORMED = 16;
  static final int INVALID_KE_PAYLOAD = 17;
  static final int INVALID_ID_INFORMATION = 18;
  static final int AUTHENTICATION_FAILED = 24;
  static final int COOKIE = 16390;

  private static final int NOTIFY_V1 = 11;
  private static final int ENCRYPTED_V1 = 1;

  private Notifications() {}

  /** The type of the first one that is an error or asks for a cookie; -1 where there is none. */
  static int of(Ike ike, Udp datagram) {
    Bytes data = datagram.data();
    boolean marked =
        datagram.sourcePort() == Udp.IKE_NAT || datagram.destinationPort() == Udp.IKE_NAT;
    int at = (marked ? 4 : 0) + Ike.HEADER;
    if (ike.major() == 1 && (ike.flags() & ENCRYPTED_V1) != 0) {
      return -1;
    }
    int type = ike.nextPayload();
    // The chain of payloads is finite, but what follows a cut or a lie is not ours to read.
    while (type != 0 && at + 4 <= data.length()) {
      int length = data.u16(at + 2);
      if (length < 4 || at + length > data.length()) {
        return -1;
      }
      if (ike.major() == 2 && (type == Ike.ENCRYPTED_PAYLOAD || type == Ike.FRAGMENT_PAYLOAD)) {
        return -1;
      }
      // RFC 7296, 3.10: protocol, size of the SPI, type; RFC 2408, 3.14: four bytes of DOI before.
      int place = at + (ike.major() == 1 ? 10 : 6);
      if (type == (ike.major() == 1 ? NOTIFY_V1 : Ike.NOTIFY_PAYLOAD) && place + 2 <= at + length) {
        int notification = data.u16(place);
        if (notification < 16384 || notification == COOKIE) {
          return notification;
        }
      }
      type = data.u8(at);
      at += length;
    }
    return -1;
  }
}
