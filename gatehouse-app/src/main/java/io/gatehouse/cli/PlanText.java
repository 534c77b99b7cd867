package io.gatehouse.cli;

import static java.util.stream.Collectors.joining;

import io.gatehouse.apply.Forecast;
import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.MssReckoning;
import io.gatehouse.compile.Note;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Sysctl;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** A plan for people. */
final class PlanText {
  private final Described described;
  private final Gateway gateway;
  private final Compiled compiled;
  private final Forecast forecast;
  private final Optional<Map<String, String>> now;
  private final Optional<Integer> standing;
  private final boolean explain;
  private final boolean canApply;
  private final Page page;

  /**
   * @param now the kernel's settings, where they could be read
   * @param standing how many rules of ours stand, where that could be read
   * @param canApply whether there is a command that does it
   */
  PlanText(
      Described described,
      Forecast forecast,
      Optional<Map<String, String>> now,
      Optional<Integer> standing,
      boolean explain,
      boolean canApply) {
    this.described = described;
    this.gateway = described.gateway();
    this.compiled = described.compiled();
    this.forecast = forecast;
    this.now = now;
    this.standing = standing;
    this.explain = explain;
    this.canApply = canApply;
    String file = gateway.origin().file();
    page = new Page(file.substring(0, file.lastIndexOf('/') + 1));
  }

  String text() {
    settings();
    host();
    elsewhere();
    gateway.networks().forEach(this::network);
    gateway.tunnels().forEach(this::tunnel);
    gateway.host().internet().forEach(this::internet);
    gateway.host().portForwards().forEach(this::portForward);
    gateway.identities().forEach(this::identity);
    backstop();
    wayBack();
    if (explain) {
      String name = "changes";
      for (String change : forecast.changes()) {
        page.row(name, change);
        name = "";
      }
    }
    return headline() + page.text() + remarks() + connections() + last();
  }

  private String headline() {
    String then = described.size();
    String before =
        standing
            .map(rules -> rules == 0 ? "nothing of ours" : Page.counted(rules, "rule") + " of ours")
            .orElse("not read");
    return gateway.name() + ": " + then + " (now: " + before + ")\n";
  }

  // ---- the kernel's settings

  private void settings() {
    Map<String, List<Sysctl>> groups = new LinkedHashMap<>();
    for (Sysctl sysctl : compiled.ruleset().sysctls()) {
      groups.computeIfAbsent(title(sysctl) + change(sysctl), k -> new ArrayList<>()).add(sysctl);
    }
    String text =
        groups.entrySet().stream()
            .map(group -> group.getKey() + devices(group.getValue()))
            .collect(joining("; "));
    if (!text.isEmpty()) {
      page.row("settings", text);
    }
  }

  /** {@code net.ipv4.ip_forward}; of settings by device the last part. */
  private static String title(Sysctl sysctl) {
    String[] parts = sysctl.key().split("/", -1);
    if (parts.length == 5 && parts[2].equals("conf")) {
      return (parts[1].equals("ipv6") ? "IPv6 " : "") + parts[4];
    }
    return sysctl.key().replace('/', '.');
  }

  private String change(Sysctl sysctl) {
    if (now.isEmpty()) {
      return " → " + sysctl.value();
    }
    String value = now.get().getOrDefault(sysctl.key(), "");
    if (value.isEmpty()) {
      return " → " + sysctl.value() + " as soon as it is there";
    }
    return value.equals(sysctl.value())
        ? " is " + value + " already"
        : " " + value + " → " + sysctl.value();
  }

  private static String devices(List<Sysctl> group) {
    List<String> names = new ArrayList<>();
    for (Sysctl sysctl : group) {
      String[] parts = sysctl.key().split("/", -1);
      if (parts.length == 5 && parts[2].equals("conf")) {
        names.add(parts[3]);
      }
    }
    return names.isEmpty() ? "" : " on " + String.join(", ", names);
  }

  // ---- the host and its networks

