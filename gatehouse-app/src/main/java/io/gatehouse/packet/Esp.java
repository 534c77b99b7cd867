package io.gatehouse.packet;

/**
 * An encapsulating security payload (RFC 4303), as IP protocol 50 or in UDP port 4500 (RFC 3948).
 *
 * @param spi 32 bits; 0 is never on the wire, 1 to 255 are reserved
 * @param sequence 32 bits; the first packet of an SA bears 1
 * @param length bytes, from the SPI on
 */
public record Esp(int spi, int sequence, int length) implements Body, Udp.Content {

  /** The SPI as a number without sign. */
  public long spiNumber() {
    return spi & 0xffffffffL;
  }

  /** The sequence number without sign. */
  public long sequenceNumber() {
    return sequence & 0xffffffffL;
  }
}
