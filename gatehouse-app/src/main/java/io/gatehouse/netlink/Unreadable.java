package io.gatehouse.netlink;

/**
 * A message that breaks its own lengths, or says what cannot be.
 *
 * @param position of the byte where, in its datagram
 * @param why in a few words
 */
public record Unreadable(int position, String why)
    implements NftMessage, XfrmMessage, RouteMessage, QueueMessage {}
