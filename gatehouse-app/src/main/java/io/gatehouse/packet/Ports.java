package io.gatehouse.packet;

/** As much of a TCP header as an ICMP error quotes at least (RFC 792): its first eight bytes. */
public record Ports(int protocol, int source, int destination) implements Body {}