  private void host() {
    Host host = gateway.host();
    List<String> parts = new ArrayList<>();
    parts.add(host.inputClosed() ? "takes only what is named" : "takes everything");
    parts.add(host.outputClosed() ? "sends only what is named" : "sends everything");
    parts.add(
        host.forward() == Host.Forward.ALL
            ? "forwards only what is named"
            : "of what is forwarded drops only what touches ours");
    parts.add(
        switch (host.ping()) {
          case NOBODY -> "answers no ping";
          case INSIDE -> "answers pings from inside";
          case ANYBODY -> "answers pings";
        });
    page.row("this host", String.join("; ", parts), host.origin());
    host.dropLog()
        .ifPresent(log ->
            page.row(
                "drop log",
                log.perMinute()
                    + " lines a minute for each kind of drop"
                    + log.until().map(until -> ", until " + until).orElse(", without an end"),
                log.origin()));
    if (!host.outgoing().isEmpty()) {
      page.more("may begin: " + services(host.outgoing().stream().map(Located::value).toList()));
    }
  }

  /** What is offered to, and allowed from, places that have no row of their own. */
  private void elsewhere() {
    for (Host.Offer offer : gateway.host().services()) {
      if (!(offer.from() instanceof Network)) {
        page.row(
            "services",
            services(offer.services()) + " on this host, from " + offer.from().name(),
            offer.origin());
      }
    }
    for (Host.Flow flow : gateway.host().flows()) {
      if (!(flow.from() instanceof Network)) {
        page.row("flow", flow.from().name() + " reaches " + reach(flow.to()), flow.to().origin());
      }
    }
  }

  private void network(Network network) {
    List<String> parts = new ArrayList<>();
    parts.add(
        prefixes(network.prefixes())
            + (network.connected() ? " on " : " behind ")
            + network.on().device()
            + (network.nextHops().isEmpty() ? "" : ", by " + values(network.nextHops())));
    for (Host.Flow flow : gateway.host().flows()) {
      if (flow.from().equals(network)) {
        parts.add("reaches " + reach(flow.to()));
      }
    }
    for (Host.Offer offer : gateway.host().services()) {
      if (offer.from().equals(network)) {
        parts.add(services(offer.services()) + " on this host");
      }
    }
    page.row(network.name(), String.join("; ", parts), network.origin());
  }

  private void internet(Host.InternetAccess access) {
    String outside = gateway.outside().stream().map(Interface::device).collect(joining(", "));
    String as =
        switch (access.nat()) {
          case Host.SourceNat.Masquerade masquerade -> " with its address";
          case Host.SourceNat.Fixed fixed -> " as " + fixed.address().value();
          case Host.SourceNat.None none -> " as itself";
        };
    String what = access.services().isEmpty() ? "" : ", " + services(access.services()) + " only";
    page.row(
        "internet",
        prefixes(access.from().prefixes())
            + " leaves by "
            + outside
            + as
            + what
            + "; what a tunnel protects is exempt",
        access.origin());
  }

  private void portForward(Host.PortForward forward) {
    String from =
        forward.from().isEmpty()
            ? ""
            : ", from " + forward.from().stream().map(Prefix::toString).collect(joining(", "));
    page.row(
        "forward",
        forward.service()
            + " of "
            + forward.on().device()
            + " → "
            + forward.to().value()
            + forward.toPort().map(port -> " port " + port).orElse("")
            + from,
        forward.origin());
  }

  private void identity(Identity identity) {
    String hops = identity.nextHops().isEmpty() ? "" : ", next hop " + values(identity.nextHops());
    page.row(
        identity.name(),
        values(identity.addresses())
            + " leaves by "
            + identity.device()
            + hops
            + ", whatever the destination",
        identity.origin());
  }

  // ---- tunnels

  private void tunnel(Tunnel tunnel) {
    switch (tunnel) {
      case Tunnel.RemoteAccess access -> remoteAccess(access);
      case Tunnel.SiteToSite site -> site(site);
      case Tunnel.Client client -> client(client);
      case Tunnel.L2tp l2tp ->
          page.row(l2tp.name(), "L2TP in transport mode; UDP 1701 never in clear", l2tp.origin());
    }
    compiled.mss().stream()
        .filter(reckoning -> reckoning.tunnel().equals(tunnel.name()))
        .forEach(reckoning -> mss(tunnel, reckoning));
    if (tunnel instanceof Tunnel.RemoteAccess access) {
      access.groups().forEach(group -> group(access, group));
    }
  }

