package io.gatehouse.packet;

/** What the bytes from an IP header on are: an IP packet, or nothing that can be read as one. */
public sealed interface Packet permits Ip, Malformed {

  /**
   * Reads a whole packet. Bytes behind its end (padding of the link) are no part of it; one that is
   * shorter than its headers say is malformed.
   */
  static Packet parse(Bytes bytes) {
    return new IpParser(bytes, false, false).packet(0);
  }

  /**
   * Reads the beginning of a packet: what an ICMP error quotes, or what a capture with a small
   * snapshot length kept. What the bytes do not reach is left open where it is not needed.
   */
  static Packet parseBeginning(Bytes bytes) {
    return new IpParser(bytes, true, false).packet(0);
  }
}
