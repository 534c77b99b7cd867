/**
 * Hosts inside say themselves under which SPI they receive: one line over TLS, both ends with a
 * certificate. The seed's "best solution" (VPN Masquerade HOWTO, 6.2), and RFC 3102's idea.
 */
@NullMarked
package io.gatehouse.registration;

import org.jspecify.annotations.NullMarked;
