/**
 * What compile makes, on a real kernel: at least one packet that must pass and one that must not.
 */
@NullMarked
package io.gatehouse.it.compile;

import org.jspecify.annotations.NullMarked;
