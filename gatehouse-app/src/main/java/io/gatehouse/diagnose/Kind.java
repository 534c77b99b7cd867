package io.gatehouse.diagnose;

import java.util.Locale;

/** What can be wrong with a session, in the order in which one wants to know it. */
public enum Kind {
  /** No packet of a VPN anywhere. */
  NOTHING_SEEN,
  /** Packets leave with an address that nobody can answer to. */
  NOT_TRANSLATED,
  /** A router or host says that it refuses. */
  REFUSED,
  /** Packets go in a circle. */
  LOOP,
  /** All kinds of packets vanish at one place. */
  EVERYTHING_LOST,
  /** AH cannot pass NAT. */
  AH_BEHIND_NAT,
  /** IKE's first port is blocked. */
  UDP_500_LOST,
  /** IKE's second port is blocked. */
  UDP_4500_LOST,
  /** ESP is blocked. */
  ESP_LOST,
  /** ESP in UDP is blocked. */
  ESP_IN_UDP_LOST,
  /** AH is blocked. */
  AH_LOST,
  /** PPTP's control connection is blocked. */
  TCP_1723_LOST,
  /** PPTP's data is blocked. */
  GRE_LOST,
  /** L2TP is blocked. */
  UDP_1701_LOST,
  /** Only fragments vanish. */
  FRAGMENTS_LOST,
  /** Only large packets vanish. */
  MTU,
  /** Requests arrive and nobody answers. */
  NO_ANSWER,
  /** The answer comes from another address than the one asked. */
  OTHER_SOURCE,
  /** ISAKMP with an initiator cookie of zero. */
  ZERO_COOKIE,
  /** The peer does not know the session any more. */
  UNKNOWN_COOKIE,
  /** The peer does not know the SA any more. */
  UNKNOWN_SPI,
  /** IKE of a version that the peer does not have. */
  WRONG_VERSION,
  /** No proposal is acceptable. */
  NO_PROPOSAL,
  /** The key exchange group is never agreed on. */
  WRONG_GROUP,
  /** The server asks for its cookie again and again. */
  COOKIE_LOOP,
  /** One end refuses what the other proves. */
  AUTH_REFUSED,
  /** IKE_AUTH gets no answer although IKE_SA_INIT did. */
  AUTH_UNANSWERED,
  /** Main Mode never ends. */
  PHASE_1_STUCK,
  /** Quick Mode never ends. */
  PHASE_2_STUCK,
  /** The IKE SA stands and a CHILD_SA is refused. */
  CHILD_REFUSED,
  /** All is agreed, and given up at once. */
  DELETED_AT_ONCE,
  /** All is agreed, and no packet is protected. */
  NO_ESP,
  /** ESP goes, and none comes. */
  ESP_UNANSWERED,
  /** GRE goes, and none comes. */
  GRE_UNANSWERED,
  /** A packet for one client is given to another. */
  MISDELIVERED,
  /** A second client's session ends the first one's. */
  SECOND_SESSION,
  /** A translator has forgotten an idle session. */
  ASSOCIATION_EXPIRED,
  /** What a rekeying brought does not pass. */
  NEW_SPI_LOST,
  /** Some messages of IKE vanish, others do not. */
  MESSAGES_LOST,
  /** The peer has stopped answering. */
  DEAD_PEER,
  /** The server refuses PPTP's call. */
  CALL_REFUSED,
  /** PPP finds no common encryption. */
  MPPE_REFUSED,
  /** The VPN password is wrong. */
  PASSWORD_REFUSED,
  /** L2TP leaves without IPsec. */
  L2TP_IN_CLEAR,
  /** An SPI that may not be on the wire. */
  ZERO_SPI;

  /** Its word in answers. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
