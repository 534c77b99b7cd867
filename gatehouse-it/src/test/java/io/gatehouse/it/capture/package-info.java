/** Captures as we read them, beside another reader of them. */
@NullMarked
package io.gatehouse.it.capture;

import org.jspecify.annotations.NullMarked;
