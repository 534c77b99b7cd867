package io.gatehouse.verify;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Mutation;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.ruleset.Ruleset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever is taken from the rules of an example breaks a property, or lets every packet fare as
 * before. The exceptions let nothing more through.
 */
class MutationTest {

  private static final String NOBODYS =
      "drops what goes between devices that are none of ours under addresses that nobody routes: a"
          + " full tunnel takes all others";

  private static final String NOTHING_BEGINS =
      "drops what follows on connections through this host that nobody may begin";

  private static final String HALF_SEEN =
      "drops what conntrack cannot follow, because answers go past this host: OrdinaryTrafficIT";

  /** Mutations that no property speaks of and that only drop more, by what they are called. */
  private static final Map<String, String> DROPPING =
      Map.ofEntries(
          entry(
              "error about a tunnel's packet, in clear: without",
              "drops more of what comes from outside in clear: where a connection that is described"
                  + " needs it, answers break"),
          entry(
              "leaves in clear: without oifname @outside",
              "drops what a tunnel sends to somebody else's device in clear: nothing describes that"),
          entry(
              "leaves in clear: without rt ipsec missing",
              "drops what one tunnel sends into another: where that is described, too-little breaks"),
          entry(
              "its address means nothing out there: without",
              "drops what goes from network to network, or from this host with an inside address to"
                  + " the world: where that is described, a property breaks"),
          entry(
              "error about a connection, path MTU among them: gone",
              "of a family in which this host has an address, answers break; of the other only"
                  + " multicasts come here"),
          entry("this host's own errors, path MTU among them: gone", "the same on the way out"),
          entry(
              "lease for this host: gone",
              "a client asks by packet sockets, past the rules; what it renews by unicast starts"
                  + " from the address that it has"),
          entry(
              "source of a tunnel, not decrypted: without meta ipsec missing",
              "drops ESP that a tunnel brought: nothing describes a tunnel within a tunnel"),
          entry(
              "leaves by another path: without ip daddr != @beside4",
              "drops what has an identity's address and is for a network on another way: this host"
                  + " takes its address there"),
          entry(
              "ip rule 500",
              "where the main table leads is open: it may be the identity's way by itself. What"
                  + " takes another is dropped by the guard"),
          entry(
              "client: forward 6, for a tunnel, would leave in clear: without rt ipsec missing",
              "drops what others send into the tunnel under this host's virtual IP"),
          entry(
              "client: nat_out 2, home appears as 10.20.255.7 there: without ip daddr @far_hq4",
              "drops what this host sends to the world with an inside address: the guard stops it"
                  + " under the virtual IP"),
          entry(
              "client: nat_out 4, home appears as 2001:db8:8::7 there: without ip6 daddr @far_hq6",
              "the same"),
          entry(
              "client: policy XfrmPolicy[direction=OUT, source=2001:db8:8::7/128",
              "drops what this host sends to itself under its virtual IP, which is not followed"),
          entry("client: guard 6, for a virtual IP, leaves in clear: without oifname", "the same"),
          entry("client: guard 10, for a virtual IP, leaves in clear: without oifname", "the same"),
          entry(
              "full-client: guard 7, for a virtual IP, leaves in clear: without oifname",
              "the same"),
          entry(
              "full-client: policy XfrmPolicy[direction=FWD, source=2001:db8:1::/64",
              "drops what goes from the LAN to the LAN through this host"),
          entry(
              "full-client: forward 4, source of a network that is elsewhere: without iifname",
              "the same"),
          entry(
              "full-client: guard 1, IKE to a peer amidst its network: gone",
              "drops IKE of a standing connection from an inside address: no answer finds it"),
          entry("full-client: guard 2, ESP to a peer amidst its network: gone", "the same"),
          entry(
              "full-client: guard 3, for a tunnel, would leave in clear: without oifname",
              "drops what this host sends to itself under addresses that are none of its own"),
          entry("full-client: forward 19, nobody may begin towards this tunnel: without", NOBODYS),
          entry("full-client: forward 20, nobody may begin towards this tunnel: without", NOBODYS),
          entry("full-client: guard 5, source of a tunnel, leaves in clear: without", NOBODYS),
          entry("full-client: guard 6, was the source of a tunnel before NAT", NOBODYS),
          entry("full-client: guard 8, virtual IP, leaves in clear: without", NOBODYS),
          entry("full-client: guard 9, source of a tunnel, leaves in clear: without", NOBODYS),
          entry("full-client: guard 10, was the source of a tunnel before NAT", NOBODYS),
          entry("full-client: ours ", NOBODYS),
          entry(
              "roaming-client: forward 5, for a tunnel, would leave in clear: without rt ipsec missing",
              "drops what the tunnel sends back into itself, between others of the virtual IP's"
                  + " prefix"),
          entry(
              "roaming-client: guard 1, for a tunnel, would leave in clear: without oifname",
              "drops what this host sends to itself under its virtual IP"),
          entry(
              "roaming-client: guard 2, for a tunnel, would leave in clear: without oifname",
              "the same"),
          entry("inside-client: forward 2, home may reach company: gone", HALF_SEEN),
          entry("inside-client: forward 3, home may reach company: gone", HALF_SEEN),
          entry("l2tp: forward 1, conntrack can make nothing of it: without", NOTHING_BEGINS),
          entry("l2tp: forward 2, belongs to a connection: gone", NOTHING_BEGINS),
          entry(
              "l2tp: output 7, L2TP under protection: gone",
              "drops what this host's L2TP daemon begins itself: nobody described that it does, and"
                  + " answers belong to their connection"),
          entry(
              "hub-and-spokes: forward 7, belongs to a connection: gone",
              "drops what follows on connections that nobody may begin: where one may, so may the"
                  + " other end"));

