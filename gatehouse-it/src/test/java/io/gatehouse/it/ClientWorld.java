package io.gatehouse.it;

/** A host that is the VPN client of a headquarters, its LAN, and what is between the two. */
public final class ClientWorld {
  /** Hosts gw, pc, net and hq, as the lab's network takes them. */
  public static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 -- net:gw 203.0.113.1/24
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire net:hq 198.51.100.1/24 -- hq:eth0 198.51.100.7/24 10.20.0.10/32
      route gw default via 203.0.113.1
      route pc default via 10.0.1.1
      route hq default via 198.51.100.1
      route net 10.0.0.0/8 via 198.51.100.7
      set net net.ipv4.ip_forward=1
      """;

  /** What an operator puts beside our fragment for the tunnel hq. */
  public static final String OURS =
      """
      connections {
        hq {
          local { auth = psk }
          remote { auth = psk }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private ClientWorld() {}
}
