package io.gatehouse.daemon;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** News for tests, in few words. */
final class Told {
  static final Model GROUPS = model("groups.yaml");
  static final Model L2TP = model("l2tp.yaml");
  static final Model PROXY = model("proxy-lan.yaml");
  static final Model LEASED = model("dhcp-pool.yaml");
  static final Model ROAMING = model("roaming-client.yaml");

  private Told() {}

  private static Model model(String example) {
    return model(Descriptions.example(example));
  }

  static Model model(Gateway gateway) {
    return new Model(1, gateway, LiveMaps.of(gateway, Compiler.compile(gateway).ruleset()));
  }

  /** Somebody with a virtual IP in the tunnel `staff`. */
  static IkeSa staff(long id, String eap, String virtual, ChildSa... children) {
    return new IkeSa(
        "staff",
        id,
        Optional.empty(),
        Optional.empty(),
        Optional.of("laptop"),
        Optional.of(eap),
        Optional.empty(),
        Stream.of(virtual).filter(v -> !v.isEmpty()).map(Address::of).toList(),
        Optional.empty(),
        List.of(children),
        OptionalLong.empty());
  }

  /** Somebody behind a NAT, in the tunnel `legacy`. */
  static IkeSa legacy(long id, ChildSa... children) {
    return new IkeSa(
        "l2tp",
        id,
        Optional.empty(),
        Optional.empty(),
        Optional.of("192.168.1.2"),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        List.of(children),
        OptionalLong.empty());
  }

  /** The server of the tunnel `hq`, of which this host is the client. */
  static IkeSa hq(long id, ChildSa... children) {
    return new IkeSa(
        "hq",
        id,
        Optional.empty(),
        Optional.empty(),
        Optional.of("hq.example.org"),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        List.of(children),
        OptionalLong.empty());
  }

  /** A child by which this host was given virtual IPs, or has other selectors. */
  static ChildSa given(long id, String... local) {
    return child("net", id, Optional.empty(), Stream.of(local).map(Prefix::of).toList());
  }

  static ChildSa child(long id) {
    return child("staff", id, Optional.empty(), List.of());
  }

  static ChildSa marked(long id, long mark) {
    return child("staff", id, Optional.of(new ChildSa.Mark(mark, 0xffffff)), List.of());
  }

  private static ChildSa child(
      String name, long id, Optional<ChildSa.Mark> mark, List<Prefix> local) {
    return new ChildSa(
        name, id, id, false, true, 1, 2, mark, mark, local, List.of(), Optional.empty(), 0, 0);
  }

  static CharonNews listed(IkeSa... all) {
    return new CharonNews.Listed(List.of(all));
  }

  static CharonNews up(IkeSa ike, ChildSa child) {
    return new CharonNews.Happened(new TunnelEvent.ChildUp(ike, child));
  }

  static CharonNews down(IkeSa ike, ChildSa child) {
    return new CharonNews.Happened(new TunnelEvent.ChildDown(ike, child));
  }

  static CharonNews ikeUp(IkeSa ike) {
    return new CharonNews.Happened(new TunnelEvent.IkeUp(ike));
  }

  static CharonNews ikeDown(IkeSa ike) {
    return new CharonNews.Happened(new TunnelEvent.IkeDown(ike));
  }

  static CharonNews gone() {
    return new CharonNews.Unreachable("it closed the connection");
  }
}
