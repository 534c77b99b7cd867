package io.gatehouse.vici;

import io.gatehouse.model.Address;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An IKE SA: a peer that proved who it is.
 *
 * @param connection its name in the IKE daemon's configuration
 * @param id unique while the daemon runs
 * @param remote where the peer is, as far as it is known; with NAT, where it seems to be
 * @param remoteId who it is, by IKE
 * @param eapId who it is by EAP, where it proved that
 * @param xauthId who it is by XAuth (IKEv1), where it proved that
 * @param virtual the addresses that it was given
 * @param since how long it stands
 * @param children the SAs below it, as far as the telling knows them
 * @param cookie its initiator's (RFC 7296: SPI), which its messages bear; empty where that is not
 *     told
 */
public record IkeSa(
    String connection,
    long id,
    Optional<Endpoint> local,
    Optional<Endpoint> remote,
    Optional<String> remoteId,
    Optional<String> eapId,
    Optional<String> xauthId,
    List<Address> virtual,
    Optional<Duration> since,
    List<ChildSa> children,
    OptionalLong cookie) {

  /** An address with its port. */
  public record Endpoint(Address address, int port) {
    @Override
    public String toString() {
      return address.family() == io.gatehouse.model.Family.V4
          ? address + ":" + port
          : "[" + address + "]:" + port;
    }
  }

  public IkeSa {
    virtual = List.copyOf(virtual);
    children = List.copyOf(children);
  }

  /** The same with other children. */
  public IkeSa with(List<ChildSa> others) {
    return new IkeSa(
        connection, id, local, remote, remoteId, eapId, xauthId, virtual, since, others, cookie);
  }

  /** The same with other identities. */
  IkeSa with(Optional<String> eap, Optional<String> xauth) {
    return new IkeSa(
        connection, id, local, remote, remoteId, eap, xauth, virtual, since, children, cookie);
  }
}
