/**
 * Which host inside an IPsec packet from outside belongs to, when many hosts share one public
 * address: packets and a clock in; verdicts, bindings with their evidence, and changes of the live
 * maps out. How it decides, and what it cannot, is written in docs/masquerade.md. No I/O, no clock
 * of its own.
 */
@NullMarked
package io.gatehouse.masquerade;

import org.jspecify.annotations.NullMarked;
