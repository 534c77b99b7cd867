package io.gatehouse.packet;

import java.util.OptionalLong;

/**
 * PPTP's data: GRE version 1 (RFC 2637, 4.1).
 *
 * @param payloadLength bytes, without this header
 * @param callId that the recipient has chosen
 */
public record PptpGre(
    int payloadLength, int callId, OptionalLong sequence, OptionalLong acknowledgment, Bytes data)
    implements Body {}
