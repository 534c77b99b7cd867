package io.gatehouse.netlink;

/**
 * A message that we do not read.
 *
 * @param type its number
 * @param position of its body in the datagram
 */
public record Unknown(int type, int position)
    implements NftMessage, XfrmMessage, RouteMessage, QueueMessage {}
