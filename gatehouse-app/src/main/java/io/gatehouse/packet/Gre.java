package io.gatehouse.packet;

import java.util.OptionalLong;

/**
 * Generic routing encapsulation, version 0 (RFC 2784, key and sequence number of RFC 2890).
 *
 * @param protocol Ethernet type of what it carries
 */
public record Gre(int protocol, OptionalLong key, OptionalLong sequence, Bytes data)
    implements Body {}
