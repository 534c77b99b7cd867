package io.gatehouse.packet;

/**
 * An authentication header (RFC 4302). It covers the addresses, so that no translator can let it
 * through.
 *
 * @param protocol of what follows it
 * @param length bytes of the header itself
 */
public record Ah(int protocol, int length, int spi, int sequence) implements Body {}
