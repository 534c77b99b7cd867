package io.gatehouse.packet;

/** What an IP packet carries. */
public sealed interface Body
    permits Ah,
        Esp,
        Gre,
        Icmp,
        IcmpError,
        LaterFragment,
        Malformed,
        Other,
        Ports,
        PptpGre,
        Tcp,
        Udp {}
