/** Sessions of real peers, broken and captured, and what is said of them. */
@NullMarked
package io.gatehouse.it.diagnose;

import org.jspecify.annotations.NullMarked;
