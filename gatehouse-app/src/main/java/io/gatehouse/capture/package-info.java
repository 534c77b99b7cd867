/**
 * Files of captured packets, pcap and pcapng, also in gzip, as frames and the IP packets in them.
 */
@NullMarked
package io.gatehouse.capture;

import org.jspecify.annotations.NullMarked;
