package io.gatehouse.architecture.wrong.packet;

import io.gatehouse.architecture.wrong.model.UsesPacket;

/** One half of a cycle; this half is allowed. */
public record Header(java.util.Optional<UsesPacket> address) {}
