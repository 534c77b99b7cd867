/** Benchmarks, run by hand; their results live in {@code docs/results}. */
@NullMarked
package io.gatehouse.bench;

import org.jspecify.annotations.NullMarked;
