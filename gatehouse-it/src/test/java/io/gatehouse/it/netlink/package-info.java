/** What we write to and read from real kernels by netlink. */
@NullMarked
package io.gatehouse.it.netlink;

import org.jspecify.annotations.NullMarked;
