/** The command line: reads arguments, hands them to the rooms below, prints their answers. */
@NullMarked
package io.gatehouse.cli;

import org.jspecify.annotations.NullMarked;