  private static final String WHOSE =
      "which of several clients an answer goes to is no matter of one packet: L2tpRulesIT";

  private static final String WHOEVER =
      "what else gets the virtual IP is for the tunnel, and goes into it or nowhere; which address"
          + " a map gives is nothing that two hosts are compared by";

  private static final String TRANSIT =
      "answers from the world to the world, which is nothing of ours: by the way it was asked by";

  private static final String OURS =
      "answers to a far network: a connection from there begins within the tunnel and is not"
          + " marked, or in clear and is dropped";

  private static final String ORIGINAL =
      "what a connection's beginner sends comes by the uplink: from inside with his source it is"
          + " somebody else's";

  /** Others that no property speaks of, each as it is called. */
  private static final Map<String, String> OTHERS =
      Map.ofEntries(
          entry(
              "one-armed: nat_out 2, appears as the outside interface's address: without ip saddr"
                  + " @masqueraded4",
              "this host's own packets are given the address that they have"),
          entry(
              "named-peers: output 10, IKE to peers, to any port: without ip6 saddr 2001:db8:ffff::2",
              "without a source of its own, which only a raw socket sends, and to peers alone"),
          entry(
              "named-peers: output 11, ESP to peers: without ip6 saddr 2001:db8:ffff::2",
              "the same"),
          entry(
              "named-peers: guard 1, IKE to a peer amidst its network: without ip daddr @amidst4",
              "IKE of standing connections from an inside address to the world, which NAT did not"
                  + " see: no answer finds it"),
          entry(
              "named-peers: guard 2, ESP to a peer amidst its network: without ip daddr @amidst4",
              "the same"),
          entry(
              "dynamic-address: nat_in 1, port forward to 10.0.1.80: without iifname \"eth0\"",
              "clients of the tunnel reach by this host's name what they may reach by its own"),
          entry(
              "dynamic-address: output 8, IKE to peers, to any port: without",
              "without a source of its own, which only a raw socket sends"),
          entry("dynamic-address: output 9, ESP to peers: without", "the same"),
          entry("dynamic-address: output 10, IKE to peers, to any port: without", "the same"),
          entry("dynamic-address: output 11, ESP to peers: without", "the same"),
          entry(
              "lan-services: output 8, IKE to peers, to any port: without",
              "without a source of its own, which only a raw socket sends"),
          entry("lan-services: output 9, ESP to peers: without", "the same"),
          entry("lan-services: output 10, IKE to peers, to any port: without", "the same"),
          entry("lan-services: output 11, ESP to peers: without", "the same"),
          entry(
              "lan-services: guard 4, its address means nothing out there: without fib saddr type",
              "drops what has an inside address of this host and goes to the world: in more kinds"
                  + " than a comparison shows, but less passes a drop that asks less"),
          entry(
              "lan-services: guard 5, its address means nothing out there: without fib saddr type",
              "the same"),
          entry("l2tp: l2tp_zone 1", WHOSE),
          entry("l2tp: l2tp_in 1", WHOSE),
          entry("l2tp: l2tp_in 2", WHOSE),
          entry("l2tp: l2tp_port 1", WHOSE),
          entry("l2tp: l2tp_back 1", WHOSE),
          entry("l2tp: output 5, IKE to peers, to any port: without ip saddr", "the same"),
          entry("l2tp: output 6, ESP to peers: without ip saddr", "the same"),
          entry("l2tp: output 7, L2TP under protection: without rt ipsec", "the same"),
          entry("dhcp-pool: output 10, IKE to peers, to any port: without fib saddr", "the same"),
          entry("dhcp-pool: output 11, ESP to peers: without fib saddr", "the same"),
          entry("roaming-client: nat_out 2, cabin appears as one of 10.20.255.0/24", WHOEVER),
          entry("roaming-client: nat_out 4, cabin appears as one of 2001:db8:20:ff::", WHOEVER),
          entry(
              "client: ours 5, from an address of ours, not allowed: gone",
              "what bears the virtual IP and goes between devices that are none of ours"),
          entry(
              "client: policy XfrmPolicy[direction=IN, source=10.20.0.0/16",
              "what others send to groups under this host's virtual IP, to the port of DHCP's"
                  + " clients, which takes that from any source"),
          entry("full-client: policy XfrmPolicy[direction=IN, source=8.0.0.0/5", "the same"),
          entry(
              "full-client: guard 9, source of a tunnel, leaves in clear: gone",
              "the same, with a source of somebody else's"),
          entry(
              "full-client: nat_out 2, home appears as 10.20.255.7 there: without ip daddr @far_hq4",
              "what this host sends from an inside address to addresses that nobody routes"),
          entry(
              "uplink-servers: uplinks 3, answered by the way of first: without iifname", TRANSIT),
          entry(
              "uplink-servers: uplinks 4, answered by the way of second: without iifname", TRANSIT),
          entry("uplink-servers: uplinks 3, answered by the way of first: without ip daddr", OURS),
          entry("uplink-servers: uplinks 4, answered by the way of second: without ip daddr", OURS),
          entry(
              "uplink-servers: uplinks 3, answered by the way of first: without ct dir", ORIGINAL),
          entry(
              "uplink-servers: uplinks 4, answered by the way of second: without ct dir", ORIGINAL),
          entry(
              "pptp-calls: nat_in 4, port forward to 10.0.1.80: without ip daddr",
              "more of what goes to the server passes user space: its answer is open"),
          entry(
              "pptp-calls: nat_in 4, port forward to 10.0.1.80: without tcp dport",
              "IPsec in a host's zone, and GRE of a call, are led to their host by the rules before"),
          entry(
              "pptp-calls: forward 9, port forward to 10.0.1.80: without ct status dnat",
              "what is expected of a connection to the server and not translated: those that NAT"
                  + " translates alone are let through"));

