/**
 * Where a VPN session breaks: packets seen at up to four points of its way, counted by what they
 * belong to, followed through NAT by what NAT does not change, and judged. No I/O; times are those
 * of the packets, and those of two points are never compared.
 */
@NullMarked
package io.gatehouse.diagnose;

import org.jspecify.annotations.NullMarked;
