/**
 * PPTP's calls (RFC 2637) of hosts that share one address, and of servers among them: gives each a
 * Call ID that nobody else has with that remote, and writes it into the control connection. The
 * kernel translates the data by maps. No I/O, no clock of its own.
 */
@NullMarked
package io.gatehouse.pptp;

import org.jspecify.annotations.NullMarked;
