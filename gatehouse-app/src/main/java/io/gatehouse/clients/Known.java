package io.gatehouse.clients;

import java.util.List;
import java.util.Optional;

/**
 * What a description does not know and somebody has said.
 *
 * @param server the gateway's name or address, as clients call it and as its certificate has it
 * @param authentication how clients prove who they are
 * @param domains whose names the tunnel's name servers are asked for
 * @param authority the certificate that signed the gateway's, in base64 of its DER
 */
public record Known(
    Optional<String> server,
    Authentication authentication,
    List<String> domains,
    Optional<String> authority) {

  /** How clients prove who they are; the gateway always has a certificate, except with PSK. */
  public enum Authentication {
    /** A name and a password (EAP-MSCHAPv2). */
    EAP,
    /** A certificate of the client's own. */
    CERTIFICATE,
    /** One secret for all: for trials. */
    PSK
  }

  public Known {
    domains = List.copyOf(domains);
  }

  /** Nothing but that clients have names and passwords. */
  public static Known nothing() {
    return new Known(Optional.empty(), Authentication.EAP, List.of(), Optional.empty());
  }
}
