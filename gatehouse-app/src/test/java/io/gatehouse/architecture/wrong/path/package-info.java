/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.path;

import org.jspecify.annotations.NullMarked;
