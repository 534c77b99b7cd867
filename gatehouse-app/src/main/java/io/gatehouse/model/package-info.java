/**
 * What a gateway is: the description as values, every one with the place it was written at. No I/O,
 * no clock.
 */
@NullMarked
package io.gatehouse.model;

import org.jspecify.annotations.NullMarked;
