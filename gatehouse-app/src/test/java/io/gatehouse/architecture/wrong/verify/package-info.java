/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.verify;

import org.jspecify.annotations.NullMarked;
