package io.gatehouse.netlink;

/**
 * A packet that the kernel keeps until somebody says what becomes of it.
 *
 * @param queue its number
 * @param id the kernel's number for it, in that queue
 * @param whole whether {@code payload} is all of it
 * @param payload from the IP header on
 */
public record QueuedPacket(int queue, long id, boolean whole, Bytes payload)
    implements QueueMessage {}
