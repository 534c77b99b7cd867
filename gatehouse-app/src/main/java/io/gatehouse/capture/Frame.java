package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Packet;
import java.util.Optional;

/**
 * One captured frame.
 *
 * @param number in its file, from 1
 * @param time nanoseconds since 1970
 * @param link its kind of link layer, a LINKTYPE_ number of tcpdump.org
 * @param length bytes that it had on the wire
 * @param data the bytes that were kept
 */
public record Frame(int number, long time, int link, long length, Bytes data) {

  /** The IP packet in it; empty where it carries another protocol, or the link is not known. */
  public Optional<Packet> packet() {
    return Link.payload(link, data)
        .map(ip -> data.length() < length ? Packet.parseBeginning(ip) : Packet.parse(ip));
  }
}
