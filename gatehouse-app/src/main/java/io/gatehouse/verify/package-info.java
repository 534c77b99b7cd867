/**
 * Properties of a gateway, proved over all packets and every state of its tunnels, on the very
 * ruleset that would be applied. What a property means is taken from the description itself, not
 * from what compile made of it: two ways to the same answer.
 */
@NullMarked
package io.gatehouse.verify;

import org.jspecify.annotations.NullMarked;
