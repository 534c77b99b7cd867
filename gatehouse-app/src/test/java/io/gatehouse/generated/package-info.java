/** Descriptions drawn by lot, for properties that hold for every one. */
@NullMarked
package io.gatehouse.generated;

import org.jspecify.annotations.NullMarked;
