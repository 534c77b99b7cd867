/** Wrong on purpose: what RoomsTest must see. */
@NullMarked
package io.gatehouse.architecture.wrong.config;

import org.jspecify.annotations.NullMarked;
