package io.gatehouse.it.netlink;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.OwnNamespace;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.KernelEvents;
import io.gatehouse.netlink.KernelEvents.Heard;
import io.gatehouse.netlink.NftCodec;
import io.gatehouse.netlink.NftMessage;
import io.gatehouse.netlink.RouteCodec;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.netlink.XfrmCodec;
import io.gatehouse.netlink.XfrmMessage;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What `nft` and `ip` show is what we wrote, and what they wrote is what we read. */
class NetlinkIT {
  private static final SetId GROUPS = SetId.inet("gatehouse", "groups4");
  private static final SetId ZONES = SetId.inet("gatehouse", "zones");
  private static final OptionalLong ANY = OptionalLong.empty();
  private static final Duration SOON = Duration.ofSeconds(5);

  private static final String TABLE =
      """
      nft -f - <<'END'
      table inet gatehouse {
        map groups4 { type ipv4_addr : verdict; }
        map zones { typeof meta mark : ct zone; }
        chain finance { accept; }
        chain admins { accept; }
      }
      END
      """;

  private static <T> T told(Answer<T> answer) {
    return switch (answer) {
      case Answer.Told<T>(T value) -> value;
      case Answer.Failed<T>(Failure why) -> throw new AssertionError(why.toString());
    };
  }

  private static Failure refused(Answer<?> answer) {
    return switch (answer) {
      case Answer.Failed<?>(Failure why) -> why;
      case Answer.Told<?> told -> throw new AssertionError("it was done");
    };
  }

  private static SetElement member(String address, String chain) {
    return SetElement.of(
        Bytes.of(Address.of(address).bytes()),
        new Data.Verdict(Data.Verdict.GOTO, Optional.of(chain)));
  }

  private static SetElement zone(long mark, int zone) {
    return SetElement.of(Bytes.int32(mark), new Data.Value(Bytes.int16(zone)));
  }

