/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.packet;

import org.jspecify.annotations.NullMarked;
