/** The daemon as a process, on real kernels. */
@NullMarked
package io.gatehouse.it.daemon;

import org.jspecify.annotations.NullMarked;
