/** Tests on real kernels, with real peers, and of the programs that a user starts. */
@NullMarked
package io.gatehouse.it;

import org.jspecify.annotations.NullMarked;
