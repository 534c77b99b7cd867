/**
 * What the masquerade's live maps do not know: takes these packets from the kernel, asks the
 * engine, writes maps, and lets the packets go on.
 */
@NullMarked
package io.gatehouse.slowpath;

import org.jspecify.annotations.NullMarked;
