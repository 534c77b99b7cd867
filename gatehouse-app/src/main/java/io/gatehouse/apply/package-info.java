/**
 * Puts a ruleset into the kernel, or takes it back, so that a kill at any point leaves the old or
 * the new state. Here the change is computed and written down; the shell script {@code hand.sh}
 * carries it out, also where no Java runs: at rollback, when a confirmation does not come, and at
 * boot.
 */
@NullMarked
package io.gatehouse.apply;

import org.jspecify.annotations.NullMarked;
