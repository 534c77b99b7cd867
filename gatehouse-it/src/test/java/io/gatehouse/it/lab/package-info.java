/** The laboratory from Java: a kernel that has what a test needs, hosts, wires, peers, probes. */
@NullMarked
package io.gatehouse.it.lab;

import org.jspecify.annotations.NullMarked;
