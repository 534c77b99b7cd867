/** Changes of a kernel's state, in network namespaces of their own. */
@NullMarked
package io.gatehouse.apply;

import org.jspecify.annotations.NullMarked;
