package io.gatehouse.netlink;

/** What the kernel tells of a queue of packets (linux/netfilter/nfnetlink_queue.h). */
public sealed interface QueueMessage permits QueuedPacket, Unknown, Unreadable {}
