package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * What TCP may send in one segment through a tunnel, and how that comes about. The costliest of
 * what may be negotiated counts: too small a segment costs a percent, too large a one stalls the
 * connection wherever ICMP is lost.
 *
 * @param tunnel the tunnel's name
 * @param mss what the description asks for
 * @param path the outside interface whose path is narrowest
 * @param pathMtu bytes that an IP packet may have there
 * @param suite the costliest algorithms that may be negotiated, in strongSwan's words
 * @param terms what is taken from the path's MTU, in the order of the packet; padding is what
 *     rounding to whole blocks loses
 * @param innerMtu the largest packet that fits into the tunnel: the path's MTU less all terms
 * @param notes what was assumed for want of knowledge
 */
public record MssReckoning(
    String tunnel,
    Mss mss,
    String path,
    int pathMtu,
    String suite,
    List<Term> terms,
    int innerMtu,
    List<Note> notes,
    Origin origin) {
  /** TCP's header without options (RFC 9293, 3.1); the MSS does not count options (RFC 6691). */
  private static final int TCP_HEADER = 20;

  /** Some bytes that go elsewhere than to the payload. */
  public record Term(String name, int bytes) {
    @Override
    public String toString() {
      return bytes + " " + name;
    }
  }

  public MssReckoning {
    terms = List.copyOf(terms);
    notes = List.copyOf(notes);
  }

  /**
   * What the tunnel leaves to TCP, whichever outside interface, family and proposal come to be
   * used.
   */
  public static MssReckoning of(Tunnel tunnel) {
    List<Note> notes = new ArrayList<>();
    List<EspSuite> suites = EspSuite.of(tunnel, notes);
    MssReckoning least =
        tunnel.on().stream()
            .flatMap(on ->
                OuterFamilies.of(tunnel, on).stream()
                    .flatMap(
                        family -> suites.stream().map(suite -> one(tunnel, on, family, suite))))
            .min(Comparator.comparingInt(MssReckoning::innerMtu))
            .orElseThrow(() -> new IllegalArgumentException("a tunnel is on an interface"));
    for (Family family : Family.values()) {
      if (least.fits(family) < leastMss(family)
          && tunnel.farPrefixes().stream().anyMatch(p -> p.value().family() == family)) {
        notes.add(
            new Note(
                "The path of "
                    + least.pathMtu
                    + " bytes leaves packets of "
                    + least.innerMtu
                    + " bytes to "
                    + tunnel.name()
                    + "; less than what "
                    + label(family)
                    + " takes for granted, so they will travel in fragments.",
                tunnel.origin()));
      }
    }
    return new MssReckoning(
        least.tunnel,
        least.mss,
        least.path,
        least.pathMtu,
        least.suite,
        least.terms,
        least.innerMtu,
        notes,
        least.origin);
  }

  /**
   * The segment size to clamp to for inner packets of that family; nothing where the description
   * leaves it alone.
   */
  public OptionalInt clamp(Family inner) {
    return switch (mss) {
      case Mss.Reckoned reckoned -> OptionalInt.of(reckoned(inner));
      case Mss.Fixed fixed -> OptionalInt.of(fixed.bytes());
      case Mss.Unclamped unclamped -> OptionalInt.empty();
    };
  }

  /** The segment size that fits, never below what every host must take. */
  public int reckoned(Family inner) {
    return Math.max(leastMss(inner), fits(inner));
  }

  /**
   * {@code MSS 1398: 1500 − 20 outer IP − …}, every term of it; also where the description fixes
   * another value.
   */
  public String arithmetic(Family inner) {
    String sum =
        terms.stream()
                .map(term -> " − " + term)
                .collect(Collectors.joining("", pathMtu + " MTU of " + path, ""))
            + " − "
            + headerBytes(inner)
            + " inner IP − "
            + TCP_HEADER
            + " TCP";
    String floor =
        fits(inner) < leastMss(inner)
            ? ", raised to the least that " + label(inner) + " allows"
            : "";
    return "MSS " + reckoned(inner) + ": " + sum + floor;
  }

  private int fits(Family inner) {
    return innerMtu - headerBytes(inner) - TCP_HEADER;
  }

  /**
   * RFC 9293, 3.7.1: what may be sent to a host that announces nothing, 576 or 1280 bytes less the
   * headers.
   */
  private static int leastMss(Family inner) {
    return switch (inner) {
      case V4 -> 536;
      case V6 -> 1220;
    };
  }

  private static int headerBytes(Family family) {
    return switch (family) {
      case V4 -> 20;
      case V6 -> 40;
    };
  }

  private static String label(Family family) {
    return family == Family.V4 ? "IPv4" : "IPv6";
  }

  private static MssReckoning one(Tunnel tunnel, Interface on, Family outer, EspSuite suite) {
    EspOverhead overhead = EspOverhead.of(tunnel, outer, suite);
    return new MssReckoning(
        tunnel.name(),
        tunnel.mss(),
        on.name(),
        on.mtu(),
        suite.name(),
        overhead.terms(on.mtu()),
        overhead.innerMtu(on.mtu()),
        List.of(),
        tunnel.origin());
  }
}
