package io.gatehouse.compile;

import io.gatehouse.model.Origin;

/**
 * A text for somebody else's configuration that belongs to a ruleset: without it the ruleset is
 * right and the traffic still does not flow.
 *
 * @param kind where the text goes
 * @param subject the name of the tunnel or network that it is for
 * @param text ready to be copied, lines ended by a newline
 */
public record Companion(Kind kind, String subject, String text, Origin origin) {
  /** Whose configuration it is. */
  public enum Kind {
    /** A connection of strongSwan's swanctl.conf. */
    SWANCTL,
    /** Routes for a LAN's default gateway or its hosts. */
    STATIC_ROUTES,
    /** Options 121 and 249 for a LAN's DHCP server. */
    DHCP_OPTIONS
  }
}
