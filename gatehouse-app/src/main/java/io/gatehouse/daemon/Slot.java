package io.gatehouse.daemon;

import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.SetId;

/** A place in a live map. */
record Slot(SetId map, Bytes key) {}