  private static final Set<String> MASQUERADES =
      Set.of("gateway-and-hosts.yaml", "pptp.yaml", "pptp-calls.yaml", "vpn-masquerade.yaml");

  /**
   * Of these what user space is asked, what it answers, and where its maps lead then: nothing of
   * that does the model know, and a proof that rests on it says so. VpnHostsIT and
   * MasqueradePeersIT show it on a kernel.
   */
  private static final Map<String, String> OF_MASQUERADES =
      Map.ofEntries(
          entry(
              "masq_ask 1, IKE of this host's own: gone",
              "IKE of this host's own sessions is asked of user space like any other: OwnTunnelIT"),
          entry(
              "masq_ask 1, IKE of this host's own: without ip saddr . @th,64,64 @masq.own_cookies",
              "IKE of remotes stays at this host, that for hosts inside too: OwnTunnelIT"),
          entry(
              "masq_ask 1, IKE of this host's own: without",
              "the set of this host's cookies is asked about more packets: what stands in that place"
                  + " of others is none"),
          entry(
              "masq_ask 2, ESP of this host's own: gone",
              "ESP of this host's own SAs is asked of user space like any other: OwnTunnelIT"),
          entry(
              "masq_ask 2, ESP of this host's own: without ip saddr . esp spi @masq.own_spis",
              "ESP of remotes stays at this host, that for hosts inside too: OwnTunnelIT"),
          entry(
              "masq_ask 2, ESP of this host's own: without",
              "the set of this host's SPIs is asked about more packets: what stands in that place of"
                  + " others is none"),
          entry(
              "nat_in 1, the remote speaks first: gone",
              "what a remote's IKE begins stays at this host: VpnHostsIT"),
          entry(
              "nat_in 1, the remote speaks first: without ct zone",
              "the map is asked by the zone: one outside of these stands in it as little as none"),
          entry(
              "nat_in 1, the remote speaks first: without",
              "more of what is in a host's zone goes to that host: what gets a zone, user space and its maps say"),
          entry(
              "nat_in 2, the remote speaks first: gone",
              "what a remote's ESP begins stays at this host: VpnHostsIT"),
          entry("nat_in 2, the remote speaks first: without ct zone", "the same as of IKE"),
          entry("nat_in 2, the remote speaks first: without", "the same as of IKE"),
          entry(
              "control of PPTP of",
              "what of TCP passes user space, whose answer is open; past it calls fail: PptpCallsIT"),
          entry(
              "calls of PPTP: gone",
              "what is sent to a host under its call's ID stays here: PptpCallsIT"),
          entry(
              "calls of PPTP: without",
              "the map of calls is asked about more packets: what stands in that place of others is none"),
          entry("to whom the call is: gone", "the same: PptpCallsIT"),
          entry("to whom the call is: without", "GRE that is not PPTP's has no call's ID there"),
          entry(
              "calls under the hosts' own Call IDs: gone", "hosts do not know the ID: PptpCallsIT"),
          entry(
              "calls under the hosts' own Call IDs: without",
              "what comes under another ID has no call"),
          entry("as the host calls it: gone", "hosts do not know the ID: PptpCallsIT"),
          entry("as the host calls it: without", "GRE that is not PPTP's has no call's ID there"),
          entry(
              "of a call that is over: gone", "it goes to the host that had the call: PptpCallsIT"),
          entry(
              "of a call that is over: without",
              "GRE that is not PPTP's, which nothing lets through"),
          entry("of a call that stands: gone", "hosts get nothing of their calls: PptpCallsIT"),
          entry("of a call that stands: without", "GRE that is not PPTP's has no call's ID there"),
          entry("of a call of its own: gone", "hosts send nothing of their calls: PptpCallsIT"),
          entry(
              "of a call of its own: without",
              "a host's GRE of no call leaves as its own does: what stands in the set the proofs"
                  + " do not know: PptpCallsIT"),
          entry(
              "calls of PPTP of hosts of office: without meta l4proto gre",
              "what stands in the place of a call's ID of others is none"),
          entry(
              "nat_in 3, port forward to 10.0.1.9: without udp dport 4500",
              "IPsec in a host's zone is led to that host by the rules before; without a zone nothing lets it through"),
          entry(
              "IKE: whose, by the initiator's cookie: gone",
              "IKE of a session that is known is asked of user space like any other"),
          entry(
              "IKE: whose, by the initiator's cookie: without",
              "the map of cookies is asked about more packets: for what stands in that place of others it has no zone"),
          entry(
              "IKE: seen on its way, or asked: gone",
              "IKE of the remotes is not seen by user space, and what is not known goes to this host"),
          entry(
              "IKE: seen on its way, or asked: without",
              "more packets go through user space: its answer is open"),
          entry(
              "AH: refused, and by whom it was: gone",
              "AH is dropped by the rule behind it, and `status` does not say whose it was"),
          entry(
              "AH: refused, and by whom it was: without",
              "more packets go through user space: its answer is open"),
          entry(
              "AH: nobody can translate it: gone",
              "AH of a connection, which conntrack has of nobody, and what is over the rate of questions"),
          entry(
              "AH: nobody can translate it: without",
              "AH of others is dropped too, which nothing that is described sends"),
          entry(
              "AH of hosts of office: gone",
              "AH of hosts is dropped as nothing that is described, and `status` does not say whose it was"),
          entry(
              "AH of hosts of office: without",
              "more packets go through user space: its answer is open; AH of others is nothing that is described"),
          entry(
              "ESP of a known SPI, past conntrack: gone",
              "ESP of a known SPI goes through conntrack like any other: MasqueradeKernel says what that costs"),
          entry(
              "ESP of a known SPI, past conntrack: without",
              "more packets are looked up in the same maps, or go past conntrack, and are let through as what they are"),
          entry(
              "IPsec towards hosts of office, past conntrack: gone",
              "what went past conntrack on its way to a host is dropped: VpnHostsIT"),
          entry(
              "masq_direct 1, appears as the outside interface's address: gone",
              "what went past conntrack keeps its source, with which the guard drops it: VpnHostsIT"),
          entry(
              "masq_direct 1, appears as the outside interface's address: without ct state untracked",
              "conntrack gives what it has seen the same address"),
          entry(
              "ESP: whose, by its SPI: gone",
              "ESP of an SPI that is known is asked of user space like any other"),
          entry(
              "ESP: whose, by its SPI: without",
              "the map of SPIs is asked about more packets: for what stands in that place of others it has no zone"),
          entry(
              "ESP of an unknown SPI: gone",
              "ESP that nobody knows goes to this host, and no copy of it to hosts inside"),
          entry(
              "ESP of an unknown SPI: without",
              "more packets go through user space: its answer is open"),
          entry(
              "an error about ESP that one of them sent: gone",
              "an error about a host's ESP gets no zone, and conntrack finds no connection for it"),
          entry(
              "an error about ESP that one of them sent: without",
              "the map of quoted SPIs, which packets fill, is asked about more packets"),
          entry(
              "IKE of hosts of office: gone",
              "IKE of the hosts gets no zone and is not seen: NAT keeps it apart by ports, as without masquerade"),
          entry(
              "IKE of hosts of office: without",
              "more packets get the zone of their source and go through user space: its answer is open"),
          entry(
              "ESP of hosts of office: gone",
              "ESP of the hosts gets no zone and is not seen: one session with each remote, as without masquerade"),
          entry(
              "ESP of hosts of office: without",
              "more packets get the zone of their source and go through user space: its answer is open"),
          entry(
              "masq_ike 2, IKE: seen on its way: gone",
              "a session that is known waits for user space like a new one"),
          entry(
              "masq_ike 2, IKE: seen on its way: without",
              "a new session passes by where no user space listens"),
          entry(
              "masq_ike 3, IKE: a new session: gone",
              "a new session leaves without having been seen"),
          entry(
              "masq_esp 2, ESP: seen, because it decides something: gone",
              "ESP that tells whose an SPI is is not seen"),
          entry(
              "masq_esp 2, ESP: seen, because it decides something: without",
              "all ESP is seen, that of known SPIs too"),
          entry(
              "masq_esp 3, ESP of a known SPI: gone",
              "ESP that is known waits for user space each time"),
          entry(
              "masq_esp 3, ESP of a known SPI: without",
              "ESP of new SPIs leaves without having been seen"),
          entry("masq_esp 4, ESP of a new SPI: gone", "the same"),
          entry(
              "IPsec towards hosts of office: gone",
              "what a remote begins towards a host is dropped: VpnHostsIT"),
          entry(
              "calls of PPTP of hosts of office: gone",
              "calls that the helper expects are dropped: PptpIT"),
          entry(
              "calls of PPTP of hosts of office: without ct status dnat",
              "a call that was expected and not translated: those of control connections that NAT translates are"),
          entry(
              "copies of what is not decided yet: gone",
              "hosts get no copies of what nobody could decide: VpnHostsIT"),
          entry(
              "copies of what is not decided yet: without",
              "this host sends in somebody's name what is no IPsec: only user space with raw sockets does"));

