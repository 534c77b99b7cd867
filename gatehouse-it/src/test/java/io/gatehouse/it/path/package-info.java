/** What the model of the packet's path says, against what a kernel does. */
@NullMarked
package io.gatehouse.it.path;

import org.jspecify.annotations.NullMarked;
