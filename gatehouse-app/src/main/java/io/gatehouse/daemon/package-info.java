/**
 * Keeps the kernel's live maps right while tunnels come and go. One thread, the {@link
 * io.gatehouse.daemon.Conductor}, owns all state; whoever hears something only puts it into its
 * queue. What is to stand is a function of who is there; what stands is compared with it, and each
 * element with its map's contract before it is written.
 */
@NullMarked
package io.gatehouse.daemon;

import org.jspecify.annotations.NullMarked;