  private static HostState host(Gateway gateway, Ruleset ruleset) {
    return DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
  }

  private record Tally(int broken, int equal, int excepted, List<String> unnoticed) {}

  /**
   * @param every how many of the mutations are tried: each one, or one in so many
   */
  private static Tally tried(String example, int every) {
    Gateway gateway = Descriptions.example(example);
    Ruleset whole = Compiler.compile(gateway).ruleset();
    HostState before = host(gateway, whole);
    List<Mutation> all = Mutation.of(whole);
    List<Noticed> noticed =
        IntStream.range(0, all.size())
            .filter(i -> i % every == 0)
            .parallel()
            .mapToObj(i -> noticed(example, gateway, before, all.get(i)))
            .toList();
    Tally tally =
        new Tally(
            count(noticed, Fate.BROKEN),
            count(noticed, Fate.EQUAL),
            count(noticed, Fate.EXCEPTED),
            noticed.stream()
                .filter(one -> one.fate() == Fate.UNNOTICED)
                .map(Noticed::words)
                .toList());
    System.out.printf(
        "%s: %d mutations; %d break a property, %d change nothing, %d are excepted%n",
        example, noticed.size(), tally.broken(), tally.equal(), tally.excepted());
    return tally;
  }

  private enum Fate {
    BROKEN,
    EQUAL,
    EXCEPTED,
    UNNOTICED
  }

