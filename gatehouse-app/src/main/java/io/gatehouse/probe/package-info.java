/**
 * Which VPN protocols reach a host, and the hop behind which one ends: a few packets with rising
 * hop limits, and what comes back.
 */
@NullMarked
package io.gatehouse.probe;

import org.jspecify.annotations.NullMarked;
