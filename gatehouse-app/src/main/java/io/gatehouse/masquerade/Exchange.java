package io.gatehouse.masquerade;

import io.gatehouse.packet.Ike;

/**
 * One exchange of IKE from which an inbound SPI may come, as far as it has been seen.
 *
 * <p>What an exchange makes possible depends on who asks. Where the host asks (version 2), the
 * remote has the SAs as soon as it has answered, and its first packet may overtake the answer;
 * where the remote asks, it has them with our answer. In Quick Mode (RFC 2409, 5.5) it is the third
 * message, or the second where the remote began.
 */
final class Exchange {
  /** How far it has got. */
  enum State {
    /** Nothing can come of it yet. */
    ASKED,
    /** Our message is kept back. */
    HELD,
    /** Quick Mode: the second message was seen. */
    ANSWERED,
    /** A packet of the new SA may come, though the exchange has not been seen to end. */
    LIKELY,
    /** It has ended well: one new inbound SPI is to come. */
    DONE,
    /** An SPI was bound on its strength. */
    CONSUMED,
    /** It made a new IKE SA, whose cookies have not been seen. */
    IKE_ALONE
  }

  /** A packet is that much before the answer that was sent ahead of it, at most. */
  private static final long OVERTAKES = 1_000;

  final int host;
  final long cookie;
  final int message;
  final boolean fromInside;
  final int kind;

  /** Whether the request was seen, and not the answer alone. */
  final boolean asked;

  /** Type of the first payload inside the first message that was seen; version 2. */
  final int inner;

  /** Bytes of the first message. */
  final long length;

  State state;

  /** When the last message of it was seen, in milliseconds. */
  long last;

  /** When an SPI became possible, or the message was held. */
  long since;

  /** Whether its message has had its turn: it is held once. */
  boolean released;

  Exchange(int host, Ike first, boolean fromInside, State state, long now) {
    this.host = host;
    this.cookie = first.initiator();
    this.message = first.messageId();
    this.kind = first.exchange();
    this.asked = first.major() == 1 || !first.answers();
    this.inner = first.inner();
    this.length = first.length();
    this.fromInside = fromInside;
    this.state = state;
    this.last = now;
    this.since = now;
  }

  void become(State next, long now) {
    if (state != next && !(isPlausible() && next == State.DONE)) {
      since = now;
    }
    state = next;
  }

  /** Whether a new inbound SPI of its host may appear because of it. */
  boolean isPlausible() {
    return state == State.LIKELY || state == State.DONE;
  }

  /**
   * Whether an SPI whose first packet came at this time may come of it: nothing is sent under an SA
   * that is not agreed on yet.
   */
  boolean mayExplain(long first) {
    // Of an answer alone it is not known when it became possible: the first packet may overtake it.
    return isPlausible() && since <= first + (asked ? 0 : OVERTAKES);
  }

  /**
   * Whether it replaces SAs of before: a request that begins with a notification, REKEY_SA (RFC
   * 7296, 1.3.3), or Quick Mode, of which it is assumed.
   */
  boolean replaces() {
    return kind == Ike.QUICK_MODE
        || (kind == Ike.CREATE_CHILD_SA && asked && inner == Ike.NOTIFY_PAYLOAD);
  }

  /** Whether it may turn out to have made a new IKE SA only (RFC 7296, 1.3.2). */
  boolean mayConcernIkeAlone() {
    return kind == Ike.CREATE_CHILD_SA && asked && inner != Ike.NOTIFY_PAYLOAD;
  }
}
