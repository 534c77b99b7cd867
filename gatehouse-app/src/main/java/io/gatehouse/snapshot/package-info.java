/**
 * Reads the live host: what nft, ip and conntrack print, and /proc. Nothing here changes anything.
 * Every reader takes what it does not understand as absent and never throws on what a tool prints.
 */
@NullMarked
package io.gatehouse.snapshot;

import org.jspecify.annotations.NullMarked;
