package io.gatehouse.packet;

/**
 * An ICMP message about another packet: RFC 792 types 3, 4, 5, 11 and 12, RFC 4443 types below 128.
 *
 * @param rest the four bytes before the quoted packet: an MTU, a pointer, a gateway
 * @param quote the beginning of the packet that it is about
 */
public record IcmpError(int type, int code, int rest, Packet quote) implements Body {}
