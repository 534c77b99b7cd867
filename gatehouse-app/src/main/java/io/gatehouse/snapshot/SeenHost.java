package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A host that somebody runs, ours or not, in the words in which {@code path} walks it.
 *
 * @param remarks what was assumed, what stays open, and what could not be read; empty where
 *     everything was there and understood
 */
public record SeenHost(HostState host, List<Remark> remarks) {
  public SeenHost {
    remarks = List.copyOf(remarks);
  }

  /** What a collection comes to. Never throws; what is broken is open in the host and said. */
  public static SeenHost of(Collected collected) {
    return new Reader(collected).read();
  }

  /**
   * The same host with the own text of each rule as what it is for: of somebody else's rule nobody
   * told us more.
   *
   * @param file whose name stands in places instead of that of the collection's
   */
  public SeenHost withOwnText(Optional<String> file) {
    return new SeenHost(host.withTables(OwnText.of(host.tables(), file)), remarks);
  }

  /** The same host with each tunnel in any state: tunnels come and go. */
  public SeenHost withTunnelsInAnyState() {
    return new SeenHost(host.withTunnels(tunnel -> EnumSet.allOf(SpdState.class)), remarks);
  }

  /** One collection being read. */
  private static final class Reader {
    private static final String IPSETS = "ipset-save.txt";

    /** A rule that puts packets' addresses into a set, or takes them out of it. */
    private static final Pattern CHANGED_SET =
        Pattern.compile("--(?:add|del)-set[= ]+\"?([^\\s\"]+)");

    private final Map<String, String> texts;
    private final List<Remark> remarks;
    private final List<Table> tables = new ArrayList<>();
    private final Map<String, Ipset> ipsets = new HashMap<>();
    private final IpState ip = new IpState();

    Reader(Collected collected) {
      texts = new TreeMap<>(collected.texts());
      remarks = new ArrayList<>(collected.remarks());
    }

    SeenHost read() {
      firewalls();
      List<RoutingRule> rules = rules();
      Optional<List<Device>> known =
          text("ip-addr.json").flatMap(json -> ip.devices("ip-addr.json", json));
      List<Device> devices = known.orElseGet(this::anyAddresses);
      List<Route> routes = routes(devices);
      XfrmText.Spd spd =
          text("xfrm-policy.txt")
              .map(text -> XfrmText.read("xfrm-policy.txt", text, text("xfrm-state.txt")))
              .orElseGet(this::noPolicies);
      remarks.addAll(spd.remarks());
      if (!spd.tunnels().isEmpty() && text("xfrm-state.txt").isEmpty()) {
        remarks.add(Remark.assumed("xfrm-state.txt", "each tunnel is in any state"));
      }
      Set<XfrmPolicy.Direction> blocked =
          XfrmText.blockedByDefault(text("xfrm-default.txt").orElse(""));
      Map<String, String> sysctls = sysctls();
      remarks.addAll(ip.remarks());
      return new SeenHost(
          new HostState(
              tables, devices, rules, routes, spd.policies(), spd.tunnels(), blocked, sysctls),
          remarks);
    }

    private Optional<String> text(String file) {
      return Optional.ofNullable(texts.get(file));
    }

    // ---- firewalls
    // --------------------------------------------------------------------------------------------------------------------

    private void firewalls() {
      Optional<String> nft = text("nft.json");
      List<Table> listed = new ArrayList<>();
      nft.ifPresent(json -> {
        TablesRead read = NftJson.read("nft.json", json);
        listed.addAll(read.tables());
        remarks.addAll(read.remarks());
      });
      List<Table> saved = new ArrayList<>();
      ipsets();
      for (Family family : Family.values()) {
        String tool = family == Family.V4 ? "iptables" : "ip6tables";
        List<Table> own = saved(tool + "-save.txt", family, List.of());
        List<Table> legacy = saved(tool + "-legacy-save.txt", family, own);
        boolean any =
            text(tool + "-save.txt").isPresent() || text(tool + "-legacy-save.txt").isPresent();
        saved.addAll(own);
        unsaved(tool, family, any, nft.isPresent());
        saved.addAll(legacy.stream().filter(t -> !own.contains(t)).toList());
        listed.replaceAll(table -> spelledOut(table, own));
        saved.removeIf(
            table -> own.contains(table) && listed.stream().anyMatch(t -> same(t, table)));
      }
      tables.addAll(listed);
      tables.addAll(saved);
      if (nft.isEmpty() && !saved.isEmpty()) {
        remarks.add(Remark.assumed("nft.json", "nftables has no tables of its own"));
      }
    }