  private void remoteAccess(Tunnel.RemoteAccess access) {
    page.row(
        access.name(),
        prefixes(access.pools())
            + " reaches "
            + reaches(access.reach())
            + offered(access.services()),
        access.origin());
    if (access.leased()) {
      page.more("leased by the LAN's DHCP server, asked by the IKE daemon");
    }
    page.more(
        switch (access.wayBack()) {
          case ROUTED -> "the LAN finds it by routes";
          case PROXY -> "`gatehouse run` answers for its clients in the LAN (proxy ARP, NDP)";
          case NAT -> "the LAN sees this host's inside address";
        });
  }

  private void group(Tunnel.RemoteAccess access, Tunnel.Group group) {
    page.row(
        access.name() + "/" + group.name(),
        "who is "
            + group.match().kind().name().toLowerCase(Locale.ROOT).replace('_', '-')
            + " "
            + group.match().pattern()
            + " reaches "
            + reaches(group.reach())
            + offered(group.services())
            + ", once the daemon tells who (not yet)",
        group.origin());
  }

  private void site(Tunnel.SiteToSite site) {
    String outbound =
        site.outbound().isEmpty() ? "may begin anything" : "may begin " + services(site.outbound());
    page.row(
        site.name(),
        prefixes(site.remote())
            + " reaches "
            + reaches(site.reach())
            + offered(site.services())
            + "; "
            + site.local().stream().map(Network::name).collect(joining(", "))
            + " "
            + outbound
            + " there",
        site.origin());
    site.images()
        .forEach(image -> page.more(image.of() + " appears there as " + image.as().value()));
  }

  private void client(Tunnel.Client client) {
    String outbound = client.outbound().isEmpty() ? "" : ", " + services(client.outbound());
    page.row(
        client.name(),
        "this host reaches "
            + (client.full()
                ? "all that is not ours, nothing in clear,"
                : prefixes(client.remote()))
            + " as "
            + client.addresses().stream().map(PlanText::virtual).collect(joining(", "))
            + offered(client.services()),
        client.origin());
    if (!client.local().isEmpty()) {
      page.more(
          client.local().stream().map(Network::name).collect(joining(", "))
              + " too, under that address"
              + outbound);
    }
  }

  private void mss(Tunnel tunnel, MssReckoning reckoning) {
    if (reckoning.mss() instanceof Mss.Unclamped) {
      page.more("MSS is left alone");
      return;
    }
    List<Family> families = new ArrayList<>();
    for (Family family : Family.values()) {
      if (tunnel instanceof Tunnel.L2tp ? family == Family.V4 : isOf(tunnel, family)) {
        families.add(family);
      }
    }
    for (Family family : families) {
      OptionalInt clamp = reckoning.clamp(family);
      String inner = families.size() == 1 ? "" : family == Family.V4 ? " (IPv4)" : " (IPv6)";
      if (reckoning.mss() instanceof Mss.Fixed) {
        page.more(
            "MSS "
                + clamp.orElse(0)
                + inner
                + " as described; reckoned: "
                + reckoning.reckoned(family));
      } else if (explain) {
        page.more(reckoning.arithmetic(family) + inner + "; " + reckoning.suite());
      } else {
        page.more(
            "MSS "
                + clamp.orElse(0)
                + inner
                + " of "
                + reckoning.pathMtu()
                + " on "
                + reckoning.path()
                + "; --explain shows every term");
      }
    }
  }

  private static boolean isOf(Tunnel tunnel, Family family) {
    return tunnel.farPrefixes().stream().anyMatch(p -> p.value().family() == family);
  }

  private static String offered(List<Located<Service>> services) {
    return services.isEmpty()
        ? ""
        : "; " + services(services.stream().map(Located::value).toList()) + " on this host";
  }

  // ---- what holds when all else fails, and the way back

  private void backstop() {
    List<String> blocked =
        compiled.ruleset().backstop().stream()
            .filter(policy -> policy.block() && policy.direction().name().equals("IN"))
            .map(policy -> policy.source().toString())
            .distinct()
            .toList();
    if (!blocked.isEmpty()) {
      page.row(
          "backstop",
          String.join(", ", blocked)
              + ": blocked in clear, in, out and forwarded, also without our rules");
    }
  }