  private record Noticed(Fate fate, String words) {}

  private static int count(List<Noticed> noticed, Fate fate) {
    return (int) noticed.stream().filter(one -> one.fate() == fate).count();
  }

  private static Noticed noticed(
      String example, Gateway gateway, HostState before, Mutation mutation) {
    if (Proofs.of(gateway, mutation.ruleset()).stream()
        .anyMatch(verdict -> verdict instanceof Verdict.Broken)) {
      return new Noticed(Fate.BROKEN, "");
    }
    Comparison.Outcome outcome =
        Comparison.of(before, host(gateway, mutation.ruleset()), List.of(Family.V4, Family.V6));
    if (outcome.isEqual()) {
      return new Noticed(Fate.EQUAL, "");
    }
    return isExcepted(example, mutation, outcome)
        ? new Noticed(Fate.EXCEPTED, "")
        : new Noticed(
            Fate.UNNOTICED, example + ": " + mutation.what() + "\n  " + words(outcome) + "\n");
  }

  private static boolean isExcepted(String example, Mutation mutation, Comparison.Outcome outcome) {
    boolean onlyDrops =
        outcome.unknown().isEmpty()
            && outcome.more() == 0
            && outcome.differences().stream()
                .allMatch(difference -> difference.kind() == Comparison.Kind.FIRST_ALONE);
    String name = example.replace(".yaml", "") + ": " + mutation.what();
    return (onlyDrops && DROPPING.keySet().stream().anyMatch(name::contains))
        || OTHERS.keySet().stream().anyMatch(name::startsWith)
        || (MASQUERADES.contains(example)
            && OF_MASQUERADES.keySet().stream().anyMatch(name::contains));
  }

