/**
 * What has to stand on the client's end of a tunnel so that the description is true there too: for
 * each operating system the text that sets it up, which networks then really go through the tunnel,
 * and where the system does something else. No I/O, no clock.
 */
@NullMarked
package io.gatehouse.clients;

import org.jspecify.annotations.NullMarked;
