package io.gatehouse.compile;

import io.gatehouse.compile.MssReckoning.Term;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Family;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;

/**
 * What ESP costs a packet (RFC 4303, 2): everything around the encrypted part in front and behind,
 * the padding that makes that part whole blocks, and what lies inside it before the inner packet
 * begins.
 *
 * @param outside around the encrypted part
 * @param alignment bytes to which the encrypted part is padded: the cipher's block, at least 4 (RFC
 *     4303, 2.4)
 * @param inside in the encrypted part, besides the inner packet
 */
record EspOverhead(List<Term> outside, int alignment, List<Term> inside) {
  EspOverhead {
    outside = List.copyOf(outside);
    inside = List.copyOf(inside);
  }

  static EspOverhead of(Tunnel tunnel, Family outer, EspSuite suite) {
    List<Term> outside = new ArrayList<>();
    outside.add(new Term("outer IP", outer == Family.V4 ? 20 : 40));
    if (tunnel.esp().encapsulation() != Esp.Encapsulation.NEVER) {
      outside.add(new Term("UDP", 8)); // RFC 3948, 2.1
    }
    outside.add(new Term("ESP", 8)); // SPI and sequence number
    outside.add(new Term("IV", suite.iv()));
    outside.add(new Term("ICV", suite.icv()));
    List<Term> inside = new ArrayList<>();
    inside.add(new Term("trailer", 2)); // pad length and next header
    if (tunnel instanceof Tunnel.L2tp) {
      // Transport mode has the outer IP header in common with L2TP's own packet.
      inside.add(new Term("UDP of L2TP", 8));
      inside.add(new Term("L2TP", 12)); // RFC 2661, 3.1, with length and sequence numbers
      inside.add(new Term("PPP", 4)); // RFC 1661, 2, and RFC 1662, 3.1: nothing compressed
    }
    return new EspOverhead(outside, Math.max(suite.block(), 4), inside);
  }

  /**
   * The largest inner packet whose ESP packet has no more than that many bytes. The kernel's own
   * sum, for tunnel mode: {@code xfrm_state_mtu}.
   */
  int innerMtu(int pathMtu) {
    int room = pathMtu - sum(outside);
    return room - Math.floorMod(room, alignment) - sum(inside);
  }

  /** Every term, padding included: their sum is what the path's MTU is more than the inner one. */
  List<Term> terms(int pathMtu) {
    List<Term> terms = new ArrayList<>(outside);
    terms.add(
        new Term("padding to " + alignment, Math.floorMod(pathMtu - sum(outside), alignment)));
    terms.addAll(inside);
    return terms;
  }

  private static int sum(List<Term> terms) {
    return terms.stream().mapToInt(Term::bytes).sum();
  }
}
