package io.gatehouse.packet;

/** An ICMP message that quotes no packet: an echo, a router's advertisement. */
public record Icmp(int type, int code, Bytes data) implements Body {}
