/** Files of captured packets, pcap and pcapng, as frames and the IP packets in them. */
@NullMarked
package io.gatehouse.capture;

import org.jspecify.annotations.NullMarked;
