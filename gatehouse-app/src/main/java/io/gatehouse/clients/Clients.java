package io.gatehouse.clients;

import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.Recipe.Weight;
import io.gatehouse.compile.Compiled;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Tunnel;
import java.util.List;

/** Sets up the other end of a described tunnel. */
public final class Clients {
  private Clients() {}

  /** How one end of a tunnel is set up. */
  public static Recipe of(
      Gateway gateway, Compiled compiled, Tunnel tunnel, Platform platform, Known known) {
    if (platform == Platform.DHCP) {
      return DhcpRoutes.recipe(compiled, tunnel);
    }
    return switch (tunnel) {
      case Tunnel.RemoteAccess access -> {
        Wanted wanted = new Wanted(gateway, access, known);
        yield switch (platform) {
          case WINDOWS -> Windows.recipe(wanted);
          case APPLE -> Apple.recipe(wanted);
          case ANDROID -> Android.recipe(wanted);
          case LINUX -> Linux.recipe(wanted);
          case IKEV1 -> Ikev1.recipe(wanted);
          case DHCP -> throw new IllegalStateException("answered above");
        };
      }
      case Tunnel.L2tp l2tp when platform == Platform.WINDOWS ->
          WindowsL2tp.recipe(gateway, l2tp, known);
      case Tunnel.L2tp l2tp ->
          refused(
              platform,
              tunnel,
              tunnel.name()
                  + " is L2TP: that is written for Windows only. Give other clients a tunnel of"
                  + " type remote-access, which all of them know.");
      case Tunnel.Client client ->
          refused(
              platform,
              tunnel,
              "Of "
                  + tunnel.name()
                  + " this host is the client itself: `gatehouse plan --format swanctl` has its"
                  + " part.");
      case Tunnel.SiteToSite site ->
          refused(
              platform,
              tunnel,
              tunnel.name()
                  + " joins two sites and has no clients. `gatehouse plan --format swanctl` has its"
                  + " part, `--for dhcp` what hosts of the LAN need.");
    };
  }

  static Recipe refused(Platform platform, Tunnel tunnel, String why) {
    return new Recipe(
        platform,
        tunnel.name(),
        List.of(),
        List.of(),
        List.of(),
        List.of(new Remark(Weight.FAILS, why)),
        List.of(),
        List.of(),
        tunnel.origin());
  }
}
