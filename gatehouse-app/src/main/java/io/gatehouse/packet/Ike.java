package io.gatehouse.packet;

/**
 * The header of an IKE message, of version 1 (ISAKMP, RFC 2408, 3.1) or 2 (RFC 7296, 3.1), and the
 * two things behind it that are in clear even where the rest is not.
 *
 * @param initiator cookie, or SPI, of who began the IKE SA
 * @param responder cookie, or SPI; 0 until the first answer
 * @param nextPayload type of the first payload
 * @param major 1 or 2; others are passed on as they are
 * @param length bytes of the message, as the header says, unsigned
 * @param inner type of the first payload inside the encrypted one (RFC 7296, 3.14); 0 where there
 *     is none, or it cannot be told
 * @param part number of this part of a fragmented message (RFC 7383, 2.5), from 1; 0 where it is
 *     whole
 */
public record Ike(
    long initiator,
    long responder,
    int nextPayload,
    int major,
    int minor,
    int exchange,
    int flags,
    int messageId,
    long length,
    int inner,
    int part)
    implements Udp.Content {

  /** Bytes of the header. */
  public static final int HEADER = 28;

  /** Version 1: Main Mode, identities protected. */
  public static final int MAIN_MODE = 2;

  /** Version 1: Aggressive Mode. */
  public static final int AGGRESSIVE = 4;

  /** Version 1: one message, a notification or a deletion. */
  public static final int INFORMATIONAL_V1 = 5;

  /** Version 1: configuration mode and XAUTH. */
  public static final int TRANSACTION = 6;

  /** Version 1: the three messages that make a pair of SAs (RFC 2409, 5.5). */
  public static final int QUICK_MODE = 32;

  /** Version 2: the first two messages. */
  public static final int SA_INIT = 34;

  /** Version 2: identities, and the first pair of SAs. */
  public static final int AUTH = 35;

  /** Version 2: a further pair of SAs, a new one for an old one, or a new IKE SA. */
  public static final int CREATE_CHILD_SA = 36;

  /** Version 2: deletions, notifications, or a sign of life. */
  public static final int INFORMATIONAL = 37;

  /** Version 2: RFC 9242, between the first two exchanges. */
  public static final int INTERMEDIATE = 43;

  /** Payload types of version 2: a proposal, a notification, EAP, authentication. */
  public static final int SA_PAYLOAD = 33;

  /** A responder's identity. */
  public static final int IDR_PAYLOAD = 36;

  /** An authentication. */
  public static final int AUTH_PAYLOAD = 39;

  /** A notification. */
  public static final int NOTIFY_PAYLOAD = 41;

  /** A deletion. */
  public static final int DELETE_PAYLOAD = 42;

  /** Payloads, encrypted. */
  public static final int ENCRYPTED_PAYLOAD = 46;

  /** EAP within IKE_AUTH. */
  public static final int EAP_PAYLOAD = 48;

  /** A part of encrypted payloads (RFC 7383). */
  public static final int FRAGMENT_PAYLOAD = 53;

  private static final int FROM_INITIATOR = 0x08;
  private static final int ANSWER = 0x20;

  /** Version 2: whether who sends it began the IKE SA. */
  public boolean fromInitiator() {
    return (flags & FROM_INITIATOR) != 0;
  }

  /** Version 2: whether it answers a request. */
  public boolean answers() {
    return (flags & ANSWER) != 0;
  }
}
