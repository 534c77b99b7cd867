package io.gatehouse.clients;

import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.Recipe.Weight;
import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Companion.Route;
import io.gatehouse.compile.Compiled;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The way back to a tunnel's addresses for networks whose hosts have another default gateway: DHCP
 * options 121 (RFC 3442) and 249 in the words of some servers, and static routes for the router.
 */
final class DhcpRoutes {
  private static final HexFormat BYTES = HexFormat.ofDelimiter(":");

  private DhcpRoutes() {}

  static Recipe recipe(Compiled compiled, Tunnel tunnel) {
    List<Prefix> far = tunnel.farPrefixes().stream().map(Located::value).toList();
    List<Artifact> files = new ArrayList<>();
    List<Remark> remarks = new ArrayList<>();
    for (Companion companion : compiled.companions()) {
      switch (companion) {
        case Companion.StaticRoutes routes when leads(routes.routes(), far) ->
            files.add(
                new Artifact(
                    routes.subject() + "-router.txt",
                    "# For "
                        + routes.destination()
                        + ", in iproute2's words.\n"
                        + routes.routes().stream()
                            .map(route -> route + "\n")
                            .collect(Collectors.joining())));
        case Companion.DhcpRoutes routes when leads(routes.routes(), far) ->
            files.add(new Artifact(routes.subject() + "-dhcp.txt", options(routes)));
        default -> {}
      }
    }
    if (files.isEmpty()) {
      remarks.add(
          new Remark(
              Weight.NOTE,
              "Nobody in the LAN has to be told anything: hosts that "
                  + tunnel.name()
                  + " has to do with send to this gateway anyway, or see its own address. Where another"
                  + " router is their default gateway, say so: `router:` under `networks:`."));
    } else {
      remarks.add(
          new Remark(
              Weight.NOTE,
              "The router's static route is enough for hosts that send to it; DHCP options spare"
                  + " the detour, for IPv4. One of the two will do."));
      remarks.add(
          new Remark(
              Weight.WARNING,
              "A host that gets option 121 ignores option 3, the router (RFC 3442): the default route is"
                  + " among the routes, and has to stay there."));
      remarks.add(
          new Remark(
              Weight.NOTE, "Windows before Vista asks for option 249 only; both may be sent."));
    }
    return new Recipe(
        Platform.DHCP,
        tunnel.name(),
        far.stream().sorted().toList(),
        List.of(),
        List.of(),
        remarks,
        files,
        List.of(),
        tunnel.origin());
  }

  private static boolean leads(List<Route> routes, List<Prefix> far) {
    return routes.stream().anyMatch(route -> far.contains(route.destination()));
  }

  private static String options(Companion.DhcpRoutes option) {
    StringBuilder text = new StringBuilder();
    text.append("# The value, byte by byte: bits of the prefix, its octets, the next hop.\n");
    for (Route route : option.routes()) {
      byte[] bytes =
          new Companion.DhcpRoutes(option.subject(), List.of(route), option.origin()).value();
      text.append(
          "#   %-30s %s via %s\n"
              .formatted(BYTES.formatHex(bytes), route.destination(), route.nextHop()));
    }
    String pairs =
        option.routes().stream()
            .map(route -> route.destination() + "," + route.nextHop())
            .collect(Collectors.joining(","));
    String hex = BYTES.formatHex(option.value());
    text.append("# dnsmasq\n");
    text.append("dhcp-option=121,").append(pairs).append('\n');
    text.append("dhcp-option=249,").append(hex).append('\n');
    text.append("# ISC dhcpd, beside: option rfc3442 code 121 = string;\n");
    text.append("#                    option ms3442 code 249 = string;\n");
    text.append("option rfc3442 ").append(hex).append(";\n");
    text.append("option ms3442 ").append(hex).append(";\n");
    text.append("# Kea, within option-data\n");
    String plain = option.hex();
    text.append("{ \"code\": 121, \"csv-format\": false, \"data\": \"")
        .append(plain)
        .append("\" }\n");
    text.append("{ \"code\": 249, \"csv-format\": false, \"data\": \"")
        .append(plain)
        .append("\" }\n");
    return text.toString();
  }
}
