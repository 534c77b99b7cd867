/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.vici;

import org.jspecify.annotations.NullMarked;