    /** Before the rules that ask for them. */
    private void ipsets() {
      Set<String> changed = new LinkedHashSet<>();
      texts.forEach((file, text) -> {
        if (file.endsWith("tables-save.txt") || file.endsWith("tables-legacy-save.txt")) {
          CHANGED_SET.matcher(text).results().forEach(found -> changed.add(found.group(1)));
        }
      });
      IpsetSave.Read read =
          text(IPSETS)
              .map(text -> IpsetSave.read(IPSETS, text, changed))
              .orElse(IpsetSave.Read.NOTHING);
      ipsets.putAll(read.sets());
      remarks.addAll(read.remarks());
    }

    /**
     * @param besides tables of the other variant of iptables, which may be the same ones
     */
    private List<Table> saved(String file, Family family, List<Table> besides) {
      Optional<String> text = text(file);
      if (text.isEmpty()) {
        return List.of();
      }
      TablesRead read = IptablesSave.read(file, text.get(), family, ipsets);
      Set<String> had = besides.stream().map(Reader::words).collect(Collectors.toSet());
      List<Table> more = read.tables().stream().filter(t -> !had.contains(words(t))).toList();
      if (!more.isEmpty() || !read.remarks().isEmpty()) {
        remarks.addAll(read.remarks());
      }
      return more;
    }

    /** A table's chains and statements, wherever they were read. */
    private static String words(Table table) {
      return table.name()
          + table.chains().stream()
              .map(c -> c.name() + c.base() + c.rules().stream().map(Rule::statements).toList())
              .collect(Collectors.joining("\n"));
    }

    /** Tables that the kernel has and no file tells. */
    private void unsaved(String tool, Family family, boolean saved, boolean listed) {
      String names = tool.equals("iptables") ? "ip_tables_names.txt" : "ip6_tables_names.txt";
      boolean some = text(names).filter(t -> !t.isBlank()).isPresent();
      if (!saved && (some || !listed)) {
        String file = tool + "-save.txt";
        remarks.add(Remark.assumed(file, "its rules may do anything"));
        tables.add(Opaque.table(family.nft(), new Origin(file, 0, 0, ""), file + " is not there"));
      } else if (!saved && text(names).isEmpty()) {
        remarks.add(Remark.assumed(tool + "-save.txt", "there are no rules of iptables-legacy"));
      }
    }

    /** nft's JSON has only the names of iptables' own matches and targets: the other text knows. */
    private Table spelledOut(Table table, List<Table> saved) {
      boolean named =
          table.chains().stream()
              .flatMap(c -> c.rules().stream())
              .flatMap(r -> Unclear.texts(r).stream())
              .anyMatch(text -> text.startsWith("{\"xt\":"));
      Optional<Table> other = saved.stream().filter(t -> same(t, table)).findFirst();
      if (!named || other.isEmpty()) {
        return table;
      }
      Set<Origin> spelled =
          table.chains().stream()
              .flatMap(c -> c.rules().stream())
              .map(Rule::origin)
              .collect(Collectors.toSet());
      remarks.removeIf(r -> spelled.contains(r.where()));
      return other.get();
    }

    private static boolean same(Table a, Table b) {
      return a.family().equals(b.family()) && a.name().equals(b.name());
    }

    // ---- routing
    // ----------------------------------------------------------------------------------------------------------------------

