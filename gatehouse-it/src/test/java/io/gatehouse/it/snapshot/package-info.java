/** Kernels read back: what stands there is what was put there. */
@NullMarked
package io.gatehouse.it.snapshot;

import org.jspecify.annotations.NullMarked;
