package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A text that belongs to a ruleset but goes to somebody else than the kernel: the IKE daemon, a
 * router, a DHCP server. We write it, the operator puts it there.
 */
public sealed interface Companion {
  /** The tunnel or network that it is for. */
  String subject();

  /** Where it goes, in a few words. */
  String destination();

  /** The text itself, every line ended. */
  String text();

  Origin origin();

  /** A route for hosts and routers that are not this gateway. */
  record Route(Prefix destination, Address nextHop) {
    /** In iproute2's words. */
    @Override
    public String toString() {
      return "ip route add " + destination + " via " + nextHop;
    }
  }

  /**
   * A tunnel's part of swanctl.conf.
   *
   * @param subject the tunnel
   */
  record SwanctlFragment(String subject, String text, Origin origin) implements Companion {
    @Override
    public String destination() {
      return "/etc/swanctl/conf.d/" + subject + ".conf";
    }
  }

  /**
   * The way back for a network whose default gateway is another router: that router's static
   * routes.
   *
   * @param subject the network
   * @param router the routers that need them, as the description names them
   */
  record StaticRoutes(String subject, List<Address> router, List<Route> routes, Origin origin)
      implements Companion {
    public StaticRoutes {
      router = List.copyOf(router);
      routes = List.copyOf(routes);
    }

    @Override
    public String destination() {
      return "the router of "
          + subject
          + router.stream().map(Address::toString).collect(Collectors.joining(", ", " (", ")"));
    }

    @Override
    public String text() {
      return routes.stream()
          .map(route ->
              route.destination() + " is behind " + route.nextHop() + ":\n  " + route + "\n")
          .collect(Collectors.joining());
    }
  }

  /**
   * The way back for a network whose default gateway is another router: what its DHCP server tells
   * the hosts, as classless static routes (RFC 3442).
   *
   * @param subject the network
   * @param routes the default route among them: a host that gets option 121 ignores option 3 (RFC
   *     3442, DHCP Client Behavior)
   */
  record DhcpRoutes(String subject, List<Route> routes, Origin origin) implements Companion {
    public DhcpRoutes {
      routes = List.copyOf(routes);
    }

    @Override
    public String destination() {
      return "the DHCP server of " + subject;
    }

    /**
     * The option's value: for each route the length of its prefix, the prefix's significant octets,
     * and the next hop. Option 249, which older Windows asks for, has the same value.
     */
    public byte[] value() {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (Route route : routes) {
        int length = route.destination().length();
        bytes.write(length);
        bytes.write(route.destination().first().bytes(), 0, (length + 7) / 8);
        bytes.writeBytes(route.nextHop().bytes());
      }
      return bytes.toByteArray();
    }

    /** The value in hex, two digits to a byte, without separators. */
    public String hex() {
      return HexFormat.of().formatHex(value());
    }

    @Override
    public String text() {
      return "option 121 (classless static routes): "
          + hex()
          + "\noption 249 (the same, Microsoft):     "
          + hex()
          + "\n";
    }
  }
}
