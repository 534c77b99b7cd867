package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.RawPayload;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Contract;
import io.gatehouse.ruleset.NftSet.Flag;
import io.gatehouse.ruleset.NftSet.Holds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The live maps of VPN hosts behind one address: their names, their keys, and what may stand in
 * them.
 */
final class VpnHostMaps {
  /** From a host to its zone, and back. */
  static final String ZONES = "masq.zones";

  static final String HOSTS = "masq.hosts";

  /**
   * From a remote and an inbound SPI, or an initiator's cookie, to a zone: what the daemon says.
   */
  static final String SPIS = "masq.spis";

  static final String COOKIES = "masq.cookies";

  /** From the same to a host: for what goes past conntrack. */
  static final String DIRECT = "masq.direct";

  /** Outbound SPIs by remote, for errors that quote them, and by host: what the kernel saw go. */
  static final String QUOTED = "masq.quoted";

  static final String SENT = "masq.sent";

  /** Hosts, remotes and cookies whose messages were let out before. */
  static final String KNOWN = "masq.known";

  /** Hosts and remotes whose traffic decides something just now. */
  static final String WATCHED = "masq.watched";

  /** This host's own: inbound SPIs that the daemon says, cookies that the kernel saw leave. */
  static final String OWN_SPIS = "masq.own_spis";

  static final String OWN_COOKIES = "masq.own_cookies";

  /**
   * Where the daemon translates calls of PPTP: from a remote and the Call ID that it was told to
   * the host, from all three to the host's own; and what hosts may send under.
   */
  static final String CALLS = "masq.calls";

  static final String CALL_IDS = "masq.call_ids";

  static final String CALLED = "masq.called";

  static final Selector ZONE = new Ct("zone", Optional.empty());

  static final Selector SADDR = Nft.saddr(Family.V4);
  static final Selector DADDR = Nft.daddr(Family.V4);
  static final Selector SPI = new Payload("esp", "spi");

  /** Of IKE behind UDP: the header begins at bit 64. */
  static final Selector COOKIE = new RawPayload("th", 64, 64);

  /** Of GRE, version 1 (RFC 2637, 4.1). */
  static final Selector CALL_ID = new RawPayload("th", 48, 16);

  /** SPIs that the engine lets one host have; of cookies it lets it have less. */
  private static final long OF_HOST = 512;

  /** nft's own choice, and what a hundred megabytes a map, all full, have room for. */
  private static final long LEAST = 1 << 16;

  private static final long MOST = 1 << 20;

  private final Draft draft;
  private final Masquerade wish;
  private final Value zones;

  private VpnHostMaps(Draft draft, Masquerade wish) {
    this.draft = draft;
    this.wish = wish;
    zones = zones(draft);
  }

  /** All zones that hosts may have. */
  static Value zones(Draft draft) {
    Numbers.Span span = draft.gateway.numbers().masqueradeZones();
    return new Range(Nft.number(span.first()), Nft.number(span.last()));
  }

  /**
   * Elements of each map that traffic fills: of a host for each address of the networks as many as
   * it may have, where that is not too much, so that nobody who sends with all of these addresses
   * takes another's room. The kernel's tables grow with what is in them; this is the bound.
   */
  static int room(Masquerade wish) {
    long hosts =
        wish.prefixes().stream()
            .map(Located::value)
            .filter(prefix -> prefix.family() == Family.V4)
            .distinct()
            .mapToLong(prefix -> prefix.size().orElse(MOST))
            .sum();
    long all = Math.max(LEAST, Math.min(MOST, hosts * OF_HOST));
    return Math.toIntExact(Long.highestOneBit(2 * all - 1));
  }

  /** Puts them into the draft. */
  static void write(Draft draft, Masquerade wish) {
    new VpnHostMaps(draft, wish).write();
  }

