/**
 * From a description to everything that it asks of the kernel: nftables, xfrm backstop, routing,
 * sysctls. Pure; the same description always gives the same value. One small class to a chain or
 * concern, {@link Compiler} puts them together.
 */
@NullMarked
package io.gatehouse.compile;

import org.jspecify.annotations.NullMarked;
