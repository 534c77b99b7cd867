package io.gatehouse.config;

import static io.gatehouse.config.Key.Presence.OPTIONAL;
import static io.gatehouse.config.Key.Presence.REQUIRED;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The language as data: every key, its form, and what holds without it. */
final class Language {
  /** The one version of the language. */
  static final String VERSION = "1";

  /** Names become names of nftables chains and maps. */
  static final String NAME_PATTERN = "[a-z][a-z0-9-]{0,30}";

  static final String NAME_RULE =
      "a letter first, then lower-case letters, digits and dashes, 31 at most";

  /**
   * IFNAMSIZ leaves 15 characters; the kernel allows more kinds of them, nft and sysctl paths do
   * not.
   */
  static final String DEVICE_PATTERN = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}";

  static final String DEVICE_RULE = "1 to 15 letters, digits, `.`, `_` and `-`";

  private static final Form NAME = new Form.Value("a name", NAME_PATTERN, NAME_RULE);
  private static final Form DEVICE = new Form.Value("a device's name", DEVICE_PATTERN, DEVICE_RULE);
  private static final Form GLOB = value("a file, `*` and `?` stand for any");
  private static final Form ADDRESS = value("an address", "[0-9a-fA-F:.]+");
  private static final Form INTERFACE_ADDRESS =
      value("address/length", "[0-9a-fA-F:.]+/[0-9]{1,3}");
  private static final Form PREFIX = value("a prefix", "[0-9a-fA-F:.]+/[0-9]{1,3}");
  private static final Form REMOTE =
      value("a prefix, or `internet`", "internet|[0-9a-fA-F:.]+/[0-9]{1,3}");
  private static final Form SOURCE =
      value("an address or a prefix", "[0-9a-fA-F:.]+(/[0-9]{1,3})?");
  private static final Form SERVICE =
      value(
          "`proto/port`, `proto/a-b`, `proto`, or a service's name",
          "[a-z][a-z0-9-]*(/[0-9]+(-[0-9]+)?)?");
  private static final Form INTERFACE = value("an interface's name", NAME_PATTERN);
  private static final Form NETWORK = value("a network's name", NAME_PATTERN);
  private static final Form PLACE = value("a network's name, or `internet`", NAME_PATTERN);
  private static final Form REACH =
      value(
          "a place, `place/proto/port`, `place/service`",
          NAME_PATTERN + "(/[a-z][a-z0-9-]*(/[0-9]+(-[0-9]+)?)?)?");
  private static final Form IKE_NAME =
      new Form.Value(
          "a name",
          "[A-Za-z0-9_][A-Za-z0-9_.@-]{0,62}",
          "1 to 63 letters, digits, `_`, `.`, `@` and `-`");
  private static final Form PEER = value("`any`, an address, a prefix or a host's name");
  private static final Form FLAG = new Form.Flag();

  private static final Section IKE =
      section(
          "tunnels.NAME.ike",
          "`ike`",
          required("connection", IKE_NAME, "the connection in swanctl.conf", "rw"),
          optional(
              "child", IKE_NAME, "every child of the connection", "its CHILD_SA there", "net"));

  private static final Section ESP =
      section(
          "tunnels.NAME.esp",
          "`esp`",
          optional(
              "proposals",
              several(
                  new Form.Value(
                      "a proposal in strongSwan's words",
                      "[a-z0-9_]+(-[a-z0-9_]+)*!?",
                      "algorithms joined by dashes, such as `aes256gcm16-x25519`")),
              "strongSwan's own, of which the costliest counts",
              "what the packets' overhead is reckoned from",
              "[aes256gcm16-x25519]"),
          optional(
              "encapsulation",
              words("auto", "always", "never"),
              "`auto`",
              "whether ESP travels in UDP 4500",
              "always"));

  private static final Section MATCH =
      section(
          "tunnels.NAME.groups.NAME.match",
          "`match`",
          optional(
              "ike-id",
              pattern(),
              "",
              "the IKE identity; one of the three keys must be there",
              "\"*.example.org\""),
          optional("eap-id", pattern(), "", "the EAP identity", "\"*@fin\""),
          optional("xauth-id", pattern(), "", "the XAuth user name (IKEv1)", "alice"));

  private static final Section GROUP =
      section(
          "tunnels.NAME.groups.NAME",
          "group",
          required(
              "match",
              new Form.Fields(MATCH),
              "whose identity makes a member; `*` stands for any characters",
              "{ eap-id: \"*@fin\" }"),
          optional(
              "reach",
              several(REACH, "members reach nothing"),
              "the tunnel's",
              "what members may reach, instead of the tunnel's",
              "[office/tcp/445]"),
          optional(
              "services",
              several(SERVICE, "members get nothing on this host"),
              "the tunnel's",
              "what this host offers to members, instead of the tunnel's",
              "[dns]"));

  private static final Section REMOTE_ACCESS =
      tunnel(
          "remote-access",
          optional("peers", several(PEER), "`any`", "who may be on the other end", "any"),
          required(
              "pools",
              several(PREFIX),
              "virtual IPs, one for each client",
              "[10.0.3.0/24, \"2001:db8:3::/64\"]"),
          optional(
              "pool",
              words("dhcp"),
              "given out by the IKE daemon",
              "the LAN's DHCP server leases the addresses of `pools` to clients",
              "dhcp"),
          optional(
              "return",
              words("routed", "proxy", "nat"),
              "`routed`",
              "how the LAN answers: by routes, because this host answers ARP for the pool, or because it sees this host's address",
              "proxy"),
          optional(
              "reach",
              several(REACH, "clients reach nothing"),
              "nothing",
              "what clients may reach: networks, `internet`, other tunnels",
              "[office, storage/tcp/445, internet]"),
          optional(
              "dns",
              several(ADDRESS, "clients are told none"),
              "none",
              "name servers that clients are told",
              "10.0.1.53"),
          optional(
              "groups",
              new Form.Named("NAME", new Form.Fields(GROUP)),
              "none",
              "clients told apart by identity",
              "{ finance: { match: { eap-id: \"*@fin\" }, reach: office/tcp/445 } }"));

  private static final Section SITE_TO_SITE =
      tunnel(
          "site-to-site",
          optional(
              "peer",
              several(PEER),
              "",
              "who is on the other end; this or `peers` must be there",
              "198.51.100.7"),
          optional(
              "peers",
              several(PEER),
              "",
              "the same, for more than one",
              "[198.51.100.7, 198.51.100.8]"),
          required("local", several(NETWORK), "networks here", "[office]"),
          required("remote", several(PREFIX), "networks there", "[10.20.0.0/16]"),
          optional(
              Images.KEY,
              several(PREFIX),
              "as they are",
              "under which addresses they know the local networks, one to one: a prefix for each, of"
                  + " the same length",
              "10.99.1.0/24"),
          optional(
              "reach",
              several(REACH, "they may begin nothing"),
              "every local network, wholly",
              "what they may begin towards us",
              "[office/https]"),
          optional(
              "outbound",
              several(SERVICE),
              "everything",
              "what we may begin towards them",
              "[https, tcp/445]"));

  private static final Section L2TP =
      tunnel(
          "l2tp", optional("peers", several(PEER), "`any`", "who may be on the other end", "any"));

  private static final Section CLIENT =
      tunnel(
          "client",
          required("server", several(PEER), "who is on the other end", "198.51.100.7"),
          required(
              "address",
              several(SOURCE),
              "the virtual IP that the server gives this host, always the same; or the prefix that it is out of",
              "10.8.0.42"),
          required(
              "remote",
              several(REMOTE),
              "networks there; or `internet`: all that is not ours, so that nothing else leaves in clear",
              "[10.20.0.0/16]"),
          optional(
              "local",
              several(NETWORK),
              "this host alone",
              "networks that use the tunnel too, under the virtual IP",
              "[home]"),
          optional(
              "outbound",
              several(SERVICE),
              "everything",
              "what `local` may begin there",
              "[https, tcp/445]"));

  private static final Section INTERFACE_KEYS =
      section(
          "interfaces.NAME",
          "interface",
          required("device", DEVICE, "its name in the kernel; it may appear late", "eth0"),
          required(
              "role",
              several(words("outside", "inside")),
              "what is on its other side: the world, networks of ours, or both",
              "[inside, outside]"),
          optional(
              "addresses",
              several(INTERFACE_ADDRESS, "they are followed"),
              "followed as they come and go",
              "its fixed addresses, each with the length of its link's prefix",
              "[203.0.113.2/24, \"2001:db8::2/64\"]"),
          optional(
              "public",
              several(ADDRESS, "no other than its own"),
              "its own",
              "where the world sees it, when this host is behind NAT itself",
              "203.0.113.9"),
          optional(
              "mtu", new Form.Whole(1280, 65535, "bytes"), "1500", "of the path behind it", "1492"),
          optional(
              "dhcp",
              FLAG,
              "`true` for an outside interface without addresses",
              "whether it gets its address by DHCP",
              "false"),
          optional(
              "router-advertisements",
              FLAG,
              "`true` for an outside interface without a fixed IPv6 address",
              "whether its IPv6 default route lives on them",
              "false"),
          optional(
              "gateway",
              several(ADDRESS, "none"),
              "none",
              "the routers behind it, one to a family",
              "[203.0.113.1, \"fe80::1\"]"));

  private static final Section NETWORK_KEYS =
      section(
          "networks.NAME",
          "network",
          optional(
              "on",
              INTERFACE,
              "",
              "the interface whose own link it is; this or `via` must be there",
              "lan"),
          optional("via", INTERFACE, "", "the interface behind whose router it is", "lan"),
          required(
              "prefixes", several(PREFIX), "its addresses", "[10.0.1.0/24, \"2001:db8:1::/64\"]"),
          optional(
              "next-hop",
              several(ADDRESS, "none"),
              "routed already",
              "with `via`: the routers that lead there, one to a family; their routes are then ours",
              "10.0.1.254"),
          optional(
              "router",
              several(ADDRESS, "this host"),
              "this host",
              "the default gateway of its hosts, where that is another; `plan` shows what it must be told",
              "10.0.1.1"));

  private static final Section ADMIN =
      section(
          "host.admin",
          "`admin`",
          required("from", several(PLACE), "where administrators are", "[office]"),
          optional("services", several(SERVICE), "`ssh`", "what they come by", "[ssh]"));

  private static final Section OFFER =
      section(
          "host.services[]",
          "`services`",
          required("from", several(PLACE), "for whom", "[office]"),
          required("services", several(SERVICE), "what", "[dns, dhcp, ntp]"));

  private static final Section INTERNET =
      section(
          "host.internet[]",
          "`internet`",
          required("from", several(NETWORK), "whose", "[office]"),
          optional(
              "snat",
              value("`masquerade`, `none` or an address"),
              "`masquerade`",
              "as whom they appear",
              "203.0.113.2"),
          optional(
              "services", several(SERVICE), "everything", "what they may use", "[http, https]"));

  private static final Section FLOW =
      section(
          "host.flows[]",
          "`flows`",
          required("from", several(PLACE), "who may begin", "[office]"),
          required(
              "to",
              several(REACH),
              "towards whom: networks, tunnels, `internet`",
              "[storage/tcp/445, branch]"),
          optional(
              "source",
              several(SOURCE),
              "all",
              "which addresses of `from` are meant",
              "[198.51.100.7, 198.51.100.8]"),
          optional(
              "destination",
              several(SOURCE),
              "all",
              "which addresses of `to` are meant; it is no tunnel then",
              "10.0.1.9"));

  private static final Section PORT_FORWARD =
      section(
          "host.port-forwards[]",
          "`port-forwards`",
          optional(
              "on",
              several(INTERFACE),
              "every outside interface",
              "the outside interfaces",
              "[wan]"),
          required("service", SERVICE, "what is asked for", "https"),
          required("to", ADDRESS, "the host inside", "10.0.1.80"),
          optional(
              "port",
              new Form.Whole(1, 65535, ""),
              "the one that was asked for",
              "the port there",
              "8443"),
          optional("from", several(SOURCE), "anybody", "who may use it", "[192.0.2.0/24]"));

  private static final Section LOG =
      section(
          "host.log",
          "`log`",
          optional("drops", FLAG, "`true`", "a log line for each dropped packet", "true"),
          optional(
              "rate",
              new Form.Value(
                  "`N/second` or `N/minute`",
                  "[1-9][0-9]{0,3}/(second|minute)",
                  "a number, then `/second` or `/minute`"),
              "`10/minute`",
              "lines at most, for each kind of drop",
              "30/minute"),
          optional("burst", new Form.Whole(1, 1000, "lines"), "5", "at once", "20"),
          optional(
              "until",
              value("a time (RFC 3339)"),
              "never",
              "when it ends by itself",
              "2026-12-01T18:00:00Z"));

  private static final Section HOST =
      section(
          "host",
          "`host`",
          optional(
              "input",
              words("closed", "open"),
              "`closed`",
              "what nothing allows on its way to this host: dropped or not",
              "closed"),
          optional(
              "output",
              words("open", "closed"),
              "`open`",
              "the same on its way out of this host",
              "closed"),
          optional(
              "forward",
              words("ours", "all"),
              "`ours`",
              "what of the forwarded traffic is dropped where nothing allows it: what touches inside interfaces, networks, pools and remote networks; or all of it",
              "all"),
          optional(
              "admin",
              several(new Form.Fields(ADMIN)),
              "none",
              "administration of this host",
              "{ from: office, services: ssh }"),
          optional(
              "services",
              several(new Form.Fields(OFFER)),
              "none",
              "what this host offers to LANs",
              "[{ from: office, services: [dns, dhcp] }]"),
          optional(
              "outgoing",
              several(SERVICE, "nothing"),
              "nothing",
              "with `output: closed`: what this host may begin; IKE and ESP need no mention",
              "[dns, ntp, https]"),
          optional(
              "internet",
              several(new Form.Either(NETWORK, new Form.Fields(INTERNET))),
              "nobody",
              "who reaches the internet through this host",
              "[office]"),
          optional(
              "flows",
              several(new Form.Fields(FLOW)),
              "none",
              "who else may begin what towards whom",
              "[{ from: office, to: storage/tcp/445 }]"),
          optional(
              "port-forwards",
              several(new Form.Fields(PORT_FORWARD)),
              "none",
              "services of the outside addresses that lead inside",
              "[{ service: https, to: 10.0.1.80 }]"),
          optional(
              "ping",
              words("nobody", "inside", "anybody"),
              "`inside`",
              "who may ping this host",
              "anybody"),
          optional(
              "log",
              new Form.Fields(LOG),
              "no log lines",
              "log lines for dropped packets",
              "{ rate: 30/minute }"));

  private static final Section IDENTITY =
      section(
          "identities.NAME",
          "identity",
          optional(
              "address",
              several(ADDRESS),
              "the fixed addresses of the interface in `via`",
              "the source addresses that make the identity",
              "10.8.0.2"),
          optional(
              "addresses",
              several(ADDRESS),
              "",
              "the same, for more than one",
              "[10.8.0.2, \"fd00:8::2\"]"),
          required("via", value("an interface's or a device's name"), "its way out", "tun0"),
          optional(
              "gateway",
              several(ADDRESS),
              "the interface's; none for a device",
              "the routers there, one to a family",
              "10.8.0.1"));

  private static final Form SPAN =
      new Form.Value(
          "`first-last`",
          "(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})-(0x[0-9a-fA-F]{1,8}|[0-9]{1,10})",
          "two numbers with a dash between, such as `5000-5099`");
  private static final Form MASK = new Form.Whole(1, 0xffffffffL, "");

  private static final Section NUMBERS =
      section(
          "numbers",
          "`numbers`",
          optional("rule-priorities", SPAN, "5000-5099", "of ip rules", "6000-6099"),
          optional("route-tables", SPAN, "7100-7199", "of policy routing", "200-219"),
          optional(
              "route-protocol",
              new Form.Whole(5, 255, ""),
              "171",
              "the tag of our routes, rules and proxy neighbours",
              "172"),
          optional(
              "backstop-priority",
              new Form.Whole(1, 0xffffffffL, ""),
              "0xfffffff0",
              "of xfrm block policies; a high number is a low precedence",
              "0xffffff00"),
          optional(
              "sa-mark-mask",
              MASK,
              "0x00ffffff",
              "bits of a packet mark that tell SAs apart; the low ones",
              "0x0000ffff"),
          optional(
              "identity-mark-mask",
              MASK,
              "0xff000000",
              "bits of a packet mark that tell identities apart",
              "0x00ff0000"),
          optional(
              "transport-zones",
              SPAN,
              "0x1000-0x7fff",
              "conntrack zones of transport-mode clients",
              "0x100-0x1ff"),
          optional(
              "masquerade-zones",
              SPAN,
              "0x8000-0xefff",
              "conntrack zones of VPN hosts behind this one",
              "0x200-0x2ff"),
          optional(
              "queue",
              new Form.Whole(0, 65534, ""),
              "7171",
              "the first of two NFQUEUEs by which the daemon is asked about VPN hosts behind this one",
              "4000"));

  private static final Section MASQUERADE_IPSEC =
      section(
          "masquerade.ipsec",
          "`ipsec`",
          optional(
              "lifetime",
              new Form.Value(
                  "a time: a number and `s`, `m` or `h`",
                  "[1-9][0-9]{0,4}[smh]",
                  "a number and `s`, `m` or `h`, such as `65m`"),
              "65m",
              "how long what is known of a session stays without traffic; somewhat above the rekey interval",
              "9h"),
          optional(
              "parallel-sessions",
              FLAG,
              "`true`",
              "whether several hosts may have sessions with one remote",
              "false"),
          optional(
              "hold",
              new Form.Whole(0, 999, "milliseconds"),
              "400",
              "how long a message of IKE may wait so that negotiations with one remote do not overlap; 0 turns it off",
              "0"),
          optional(
              "without-daemon",
              words("closed", "open"),
              "`closed`",
              "what becomes of new sessions while no daemon runs: they wait, or go out as with stock masquerade",
              "open"));

  private static final Section MASQUERADE_SERVER =
      section(
          "masquerade.servers[]",
          "`servers`",
          required("host", ADDRESS, "a VPN server inside", "10.0.1.9"),
          optional(
              "from", several(SOURCE), "anybody", "whose sessions it gets", "[198.51.100.0/24]"));

  private static final Form FILE =
      new Form.Value(
          "an absolute path",
          "/[A-Za-z0-9_./@+-]{1,255}",
          "`/` first, then letters, digits and `_ . / @ + -`, 256 at most");

  private static final Section MASQUERADE_REGISTER =
      section(
          "masquerade.register",
          "`register`",
          required("at", ADDRESS, "the inside address of this host to listen at", "10.0.1.1"),
          optional("port", new Form.Whole(1024, 65535, ""), "4510", "the TCP port there", "8510"),
          required(
              "certificate",
              FILE,
              "this host's certificate (PEM), which names `at`",
              "/etc/gatehouse/gw.pem"),
          required(
              "key",
              FILE,
              "the certificate's key (PEM, PKCS #8 without a password)",
              "/etc/gatehouse/gw.key"),
          required(
              "authorities",
              FILE,
              "whose certificates hosts may have (PEM): an authority's, or their own",
              "/etc/gatehouse/hosts.pem"));

  private static final Section MASQUERADE =
      section(
          "masquerade",
          "`masquerade`",
          required(
              "clients",
              several(NETWORK),
              "networks whose hosts may have IPsec sessions of their own",
              "[office]"),
          optional(
              "on",
              several(INTERFACE),
              "every outside interface",
              "the outside interfaces that they leave by",
              "[wan]"),
          optional(
              "peers",
              several(SOURCE),
              "anybody",
              "the remotes with which alone they may have sessions",
              "[198.51.100.0/24]"),
          optional(
              "ipsec",
              new Form.Fields(MASQUERADE_IPSEC),
              "as below",
              "how sessions are told apart",
              "{ lifetime: 9h }"),
          optional(
              "servers",
              several(new Form.Fields(MASQUERADE_SERVER)),
              "none",
              "hosts inside that remotes may begin IPsec sessions with",
              "[{ host: 10.0.1.9 }]"),
          optional(
              "register",
              new Form.Fields(MASQUERADE_REGISTER),
              "nowhere",
              "where hosts may say themselves, over TLS, under which SPI they receive",
              "{ at: 10.0.1.1, certificate: /etc/gatehouse/gw.pem, key: /etc/gatehouse/gw.key,"
                  + " authorities: /etc/gatehouse/hosts.pem }"),
          optional(
              "pptp",
              FLAG,
              "`false`",
              "whether hosts of `clients` may have sessions of PPTP too: TCP 1723, and the GRE that its calls agree on",
              "true"),
          optional(
              "pptp-by",
              words("kernel", "daemon"),
              "`kernel`",
              "who translates their calls: the kernel's helper, one call in a control connection; or the daemon, up to 64 between a host and a remote, and those of PPTP servers inside",
              "daemon"));

  /** The keys at the top. */
  static final Section TOP =
      section(
          "",
          "the description",
          required("version", value("`1`", VERSION), "the version of this language", "1"),
          required("gateway", NAME, "the name of this gateway", "office"),
          optional(
              "include",
              several(GLOB, "none"),
              "none",
              "more files, relative to this one; their maps are merged with these",
              "[branches/*.yaml]"),
          required(
              "interfaces",
              new Form.Named("NAME", new Form.Fields(INTERFACE_KEYS)),
              "network interfaces in their roles",
              "{ wan: { device: eth0, role: outside } }"),
          optional(
              "networks",
              new Form.Named("NAME", new Form.Fields(NETWORK_KEYS)),
              "none",
              "networks of ours that need no tunnel",
              "{ office: { on: lan, prefixes: 10.0.1.0/24 } }"),
          optional(
              "services",
              new Form.Named("NAME", several(SERVICE)),
              "the predefined ones",
              "names for protocols and ports",
              "{ files: [tcp/445, tcp/139] }"),
          optional(
              "host",
              new Form.Fields(HOST),
              "closed, nothing offered",
              "ordinary traffic of this host and through it",
              "{ internet: office }"),
          optional(
              "tunnels",
              new Form.Named("NAME", new Form.Variant("type", tunnels(), List.of())),
              "none",
              "IPsec tunnels",
              "{ staff: { type: remote-access, pools: 10.0.3.0/24, reach: office } }"),
          optional(
              "identities",
              new Form.Named("NAME", new Form.Fields(IDENTITY)),
              "none",
              "addresses of this host that leave by their own path",
              "{ inside: { address: 10.8.0.2, via: tun0 } }"),
          optional(
              "numbers",
              new Form.Fields(NUMBERS),
              "as below",
              "host-wide numbers that are ours",
              "{ route-protocol: 172 }"),
          optional(
              "masquerade",
              new Form.Fields(MASQUERADE),
              "none",
              "VPN hosts behind this one, under its address",
              "{ clients: office }"));

  /** Services that need no definition; a description may define them otherwise. */
  static final Map<String, List<String>> SERVICES = services();

  private Language() {}

  /** Every section, from the top down, each once. */
  static List<Section> sections() {
    List<Section> all = new ArrayList<>();
    collect(new Form.Fields(TOP), all);
    return List.copyOf(all);
  }

  private static void collect(Form form, List<Section> all) {
    switch (form) {
      case Form.Fields fields -> collect(fields.section(), all);
      case Form.Several several -> collect(several.item(), all);
      case Form.Named named -> collect(named.form(), all);
      case Form.Either either -> collect(either.fields(), all);
      case Form.Variant variant -> variant.sections().values().forEach(s -> collect(s, all));
      case Form.Value value -> {}
      case Form.Words words -> {}
      case Form.Whole whole -> {}
      case Form.Flag flag -> {}
      case Form.WordOrWhole either -> {}
    }
  }

  private static void collect(Section section, List<Section> all) {
    if (!all.contains(section) && !section.keys().isEmpty()) {
      all.add(section);
      section.keys().forEach(key -> collect(key.form(), all));
    }
  }

  /** The keys of a tunnel by its type. */
  static Map<String, Section> tunnels() {
    Map<String, Section> all = new LinkedHashMap<>();
    all.put("remote-access", REMOTE_ACCESS);
    all.put("site-to-site", SITE_TO_SITE);
    all.put("l2tp", L2TP);
    all.put("client", CLIENT);
    return all;
  }

  private static Map<String, List<String>> services() {
    Map<String, List<String>> all = new LinkedHashMap<>();
    all.put("dns", List.of("udp/53", "tcp/53"));
    all.put("dhcp", List.of("udp/67"));
    all.put("dhcpv6", List.of("udp/547"));
    all.put("ssh", List.of("tcp/22"));
    all.put("http", List.of("tcp/80"));
    all.put("https", List.of("tcp/443"));
    all.put("ntp", List.of("udp/123"));
    all.put("ipsec", List.of("udp/500", "udp/4500", "esp"));
    all.put("pptp", List.of("tcp/1723", "gre"));
    return all;
  }

  private static Section tunnel(String type, Key... own) {
    List<Key> keys = new ArrayList<>();
    keys.add(
        required(
            "type",
            words("remote-access", "site-to-site", "l2tp", "client"),
            "what kind of tunnel it is",
            type));
    keys.add(
        optional(
            "on",
            several(INTERFACE),
            "every outside interface",
            "the outside interfaces that it may use",
            "[wan, wan2]"));
    keys.add(
        optional(
            "ike",
            new Form.Fields(IKE),
            "none",
            "how the IKE daemon calls it",
            "{ connection: rw, child: net }"));
    keys.addAll(List.of(own));
    keys.add(
        optional(
            "services",
            several(SERVICE, "nothing"),
            "nothing",
            "what this host offers to those who come through it",
            "[dns]"));
    keys.add(
        optional(
            "esp",
            new Form.Fields(ESP),
            "as below",
            "how it protects packets, as far as it costs bytes",
            "{ encapsulation: always }"));
    keys.add(
        optional(
            "mss",
            new Form.WordOrWhole(
                new Form.Words(List.of("auto", "off"), List.of()),
                new Form.Whole(536, 65495, "bytes")),
            "`auto`",
            "what TCP may announce as its largest segment",
            "1300"));
    return new Section("tunnels.NAME (" + type + ")", "tunnel", keys);
  }

  private static Section section(String path, String label, Key... keys) {
    return new Section(path, label, List.of(keys));
  }

  private static Key required(String name, Form form, String meaning, String example) {
    return new Key(name, form, REQUIRED, "", meaning, example);
  }

  private static Key optional(
      String name, Form form, String standard, String meaning, String example) {
    return new Key(name, form, OPTIONAL, standard, meaning, example);
  }

  private static Form words(String... words) {
    return new Form.Words(List.of(words), List.of());
  }

  private static Form pattern() {
    return value("an identity, `*` stands for any characters");
  }

  private static Form value(String text) {
    return new Form.Value(text, "", "");
  }

  /** With what editors may hold it against; the reader says more, and says it better. */
  private static Form value(String text, String look) {
    return new Form.Value(text, "", "", look);
  }

  private static Form.Several several(Form item) {
    return new Form.Several(item, "");
  }

  private static Form.Several several(Form item, String emptyMeans) {
    return new Form.Several(item, emptyMeans);
  }
}
