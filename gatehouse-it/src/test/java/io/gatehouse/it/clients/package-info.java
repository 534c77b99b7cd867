/** The other end of a tunnel, set up by what `gatehouse clients` writes. */
@NullMarked
package io.gatehouse.it.clients;

import org.jspecify.annotations.NullMarked;
