/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.compile;

import org.jspecify.annotations.NullMarked;
