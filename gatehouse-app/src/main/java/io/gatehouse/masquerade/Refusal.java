package io.gatehouse.masquerade;

import io.gatehouse.model.Address;

/**
 * A packet that was refused.
 *
 * @param at milliseconds of the engine's clock
 * @param inside the host that sent it, or 0.0.0.0 where it came from outside
 */
public record Refusal(long at, Reason reason, Address inside, Address remote) {}
