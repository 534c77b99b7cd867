package io.gatehouse.daemon;

import io.gatehouse.model.Address;

/**
 * A client that this host answers for on a link, by proxy ARP or proxy neighbour advertisements.
 *
 * @param device the link's, by its name
 */
record Presence(Address address, String device) {}
