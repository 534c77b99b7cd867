/**
 * The one value that is compiled, proved, shown, applied, journalled and read back: nftables, xfrm
 * policies, routing rules, routes, proxy neighbours and sysctls, each element with its origin; and
 * the texts that nft(8) and ip(8) understand. Its nftables part is wide enough for other people's
 * rules too.
 */
@NullMarked
package io.gatehouse.ruleset;

import org.jspecify.annotations.NullMarked;
