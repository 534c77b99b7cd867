/**
 * Speaks with the kernel by netlink: the elements of nftables' sets and maps, xfrm states and
 * policies, links, addresses, neighbours, routes and rules. The only place that uses
 * java.lang.foreign, and there only {@link io.gatehouse.netlink.NetlinkSocket}; everything else is
 * bytes to records and back. A message that is truncated, too long or not known is a value with its
 * position, never an exception; a lost one ({@link io.gatehouse.netlink.Received.Overrun}) means
 * that whoever follows events has to read the state again.
 */
@NullMarked
package io.gatehouse.netlink;

import org.jspecify.annotations.NullMarked;
