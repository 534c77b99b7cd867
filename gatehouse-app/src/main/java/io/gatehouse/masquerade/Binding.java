package io.gatehouse.masquerade;

import io.gatehouse.model.Address;

/**
 * An inbound SPI and its host.
 *
 * @param since milliseconds of the engine's clock, to 256 ms
 * @param seen when traffic was last seen, likewise
 */
public record Binding(
    Address remote, int spi, Address host, Evidence evidence, long since, long seen) {}
