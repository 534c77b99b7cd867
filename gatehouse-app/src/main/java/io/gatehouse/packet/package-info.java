/**
 * What stands in a packet's headers, as records, and their parser: IPv4, IPv6, fragments, UDP, TCP,
 * ICMP errors with what they quote, IKE on ports 500 and 4500, ESP, AH, GRE and PPTP's control
 * messages. What is malformed is a value with its offset, never an exception. No I/O, no clock.
 */
@NullMarked
package io.gatehouse.packet;

import org.jspecify.annotations.NullMarked;