  private static List<String> words(Comparison.Outcome outcome) {
    List<String> words = new ArrayList<>(outcome.unknown());
    outcome
        .differences()
        .forEach(
            one -> words.add(one.flow() + " " + one.kind() + " " + one.way().first().packet()));
    return words;
  }

  @Test
  void someThingsTakenFromAClosedHostAreNoticed() {
    Tally tally = tried("closed-host.yaml", 6);

    assertThat(tally.unnoticed()).isEmpty();
    assertThat(tally.broken()).isGreaterThan(15);
  }

  /** All but those of masquerade, which are below. */
  @Tag("full")
  @ParameterizedTest
  @ValueSource(
      strings = {
        "behind-nat",
        "client",
        "closed-host",
        "dhcp-pool",
        "dynamic-address",
        "fixed-address",
        "full-client",
        "full-tunnel",
        "groups",
        "hub-and-spokes",
        "inside-client",
        "ipv6",
        "l2tp",
        "lan-services",
        "named-peers",
        "nat-return",
        "office",
        "one-armed",
        "other-router",
        "port-forward",
        "pptp-servers",
        "proxy-lan",
        "registered-vpn",
        "roaming-client",
        "same-network",
        "site-to-site",
        "two-identities",
        "two-uplinks",
        "uplink-servers"
      })
  void everythingTakenFromAnExampleIsNoticed(String example) {
    Tally tally = tried(example + ".yaml", 1);

    assertThat(tally.unnoticed()).isEmpty();
    assertThat(tally.broken()).isGreaterThan(tally.equal());
  }

  /** Half of what they write is for user space, and not for the proofs to see. */
  @Tag("full")
  @ParameterizedTest
  @ValueSource(strings = {"gateway-and-hosts", "pptp", "pptp-calls", "vpn-masquerade"})
  void everythingTakenFromAMasqueradeIsNoticed(String example) {
    Tally tally = tried(example + ".yaml", 1);

    assertThat(tally.unnoticed()).isEmpty();
    assertThat(tally.broken()).isGreaterThan(50);
  }
}
