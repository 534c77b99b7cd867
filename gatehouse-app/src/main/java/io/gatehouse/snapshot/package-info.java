/**
 * Reads a host, live or from files: what nft, iptables-save, ip and conntrack print, and /proc.
 * Nothing here changes anything. {@link io.gatehouse.snapshot.Snapshot} is what a change has to
 * know, and takes what it does not understand as absent; {@link io.gatehouse.snapshot.SeenHost} is
 * what the model of the path has to know, and carries it as open. No reader throws on what a tool
 * prints.
 */
@NullMarked
package io.gatehouse.snapshot;

import org.jspecify.annotations.NullMarked;
