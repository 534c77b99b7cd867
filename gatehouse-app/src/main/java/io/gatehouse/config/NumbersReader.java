package io.gatehouse.config;

import io.gatehouse.model.Identity;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Numbers.Span;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Reads `numbers:`. */
final class NumbersReader {
  /** Where charon puts its ip rule and its routes (charon.routing_table, .routing_table_prio). */
  private static final int CHARON = 220;

  /** The last priority before those of the tables main and default. */
  private static final int LAST_PRIORITY = 32765;

  /** Tables that the kernel has: unspec, default, main, local. */
  private static final List<Integer> TABLES = List.of(0, 253, 254, 255);

  /** From rtnetlink.h and rt_protos: whose routes carry the number. */
  private static final Map<Integer, String> PROTOCOLS =
      Map.ofEntries(
          Map.entry(8, "gated"),
          Map.entry(9, "router advertisements"),
          Map.entry(10, "mrt"),
          Map.entry(11, "zebra"),
          Map.entry(12, "bird"),
          Map.entry(13, "dnrouted"),
          Map.entry(14, "xorp"),
          Map.entry(15, "ntk"),
          Map.entry(16, "DHCP clients"),
          Map.entry(17, "mrouted"),
          Map.entry(18, "keepalived"),
          Map.entry(42, "babel"),
          Map.entry(186, "bgp"),
          Map.entry(187, "isis"),
          Map.entry(188, "ospf"),
          Map.entry(189, "rip"),
          Map.entry(192, "eigrp"));

  /**
   * charon's own policies end well below; a lower number would stand before them and block
   * everything.
   */
  private static final long LEAST_BACKSTOP = 0x01000000L;

  private static final int LAST_ZONE = 0xffff;

  private final Problems problems;

  private NumbersReader(Problems problems) {
    this.problems = problems;
  }

  /**
   * @param identities to be given priorities and tables
   * @param uplinks how many of them need a mark
   */
  static Numbers read(Fields top, List<Identity> identities, int uplinks, Problems problems) {
    Numbers numbers =
        top.fields("numbers").map(new NumbersReader(problems)::read).orElse(Numbers.DEFAULT);
    int addresses = identities.stream().mapToInt(i -> i.addresses().size()).sum();
    if (identities.size() > numbers.routeTables().size()) {
      problems.error(
          top.spot("identities"),
          identities.size() + " identities, but route tables for " + numbers.routeTables().size(),
          "give more: `numbers: { route-tables: first-last }`");
    }
    if (addresses > numbers.rulePriorities().size()) {
      problems.error(
          top.spot("identities"),
          "identities with "
              + addresses
              + " addresses, but priorities of ip rules for "
              + numbers.rulePriorities().size(),
          "give more: `numbers: { rule-priorities: first-last }`");
    }
    if (uplinks > numbers.uplinks()) {
      problems.error(
          top.spot("identities"),
          uplinks
              + " uplinks that the world comes in by, but marks for "
              + numbers.uplinks()
              + ": the lowest bit of the mask means something else",
          "give more bits: `numbers: { identity-mark-mask: … }`");
    }
    return numbers;
  }

  private Numbers read(Fields fields) {
    Numbers d = Numbers.DEFAULT;
    Span priorities = span(fields, "rule-priorities", d.rulePriorities(), 1, LAST_PRIORITY);
    if (priorities.first() <= CHARON) {
      problems.error(
          fields.spot("rule-priorities"),
          "priorities "
              + priorities
              + (priorities.last() >= CHARON ? " hold" : " stand before")
              + " charon's "
              + CHARON,
          "begin at " + (CHARON + 1) + " or later");
    }
    Span tables = span(fields, "route-tables", d.routeTables(), 0, Integer.MAX_VALUE);
    for (int table : TABLES) {
      if (tables.first() <= table && table <= tables.last()) {
        problems.error(
            fields.spot("route-tables"),
            "tables " + tables + " hold the kernel's own " + table,
            "0 and 253 to 255 are the kernel's");
        break;
      }
    }
    if (tables.first() <= CHARON && CHARON <= tables.last()) {
      problems.error(
          fields.spot("route-tables"),
          "tables " + tables + " hold charon's " + CHARON,
          "the IKE daemon writes its routes there");
    }
    int protocol = fields.number("route-protocol").map(Long::intValue).orElse(d.routeProtocol());
    if (PROTOCOLS.containsKey(protocol)) {
      problems.warning(
          fields.spot("route-protocol"),
          "routes of "
              + PROTOCOLS.get(protocol)
              + " carry the number "
              + protocol
              + ": we would take them for ours",
          "any other from 19 to 255");
    }
    long backstop = fields.number("backstop-priority").orElse(d.backstopPriority());
    if (backstop < LEAST_BACKSTOP) {
      problems.error(
          fields.spot("backstop-priority"),
          "at "
              + backstop
              + " our block policies would stand before the IKE daemon's own, and stop every tunnel",
          "0x01000000 at least");
    }
    long sa = fields.number("sa-mark-mask").orElse(d.saMarkMask());
    long identity = fields.number("identity-mark-mask").orElse(d.identityMarkMask());
    String marks = fields.has("identity-mark-mask") ? "identity-mark-mask" : "sa-mark-mask";
    if ((sa & identity) != 0) {
      problems.error(
          fields.spot(marks),
          "the masks 0x%08x and 0x%08x of marks have bits in common".formatted(sa, identity),
          "one bit, one meaning");
    }
    if ((sa & (sa + 1)) != 0) {
      problems.error(
          fields.spot("sa-mark-mask"),
          "0x%08x leaves out low bits: strongSwan counts marks up from 1".formatted(sa),
          "such as 0x0000ffff");
    }
    Span transport = span(fields, "transport-zones", d.transportZones(), 1, LAST_ZONE);
    Span masquerade = span(fields, "masquerade-zones", d.masqueradeZones(), 1, LAST_ZONE);
    if (transport.overlaps(masquerade)) {
      problems.error(
          fields.spot(fields.has("masquerade-zones") ? "masquerade-zones" : "transport-zones"),
          "zones %s of transport-mode clients and %s of masqueraded hosts overlap"
              .formatted(hex(transport), hex(masquerade)),
          "one zone, one meaning");
    }
    int queue = fields.number("queue").map(Long::intValue).orElse(d.queue());
    return new Numbers(
        priorities, tables, protocol, backstop, sa, identity, transport, masquerade, queue);
  }

  private static String hex(Span span) {
    return "0x%x-0x%x".formatted(span.first(), span.last());
  }

  private Span span(Fields fields, String key, Span standard, int least, int most) {
    Optional<Node.Scalar> text = fields.text(key);
    if (text.isEmpty()) {
      return standard;
    }
    int dash = text.get().text().indexOf('-');
    Optional<Long> first = Shape.number(text.get().text().substring(0, dash));
    Optional<Long> last = Shape.number(text.get().text().substring(dash + 1));
    boolean fits =
        first.isPresent()
            && last.isPresent()
            && first.get() >= least
            && last.get() <= most
            && first.get() <= last.get();
    if (!fits) {
      problems.error(
          text.get().spot(),
          "`" + key + "` cannot be " + Quote.of(text.get().text()),
          "it takes first-last, from " + least + " to " + most);
      return standard;
    }
    return new Span(first.get().intValue(), last.get().intValue());
  }
}
