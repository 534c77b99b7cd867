/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.model;

import org.jspecify.annotations.NullMarked;