  private void wayBack() {
    for (Companion companion : compiled.companions()) {
      switch (companion) {
        case Companion.SwanctlFragment fragment -> {}
        case Companion.StaticRoutes routes -> {
          page.row("way back", "for " + routes.destination() + ":", routes.origin());
          routes.routes().forEach(route -> page.more(route.toString()));
        }
        case Companion.DhcpRoutes routes -> {
          page.row("", "or for " + routes.destination() + ":", routes.origin());
          routes.text().lines().forEach(page::more);
        }
      }
    }
    long fragments =
        compiled.companions().stream().filter(c -> c instanceof Companion.SwanctlFragment).count();
    if (fragments > 0) {
      page.row("swanctl", Page.counted((int) fragments, "fragment") + ": --format swanctl");
    }
  }

  // ---- what the reader has to know

  private String remarks() {
    StringBuilder text = new StringBuilder();
    for (Note note : compiled.notes()) {
      String place = note.origin().isBuiltIn() ? "" : note.origin().place() + ": ";
      paragraph(text, "  ! ", place + Page.harmless(note.text()));
    }
    // Laid out already, with commands that are to be copied: not wrapped.
    forecast.warnings().forEach(line -> text.append("  ").append(Page.harmless(line)).append('\n'));
    forecast.conflicts().forEach(line -> paragraph(text, "  ✗ ", Page.harmless(line)));
    forecast.missing().forEach(line -> paragraph(text, "  ✗ ", "this host lacks " + line));
    return text.toString();
  }

  private static void paragraph(StringBuilder text, String mark, String words) {
    String lead = mark;
    for (String line : Page.wrapped(words, 80 - mark.length(), 0)) {
      text.append(lead).append(line).append('\n');
      lead = " ".repeat(mark.length());
    }
  }

  private String connections() {
    int count = forecast.connections().size();
    if (count == 0) {
      return "";
    }
    StringBuilder text = new StringBuilder("conntrack: ");
    text.append(count)
        .append(
            count == 1
                ? " entry would keep its old NAT and is deleted\n"
                : " entries would keep their old NAT and are deleted\n");
    int shown = explain ? count : Math.min(count, 5);
    forecast
        .connections()
        .subList(0, shown)
        .forEach(line -> text.append("  ").append(Page.harmless(line)).append('\n'));
    return shown < count ? text.append("  …, all with --explain\n").toString() : text.toString();
  }

  private String last() {
    if (!forecast.missing().isEmpty()) {
      return "nothing was read from this host: that is what would be, not what would change\n";
    }
    if (!forecast.conflicts().isEmpty()) {
      return "it would be refused, and nothing be touched\n";
    }
    if (!forecast.different()) {
      return "no changes: all of this stands\n";
    }
    String beside =
        forecast.changes().isEmpty()
            ? ""
            : Page.counted(forecast.changes().size(), "change")
                + " beside the rules"
                + (explain ? "\n" : ": --explain\n");
    return beside
        + "`--format nft` shows the exact lines"
        + (canApply ? "; `apply --confirm 60s` puts them in" : "")
        + "\n";
  }

  // ---- words

  private static String prefixes(List<Located<Prefix>> prefixes) {
    return values(prefixes);
  }

  private static String virtual(Located<Prefix> address) {
    return address.value().isHost()
        ? address.value().first().toString()
        : "one of " + address.value();
  }

  private static String values(Collection<? extends Located<?>> values) {
    return values.stream().map(v -> v.value().toString()).collect(joining(", "));
  }

  private static String services(List<Service> services) {
    return services.isEmpty()
        ? "everything"
        : services.stream().map(Service::toString).collect(joining(", "));
  }

  private static String reaches(List<Reach> reaches) {
    return reaches.isEmpty()
        ? "nothing"
        : reaches.stream().map(PlanText::reach).collect(joining(", "));
  }

  private static String reach(Reach reach) {
    Place place = reach.place();
    return reach.services().isEmpty()
        ? place.name()
        : place.name() + " (" + services(reach.services()) + ")";
  }
}
