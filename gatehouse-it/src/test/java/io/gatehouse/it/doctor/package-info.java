/** The doctor's findings, made on a kernel, named, cured by their own remedy, and gone. */
@NullMarked
package io.gatehouse.it.doctor;

import org.jspecify.annotations.NullMarked;
