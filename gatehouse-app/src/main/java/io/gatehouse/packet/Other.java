package io.gatehouse.packet;

/** The body of a protocol that is not told apart here. */
public record Other(int protocol, Bytes data) implements Body {}
