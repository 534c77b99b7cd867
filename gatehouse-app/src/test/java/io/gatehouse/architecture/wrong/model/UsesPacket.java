package io.gatehouse.architecture.wrong.model;

import io.gatehouse.architecture.wrong.packet.Header;

/** The other half of a cycle, and the wrong one. */
public record UsesPacket(java.util.List<Header> headers) {}
