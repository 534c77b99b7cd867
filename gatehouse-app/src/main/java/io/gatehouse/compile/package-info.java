/**
 * From a description to the one ruleset, and to the texts that belong to it. Pure: no I/O, no
 * clock.
 */
@NullMarked
package io.gatehouse.compile;

import org.jspecify.annotations.NullMarked;
