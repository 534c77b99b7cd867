/**
 * What is wrong with a gateway, ours or anybody's, as far as its state shows it: each finding with
 * a witness or a counter, its cause, and the command that mends it. What could not be judged is
 * said. docs/doctor.md lists the findings.
 */
@NullMarked
package io.gatehouse.doctor;

import org.jspecify.annotations.NullMarked;