  private static void sent(String from, int port) throws Exception {
    try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress(from, port))) {
      socket.send(new DatagramPacket(new byte[] {1}, 1, InetAddress.getByName("192.0.2.9"), 4000));
    } catch (IOException dropped) {
      assertThat(dropped).hasMessageContaining("Operation not permitted");
    }
  }

  private static long left() throws Exception {
    return Long.parseLong(sh("awk '/wire:/ { print $11 }' /proc/net/dev").strip());
  }

  @Test
  void whatIsHeldBackStaysHeldBackWhoeverFlushesTheRules() {
    OwnNamespace.in(() -> {
      sh(
          """
          ip link add wire type veth peer name end
          ip link set end up
          ip link set wire arp off up
          ip addr add 192.0.2.1/24 dev wire
          """);
      try (Kernel kernel = told(Kernel.open())) {
        long before = left();
        sent("192.0.2.1", 1701);
        assertThat(left()).as("nothing holds it back").isEqualTo(before + 1);

        told(kernel.holdBack("gatehouse_kept", 1701));
        told(kernel.holdBack("gatehouse_kept", 1701)); // anew, and once
        assertThat(sh("nft list table inet gatehouse_kept"))
            .contains("flags owner", "oifname != \"lo\"", "udp sport 1701")
            .containsOnlyOnce(
                "rt ipsec missing counter packets 0 bytes 0 drop comment \"leaves in");
        sh("nft flush ruleset; ! nft delete table inet gatehouse_kept");

        sent("192.0.2.1", 1701);
        assertThat(left()).as("held back").isEqualTo(before + 1);
        sent("192.0.2.1", 1702);
        assertThat(left()).as("another port").isEqualTo(before + 2);
        assertThat(sh("nft list table inet gatehouse_kept")).contains("counter packets 1 ");

        told(kernel.letGo("gatehouse_kept"));
        assertThat(refused(kernel.letGo("gatehouse_kept")).errno()).isEqualTo(Failure.NO_SUCH);
        sent("192.0.2.1", 1701);
        assertThat(left()).isEqualTo(before + 3);
        told(kernel.holdBack("gatehouse_kept", 1701));
      }
      assertThat(sh("nft list tables")).as("it goes with its socket").isEmpty();
    });
  }

  private static final Duration NINE = Duration.ofMinutes(9);

  @Test
  void anElementThatIsToGoByItselfSaysWhen() {
    OwnNamespace.in(() -> {
      sh(
          """
          nft -f - <<'END'
          table inet gatehouse {
            map zones { typeof ip saddr . esp spi : ct zone; flags timeout; }
          }
          END
          """);
      Bytes key =
          Bytes.of(
              (byte) 192, (byte) 0, (byte) 2, (byte) 1, (byte) 0, (byte) 0, (byte) 1, (byte) 2);
      SetElement element =
          SetElement.of(key, new Data.Value(Bytes.int16(0x8001))).lasting(Duration.ofMinutes(65));
      try (Kernel kernel = told(Kernel.open())) {
        assertThat(told(kernel.change(List.of(new ElementChange.Add(ZONES, element)), ANY)))
            .isTrue();

        assertThat(sh("nft list map inet gatehouse zones"))
            .contains("192.0.2.1 . 258 timeout 1h5m expires 1h", ": 32769");
        SetElement listed = told(kernel.elements(ZONES)).getFirst();
        assertThat(listed.key()).isEqualTo(key);
        assertThat(listed.timeout()).contains(Duration.ofMinutes(65));
        assertThat(listed.expires().orElseThrow())
            .isBetween(Duration.ofMinutes(60), Duration.ofMinutes(65));
      }
    });
  }

  @Test
  void nftShowsTheElementsThatWeWriteAndWeReadThemBack() {
    OwnNamespace.in(() -> {
      sh(TABLE);
      try (Kernel kernel = told(Kernel.open())) {
        List<ElementChange> changes =
            List.of(
                new ElementChange.Add(GROUPS, member("10.0.3.9", "finance")),
                new ElementChange.Add(GROUPS, member("10.0.3.10", "admins")),
                new ElementChange.Add(ZONES, zone(7, 0x1007)));
        told(kernel.change(changes, ANY));

        assertThat(sh("nft list map inet gatehouse groups4"))
            .contains("10.0.3.9 : goto finance", "10.0.3.10 : goto admins");
        assertThat(sh("nft list map inet gatehouse zones")).contains("0x00000007 : 4103");
        assertThat(told(kernel.elements(GROUPS)))
            .containsExactlyInAnyOrder(
                member("10.0.3.9", "finance"), member("10.0.3.10", "admins"));
        assertThat(told(kernel.elements(ZONES))).containsExactly(zone(7, 0x1007));

        told(
            kernel.change(
                List.of(
                    new ElementChange.Remove(GROUPS, member("10.0.3.9", "finance")),
                    new ElementChange.Add(GROUPS, member("10.0.3.9", "admins"))),
                ANY));
        assertThat(sh("nft list map inet gatehouse groups4"))
            .contains("10.0.3.9 : goto admins")
            .doesNotContain("finance");
      }
    });
  }

  @Test
  void aBatchWithOneThatIsRefusedChangesNothing() {
    OwnNamespace.in(() -> {
      sh(TABLE);
      try (Kernel kernel = told(Kernel.open())) {
        Failure why =
            refused(
                kernel.change(
                    List.of(
                        new ElementChange.Add(ZONES, zone(1, 0x1001)),
                        new ElementChange.Add(GROUPS, member("10.0.3.9", "nobody")),
                        new ElementChange.Add(ZONES, zone(2, 0x1002))),
                    ANY));
        assertThat(why.errno()).isEqualTo(Failure.NO_SUCH);
        assertThat(told(kernel.elements(ZONES))).isEmpty();
        assertThat(refused(kernel.elements(SetId.inet("gatehouse", "none"))).errno())
            .isEqualTo(Failure.NO_SUCH);
        // The conversation goes on where it was.
        told(kernel.change(List.of(new ElementChange.Add(ZONES, zone(3, 0x1003))), ANY));
        assertThat(told(kernel.elements(ZONES))).containsExactly(zone(3, 0x1003));
      }
    });
  }

  @Test
  void aBatchForAnotherGenerationIsRefused() {
    OwnNamespace.in(() -> {
      sh(TABLE);
      try (Kernel kernel = told(Kernel.open())) {
        long seen = told(kernel.generation());
        sh("nft add chain inet gatehouse more");
        List<ElementChange> change = List.of(new ElementChange.Add(ZONES, zone(1, 0x1001)));

        assertThat(refused(kernel.change(change, OptionalLong.of(seen))).errno())
            .isEqualTo(Failure.OTHER_GENERATION);
        assertThat(told(kernel.elements(ZONES))).isEmpty();
        told(kernel.change(change, OptionalLong.of(told(kernel.generation()))));
        assertThat(told(kernel.elements(ZONES))).hasSize(1);
      }
    });
  }

  @Test
  void elementsEndByThemselvesWhereNobodyRenewsThem() {
    OwnNamespace.in(() -> {
      sh(
          TABLE.replace(
              "groups4 { type ipv4_addr : verdict; }",
              "groups4 { type ipv4_addr : verdict; flags timeout; }"));
      SetElement brief = member("10.0.3.9", "finance").lasting(Duration.ofMillis(400));
      SetElement longer = member("10.0.3.10", "finance").lasting(Duration.ofMinutes(2));
      try (Kernel kernel = told(Kernel.open())) {
        told(
            kernel.change(
                List.of(
                    new ElementChange.Add(GROUPS, brief), new ElementChange.Add(GROUPS, longer)),
                ANY));
        assertThat(sh("nft list map inet gatehouse groups4"))
            .containsPattern("10\\.0\\.3\\.10 timeout 2m expires [^ ]+ : goto finance");
        // Taken away and added in one batch, it begins anew.
        told(
            kernel.change(
                List.of(
                    new ElementChange.Remove(GROUPS, member("10.0.3.10", "finance")),
                    new ElementChange.Add(GROUPS, member("10.0.3.10", "finance").lasting(NINE))),
                ANY));
        assertThat(sh("nft list map inet gatehouse groups4"))
            .containsPattern("timeout 9m expires (9m|8m5)");
        Awaitility.await()
            .pollInSameThread()
            .atMost(SOON)
            .untilAsserted(() ->
                // How much is left of the time differs from look to look.
                assertThat(
                        told(kernel.elements(GROUPS)).stream().map(e -> e.lasting(NINE)).toList())
                    .containsExactly(member("10.0.3.10", "finance").lasting(NINE)));
      }
    });
  }

  @Test
  void connectionsAreListedAndEnded() {
    OwnNamespace.in(() -> {
      sh(
          """
          ip link set lo up
          ip addr add 10.0.1.1/32 dev lo
          ip addr add 2001:db8:1::1/128 dev lo nodad
          nft -f - <<'END'
          table inet t {
            chain zone { type filter hook output priority raw; ip daddr 10.0.1.1 ct zone set 7; }
            chain in { type filter hook input priority 0; ct state new accept; }
          }
          END
          for to in 127.0.0.2 10.0.1.1 2001:db8:1::1; do
            bash -c "echo x > /dev/udp/$to/9999"
          done
          """);
      try (Kernel kernel = told(Kernel.open())) {
        List<Connection> all = told(kernel.connections());
        for (String to : List.of("10.0.1.1", "2001:db8:1::1")) {
          Connection one =
              all.stream()
                  .filter(each -> each.concerns(Address.of(to)))
                  .findFirst()
                  .orElseThrow(() -> new AssertionError(to + " is not among " + all));
          told(kernel.forget(one));
          assertThat(refused(kernel.forget(one)).errno()).isEqualTo(Failure.NO_SUCH);
        }
        String left = sh("conntrack -L 2>&1; conntrack -L -f ipv6 2>&1");
        assertThat(left).contains("127.0.0.2").doesNotContain("10.0.1.1", "2001:db8:1::1");
      }
    });
  }

  @Test
  void tenThousandElementsAreOneBatchAndOneList() {
    OwnNamespace.in(() -> {
      List<ElementChange> all = tenThousand();
      try (Kernel kernel = told(Kernel.open())) {
        sh(TABLE);
        told(kernel.change(all, ANY));
        assertThat(Set.copyOf(told(kernel.elements(GROUPS))))
            .isEqualTo(Set.copyOf(all.stream().map(ElementChange::element).toList()));
        told(
            kernel.change(
                all.stream().map(a -> new ElementChange.Remove(GROUPS, a.element())).toList(),
                ANY));
        assertThat(told(kernel.elements(GROUPS))).isEmpty();
      }
    });
  }

  /** One list in twenty-five lacked up to a fifth, for some milliseconds after the batch. */
  @Test
  void aListLacksNothingWhileTheKernelMakesItsTableLarger() {
    OwnNamespace.in(() -> {
      List<ElementChange> all = tenThousand();
      try (Kernel kernel = told(Kernel.open())) {
        for (int round = 0; round < 30; round++) {
          sh("nft flush ruleset");
          sh(TABLE);
          told(kernel.change(all, ANY));
          assertThat(told(kernel.elements(GROUPS)).stream().map(SetElement::key).distinct())
              .hasSize(all.size());
        }
      }
    });
  }

  private static List<ElementChange> tenThousand() {
    return IntStream.range(0, 10_000)
        .<ElementChange>mapToObj(i ->
            new ElementChange.Add(
                GROUPS, member(Address.of("10.0.0.0").plus(i).toString(), "finance")))
        .toList();
  }

  @Test
  void whatIpMadeIsReadAndWhatWeProxyIpShows() {
    OwnNamespace.in(() -> {
      sh(
          """
          ip link set lo up
          ip link add lan type veth peer name far
          ip link set lan up; ip link set far up
          ip addr add 10.0.1.1/24 dev lan
          ip addr add 2001:db8:1::1/64 dev lan nodad
          ip route add 10.0.3.0/24 via 10.0.1.9 table 7100 protocol 171 metric 5
          ip route add unreachable 10.0.4.0/24 table 7100
          ip -6 route add 2001:db8:3::/64 table 7101 nexthop via 2001:db8:1::8 nexthop via 2001:db8:1::9
          ip rule add from 10.0.1.1 fwmark 0x1000000/0xff000000 priority 5000 table 7100 protocol 171
          ip neigh add 10.0.1.50 lladdr 02:00:00:00:00:01 dev lan
          """);
      try (Kernel kernel = told(Kernel.open())) {
        List<RouteMessage> links = told(kernel.list(RouteCodec.Kind.LINKS));
        int lan =
            links.stream()
                .filter(m -> m instanceof RouteMessage.Link link && link.name().equals("lan"))
                .mapToInt(m -> ((RouteMessage.Link) m).index())
                .findFirst()
                .orElseThrow();
        assertThat(links)
            .contains(new RouteMessage.Link(lan, "lan", true, OptionalInt.of(1500), false));
        assertThat(told(kernel.list(RouteCodec.Kind.ADDRESSES)))
            .contains(
                new RouteMessage.OfLink(lan, Address.of("10.0.1.1"), 24, false),
                new RouteMessage.OfLink(lan, Address.of("2001:db8:1::1"), 64, false));
        assertThat(told(kernel.list(RouteCodec.Kind.NEIGHBOURS)))
            .contains(new RouteMessage.Neighbour(lan, Address.of("10.0.1.50"), false, 0, false));
        assertThat(told(kernel.list(RouteCodec.Kind.RULES)))
            .contains(
                new RouteMessage.Rule(
                    Family.V4,
                    5000,
                    Optional.of(Prefix.of("10.0.1.1/32")),
                    Optional.empty(),
                    OptionalLong.of(0x1000000),
                    OptionalLong.of(0xff000000L),
                    Optional.empty(),
                    Optional.empty(),
                    7100,
                    1,
                    false,
                    171,
                    false));
        assertThat(told(kernel.list(RouteCodec.Kind.ROUTES)))
            .contains(
                new RouteMessage.Route(
                    Prefix.of("10.0.3.0/24"),
                    Prefix.ALL_V4,
                    7100,
                    1,
                    171,
                    OptionalLong.of(5),
                    List.of(
                        new RouteMessage.Hop(
                            OptionalInt.of(lan), Optional.of(Address.of("10.0.1.9")))),
                    false))
            .anySatisfy(m ->
                assertThat(m)
                    .isInstanceOfSatisfying(
                        RouteMessage.Route.class,
                        route -> {
                          assertThat(route.destination()).isEqualTo(Prefix.of("10.0.4.0/24"));
                          assertThat(route.kind()).isEqualTo(7);
                          assertThat(route.hops()).isEmpty();
                        }))
            .anySatisfy(m ->
                assertThat(m)
                    .isInstanceOfSatisfying(
                        RouteMessage.Route.class,
                        route -> {
                          assertThat(route.destination()).isEqualTo(Prefix.of("2001:db8:3::/64"));
                          assertThat(route.table()).isEqualTo(7101);
                          assertThat(route.hops())
                              .extracting(RouteMessage.Hop::via)
                              .containsExactlyInAnyOrder(
                                  Optional.of(Address.of("2001:db8:1::8")),
                                  Optional.of(Address.of("2001:db8:1::9")));
                        }));

        told(kernel.proxy(Address.of("10.0.1.77"), lan, 171, true));
        told(kernel.proxy(Address.of("2001:db8:1::77"), lan, 171, true));
        assertThat(sh("ip neigh show proxy; ip -6 neigh show proxy"))
            .contains("10.0.1.77 dev lan proxy", "2001:db8:1::77 dev lan proxy");
        assertThat(told(kernel.proxies(Family.V4)))
            .containsExactly(
                new RouteMessage.Neighbour(lan, Address.of("10.0.1.77"), true, 171, false));
        told(kernel.proxy(Address.of("10.0.1.77"), lan, 171, false));
        assertThat(told(kernel.proxies(Family.V4))).isEmpty();
        assertThat(told(kernel.proxies(Family.V6))).hasSize(1);
        assertThat(refused(kernel.proxy(Address.of("10.0.1.77"), lan, 171, false)).errno())
            .isEqualTo(Failure.NO_SUCH);
      }
    });
  }

  @Test
  void xfrmPoliciesAreReadAndTheirComingAndGoingIsHeard() {
    OwnNamespace.in(() -> {
      try (KernelEvents events = told(KernelEvents.about(KernelEvents.About.XFRM));
          Kernel kernel = told(Kernel.open())) {
        sh(
            """
            ip xfrm policy add src 10.0.3.0/24 dst 10.0.1.0/24 proto udp sport 53 dir fwd \
              priority 4294967280 action block
            ip xfrm policy add src 10.0.1.0/24 dst 10.0.3.9/32 dir out priority 100 \
              mark 7 mask 0xffffff tmpl src 192.0.2.1 dst 198.51.100.2 proto esp reqid 77 mode tunnel
            """);
        XfrmMessage.Policy backstop =
            new XfrmMessage.Policy(
                XfrmMessage.Direction.FORWARD,
                Prefix.of("10.0.3.0/24"),
                Prefix.of("10.0.1.0/24"),
                17,
                new XfrmMessage.Ports(53, 0),
                4294967280L,
                true,
                Optional.empty(),
                List.of(),
                false);
        XfrmMessage.Policy tunnel =
            new XfrmMessage.Policy(
                XfrmMessage.Direction.OUT,
                Prefix.of("10.0.1.0/24"),
                Prefix.of("10.0.3.9/32"),
                0,
                new XfrmMessage.Ports(0, 0),
                100,
                false,
                Optional.of(new XfrmMessage.Mark(7, 0xffffff)),
                List.of(
                    new XfrmMessage.Template(
                        Optional.of(Address.of("192.0.2.1")),
                        Optional.of(Address.of("198.51.100.2")),
                        77,
                        1)),
                false);
        assertThat(told(kernel.policies())).containsExactlyInAnyOrder(backstop, tunnel);
        assertThat(told(kernel.states())).isEmpty();

        sh("ip xfrm policy flush");
        List<XfrmMessage> heard = new ArrayList<>();
        while (heard.size() < 3) {
          Heard next = events.next(SOON);
          assertThat(next)
              .isInstanceOfSatisfying(
                  Heard.Messages.class, messages -> assertThat(messages.messages()).isNotEmpty());
          ((Heard.Messages) next).messages().stream().map(XfrmCodec::read).forEach(heard::add);
        }
        assertThat(heard).containsExactly(backstop, tunnel, new XfrmMessage.PoliciesFlushed());
      }
    });
  }

  @Test
  void transactionsOfOthersAreHeardWithTheirProcess() {
    OwnNamespace.in(() -> {
      try (KernelEvents events = told(KernelEvents.about(KernelEvents.About.NFTABLES))) {
        sh(TABLE);
        Set<Long> makers = new java.util.HashSet<>();
        boolean table = false;
        while (makers.isEmpty()) {
          Heard.Messages next = (Heard.Messages) events.next(SOON);
          assertThat(next.messages()).isNotEmpty();
          for (Frame.Content message : next.messages()) {
            switch (NftCodec.read(message)) {
              case NftMessage.Generation generation -> makers.add(generation.process());
              case NftMessage.OfTable of -> table |= of.name().equals("gatehouse");
              default -> {}
            }
          }
        }
        assertThat(table).isTrue();
        assertThat(makers).doesNotContain(0L, ProcessHandle.current().pid());
      }
    });
  }

  /** The daemon tells its own changes from others' by this. */
  @Test
  void ownTransactionsAreHeardWithTheirThread() {
    OwnNamespace.in(() -> {
      sh(TABLE);
      String thread = Path.of("/proc/thread-self").toRealPath().getFileName().toString();
      try (KernelEvents events = told(KernelEvents.about(KernelEvents.About.NFTABLES));
          Kernel kernel = told(Kernel.open())) {
        told(kernel.change(List.of(new ElementChange.Add(ZONES, zone(7, 0x1007))), ANY));
        sh("nft add chain inet gatehouse another");
        List<NftMessage> heard = new ArrayList<>();
        while (heard.stream().noneMatch(NftMessage.InTable.class::isInstance)) {
          Heard.Messages next = (Heard.Messages) events.next(SOON);
          assertThat(next.messages()).isNotEmpty();
          next.messages().stream().map(NftCodec::read).forEach(heard::add);
        }
        assertThat(heard.get(0))
            .isEqualTo(new NftMessage.Elements(ZONES, List.of(zone(7, 0x1007)), false));
        assertThat(heard.get(1))
            .isInstanceOfSatisfying(
                NftMessage.Generation.class,
                generation -> assertThat(generation.process()).isEqualTo(Long.parseLong(thread)));
        assertThat(heard).contains(new NftMessage.InTable(SetId.INET, "gatehouse"));
      }
    });
  }

  @Test
  void eventsThatFoundNoRoomAreAMiss() {
    OwnNamespace.in(() -> {
      sh(TABLE);
      try (KernelEvents events = told(KernelEvents.about(KernelEvents.About.NFTABLES, 2048));
          Kernel kernel = told(Kernel.open())) {
        for (int i = 0; i < 200; i++) {
          told(kernel.change(List.of(new ElementChange.Add(ZONES, zone(i, 0x1000 + i))), ANY));
        }
        boolean missed = false;
        while (!missed) {
          switch (events.next(SOON)) {
            case Heard.Missed miss -> missed = true;
            case Heard.Messages messages -> assertThat(messages.messages()).isNotEmpty();
            case Heard.Ended ended -> throw new AssertionError(ended.why().toString());
          }
        }
        assertThat(told(kernel.elements(ZONES))).hasSize(200);
      }
    });
  }
}
