@NullMarked
package io.gatehouse.it.masquerade;

import org.jspecify.annotations.NullMarked;
