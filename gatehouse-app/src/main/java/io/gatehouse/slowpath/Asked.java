package io.gatehouse.slowpath;

import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ip;

/**
 * A packet about which the kernel asks.
 *
 * @param inbound whether it came from the world
 * @param raw from the IP header on
 */
record Asked(QueuedPacket queued, boolean inbound, Ip packet, Bytes raw) {}
