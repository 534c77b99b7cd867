/**
 * Follows the IKE daemon: strongSwan's charon over its VICI socket ({@link
 * io.gatehouse.vici.Charon}), any other by an updown hook ({@link io.gatehouse.vici.Updown}). Both
 * tell the same {@link io.gatehouse.vici.TunnelEvent events}. What comes malformed is a value, and
 * ends the connection that it came by; whoever follows is told, and told everything anew after the
 * next connection.
 */
@NullMarked
package io.gatehouse.vici;

import org.jspecify.annotations.NullMarked;
