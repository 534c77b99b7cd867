/**
 * A deterministic simulator of IPsec hosts behind one address, by which ways to find a packet's
 * host are compared: hours in seconds. Its parameters are described and frozen in
 * docs/masquerade.md. It stands among the tests of what is shipped, because `./verify` runs a short
 * form of it; the long form has the tag `full` and writes docs/results/masquerade.md.
 */
@NullMarked
package io.gatehouse.simulator;

import org.jspecify.annotations.NullMarked;