  private void write() {
    List<Value> hosts =
        wish.prefixes().stream().map(Located::value).map(Nft::net).distinct().toList();
    List<Value> zoned = List.of(zones);
    Value anywhere = new Expression.Net(Prefix.ALL_V4);
    Value spi = new Range(Nft.number(1), Nft.number(0xffffffffL));
    // 64 bits without a sign: -1 is the last.
    Value cookie = new Range(Nft.number(1), Nft.number(-1));
    List<Value> remoteSpi = List.of(new Tuple(List.of(anywhere, spi)));
    List<Value> remoteCookie = List.of(new Tuple(List.of(anywhere, cookie)));
    Set<Flag> learned = Set.of(Flag.DYNAMIC, Flag.TIMEOUT);
    map(ZONES, SADDR, ZONE, new Contract(hosts, List.of(), zoned), Set.of());
    map(HOSTS, ZONE, DADDR, new Contract(zoned, List.of(), hosts), Set.of());
    map(SPIS, concat(SADDR, SPI), remoteSpi, learned);
    map(COOKIES, concat(SADDR, COOKIE), remoteCookie, learned);
    if (PastConntrack.of(draft).isPresent()) {
      map(DIRECT, concat(SADDR, SPI), DADDR, new Contract(remoteSpi, List.of(), hosts), learned);
    }
    map(
        QUOTED,
        concat(new RawPayload("th", 192, 32), new RawPayload("th", 224, 32)),
        remoteSpi,
        learned);
    set(SENT, concat(SADDR, DADDR, SPI), tuples(hosts, anywhere, spi), learned);
    set(KNOWN, concat(SADDR, DADDR, COOKIE), tuples(hosts, anywhere, cookie), learned);
    set(WATCHED, concat(SADDR, DADDR), tuples(hosts, anywhere), Set.of());
    if (wish.calls() == Masquerade.Calls.BY_DAEMON) {
      calls(hosts);
    }
    if (wish.on().stream().anyMatch(at -> VpnHosts.isOwn(draft.gateway, at))) {
      set(OWN_SPIS, concat(SADDR, SPI), remoteSpi, Set.of());
      set(OWN_COOKIES, concat(SADDR, COOKIE), remoteCookie, learned);
    }
  }

  /** They stay as long as their calls; those of servers inside are among them. */
  private void calls(List<Value> hosts) {
    Value anywhere = new Expression.Net(Prefix.ALL_V4);
    Value any = new Range(Nft.number(0), Nft.number(0xffff));
    Value given = new Range(Nft.number(1), Nft.number(0xffff));
    List<Value> keys = List.of(new Tuple(List.of(anywhere, given)));
    map(CALLS, concat(SADDR, CALL_ID), DADDR, new Contract(keys, List.of(), hosts), Set.of());
    map(
        CALL_IDS,
        concat(SADDR, DADDR, CALL_ID),
        CALL_ID,
        new Contract(
            hosts.stream().<Value>map(host -> new Tuple(List.of(anywhere, host, given))).toList(),
            List.of(),
            List.of(any)),
        Set.of());
    set(CALLED, concat(SADDR, DADDR, CALL_ID), tuples(hosts, anywhere, any), Set.of());
  }

  private static List<Value> tuples(List<Value> first, Value... others) {
    return first.stream()
        .<Value>map(one -> {
          List<Value> parts = new ArrayList<>(List.of(one));
          parts.addAll(List.of(others));
          return new Tuple(parts);
        })
        .toList();
  }

  private void map(String name, Selector key, List<Value> keys, Set<Flag> flags) {
    map(name, key, ZONE, new Contract(keys, List.of(), List.of(zones)), flags);
  }

  private void map(String name, Selector key, Selector to, Contract contract, Set<Flag> flags) {
    draft.sets.live(
        new NftSet(
            name,
            key,
            Optional.of(new Holds.Values(to)),
            flags,
            size(flags),
            List.of(),
            Optional.of(contract),
            wish.origin()));
  }

  private void set(String name, Selector key, List<Value> keys, Set<Flag> flags) {
    draft.sets.live(
        new NftSet(
            name,
            key,
            Optional.empty(),
            flags,
            size(flags),
            List.of(),
            Optional.of(new Contract(keys, List.of(), List.of())),
            wish.origin()));
  }

  private OptionalInt size(Set<Flag> flags) {
    return flags.contains(Flag.DYNAMIC) ? OptionalInt.of(room(wish)) : OptionalInt.empty();
  }

  /** A key of several parts. */
  static Concat concat(Selector... parts) {
    return new Concat(List.of(parts));
  }
}
