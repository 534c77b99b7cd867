/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.snapshot;

import org.jspecify.annotations.NullMarked;
