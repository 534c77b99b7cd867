package io.gatehouse.pptp;

import io.gatehouse.model.Address;

/**
 * A call of a host inside.
 *
 * @param id that the remote was told: what it sends under this is the host's
 * @param own Call ID that the host has chosen
 */
public record Call(Address host, Address remote, int id, int own) {}
