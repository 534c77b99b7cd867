/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.apply;

import org.jspecify.annotations.NullMarked;
