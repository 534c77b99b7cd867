package io.gatehouse.packet;

/**
 * Stands where something should stand that cannot be read.
 *
 * @param offset of the byte that is wrong, or of the first one that is lacking, counted from the
 *     first byte that the parser was given
 * @param what is wrong, in words
 */
public record Malformed(int offset, String what) implements Packet, Body, Udp.Content {}