    private List<RoutingRule> rules() {
      List<RoutingRule> rules = new ArrayList<>();
      for (Family family : Family.values()) {
        String file = family == Family.V4 ? "ip-rule.json" : "ip-rule-6.json";
        Optional<List<RoutingRule>> read = text(file).flatMap(t -> ip.rules(file, t, family));
        if (read.isEmpty()) {
          remarks.add(Remark.assumed(file, "only the kernel's own routing rules"));
        }
        // An empty listing is a kernel without rules, or a tool that failed: both rare.
        rules.addAll(
            read.filter(r -> !r.isEmpty()).orElseGet(() -> RoutingRule.kernelsOwn(family)));
      }
      return rules;
    }

    private List<Route> routes(List<Device> devices) {
      List<Route> routes = new ArrayList<>();
      for (Family family : Family.values()) {
        String file = family == Family.V4 ? "ip-route.json" : "ip-route-6.json";
        Optional<List<Route>> read = text(file).flatMap(t -> ip.routes(file, t, family, "main"));
        if (read.isEmpty()) {
          remarks.add(Remark.assumed(file, "anything may leave by any device"));
          Set<String> names = new LinkedHashSet<>(deviceNames());
          devices.forEach(d -> names.add(d.name()));
          names.remove("lo");
          names.add(HeaderSpace.ANOTHER_DEVICE);
          Prefix all = family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
          routes.add(new Route(all, Route.MAIN, 0, new RouteKind.Via(List.copyOf(names))));
        }
        read.ifPresent(routes::addAll);
      }
      return routes;
    }

    private List<Device> anyAddresses() {
      remarks.add(Remark.assumed("ip-addr.json", "the host's addresses are not known"));
      List<Device> devices = new ArrayList<>();
      InterfaceAddress loopback = new InterfaceAddress(Address.of("127.0.0.1"), 8);
      devices.add(new Device("lo", List.of(loopback), true));
      deviceNames().stream()
          .filter(name -> !name.equals("lo"))
          .forEach(name -> devices.add(new Device(name, List.of(), false)));
      devices.add(new Device(HeaderSpace.ANOTHER_DEVICE, List.of(), false));
      return devices;
    }

    /** Devices that rules compare with, wildcards aside. */
    private Set<String> deviceNames() {
      Set<String> names = new LinkedHashSet<>();
      for (Table table : tables) {
        for (Chain chain : table.chains()) {
          for (Rule rule : chain.rules()) {
            for (Statement statement : rule.statements()) {
              if (statement instanceof Statement.Match match
                  && match.left() instanceof Meta
                  && match.right() instanceof Expression.Text text
                  && !text.text().endsWith("*")) {
                names.add(text.text());
              }
            }
          }
        }
      }
      return names;
    }

    // ---- xfrm, settings
    // ---------------------------------------------------------------------------------------------------------------

    private XfrmText.Spd noPolicies() {
      remarks.add(
          Remark.assumed("xfrm-policy.txt", "no IPsec policy stands: all that leaves is in clear"));
      return new XfrmText.Spd(List.of(), List.of(), List.of());
    }

    private Map<String, String> sysctls() {
      Map<String, String> values = new HashMap<>();
      for (String line : text(Collected.SYSCTL_FILE).orElse("").lines().toList()) {
        int equals = line.indexOf('=');
        if (equals > 0) {
          String key = line.substring(0, equals).strip();
          // sysctl(8) separates by dots, and dots in names of devices by slashes.
          values.put(
              key.startsWith("net/") ? key : swapped(key), line.substring(equals + 1).strip());
        }
      }
      for (String key : List.of("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")) {
        boolean number = values.getOrDefault(key, "").matches("[0-9]{1,9}");
        if (!number) {
          values.put(key, "1");
          remarks.add(Remark.assumed(Collected.SYSCTL_FILE, key + " is 1"));
        }
      }
      values.values().removeIf(value -> !value.matches("-?[0-9]{1,9}"));
      return values;
    }

    private static String swapped(String key) {
      StringBuilder path = new StringBuilder(key.length());
      key.chars().forEach(c -> path.append(c == '.' ? '/' : c == '/' ? '.' : (char) c));
      return path.toString();
    }
  }
}
