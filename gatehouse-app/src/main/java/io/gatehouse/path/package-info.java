/**
 * The packet's way through Linux, for all packets at once. A packet is symbolic: every bit of every
 * field is a function of the packet as it arrived, and every set of packets is a decision diagram
 * over the arrived packet. Following one packet is the same walk with a set of one, so that a trace
 * and a proof cannot disagree. What is modelled, hook by hook, is written in docs/model.md.
 */
@NullMarked
package io.gatehouse.path;

import org.jspecify.annotations.NullMarked;
