/**
 * Gatehouse, the traffic plane of a Linux VPN gateway.
 *
 * <p>Data takes one road: {@code config} reads a description into the {@code model}, {@code
 * compile} turns it into one ruleset, {@code verify} proves it, {@code apply} puts it into the
 * kernel. Packages use each other downwards only; a test keeps it so.
 */
@NullMarked
package io.gatehouse;

import org.jspecify.annotations.NullMarked;
