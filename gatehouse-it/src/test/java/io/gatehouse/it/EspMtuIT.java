package io.gatehouse.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The kernel lets through exactly the packets that the reckoning says will fit, and none larger.
 */
class EspMtuIT {
  /** Proposals, and the same in the words of ip-xfrm(8). */
  private static final Map<String, String> PROPOSALS = new LinkedHashMap<>();

  static {
    classic("aes128-sha1", "cbc(aes)", 16, "hmac(sha1)", 20, 96);
    classic("aes256-sha256", "cbc(aes)", 32, "hmac(sha256)", 32, 128);
    classic("aes256-sha256_96", "cbc(aes)", 32, "hmac(sha256)", 32, 96);
    classic("aes256-sha384", "cbc(aes)", 32, "hmac(sha384)", 48, 192);
    classic("aes256-sha512", "cbc(aes)", 32, "hmac(sha512)", 64, 256);
    classic("aes128-aesxcbc", "cbc(aes)", 16, "xcbc(aes)", 16, 96);
    classic("aes128-aescmac", "cbc(aes)", 16, "cmac(aes)", 16, 96);
    classic("aes256ctr-sha256", "rfc3686(ctr(aes))", 36, "hmac(sha256)", 32, 128);
    classic("camellia256-sha256", "cbc(camellia)", 32, "hmac(sha256)", 32, 128);
    classic("3des-md5", "cbc(des3_ede)", 24, "hmac(md5)", 16, 96);
    classic("null-sha256", "cipher_null", 0, "hmac(sha256)", 32, 128);
    for (int icv : List.of(8, 12, 16)) {
      combined("aes128gcm" + icv, "rfc4106(gcm(aes))", 20, icv);
      combined("aes256ccm" + icv, "rfc4309(ccm(aes))", 35, icv);
    }
    combined("aes256gmac", "rfc4543(gcm(aes))", 36, 16);
    combined("chacha20poly1305", "rfc7539esp(chacha20,poly1305)", 36, 16);
  }

  private static void classic(
      String proposal, String cipher, int key, String hash, int hashKey, int bits) {
    PROPOSALS.put(
        proposal,
        "enc %s %s auth-trunc %s %s %d".formatted(cipher, key(key), hash, key(hashKey), bits));
  }

  private static void combined(String proposal, String cipher, int key, int icv) {
    PROPOSALS.put(proposal, "aead %s %s %d".formatted(cipher, key(key), icv * 8));
  }

  private static String key(int bytes) {
    return bytes == 0
        ? "\"\""
        : IntStream.range(0, bytes)
            .mapToObj(i -> "%02x".formatted(7 * i + 1 & 255))
            .collect(Collectors.joining("", "0x", ""));
  }

  /** One way to set up an SA; {@code id} tells its addresses. */
  private record Way(int id, String proposal, boolean tunnel, boolean six, boolean encapsulated) {
    private String outer() {
      return six ? "2001:db8:a::1" : "192.0.2.1";
    }

    private String peer() {
      return (six
          ? "2001:db8:b::" + Integer.toHexString(id)
          : "198.51.%d.%d".formatted(100 + id / 200, id % 200 + 1));
    }

    private String source() {
      return !tunnel ? outer() : six ? "2001:db8:1::1" : "10.1.0.1";
    }

    private String target() {
      return !tunnel
          ? peer()
          : six
              ? "2001:db8:2::" + Integer.toHexString(id)
              : "10.2.%d.%d".formatted(id / 200, id % 200 + 1);
    }

    private String mode() {
      return tunnel ? "tunnel" : "transport";
    }

    /** The SA and the policy that leads to it, for `ip -batch`. */
    String xfrm() {
      String encapsulation =
          encapsulated ? " encap espinudp 4500 4500 " + (six ? "::" : "0.0.0.0") : "";
      return """
      xfrm state add src %1$s dst %2$s proto esp spi %3$d reqid %3$d mode %4$s %5$s%6$s
      xfrm policy add src %7$s dst %8$s dir out tmpl src %1$s dst %2$s proto esp reqid %3$d mode %4$s
      """
          .formatted(
              outer(),
              peer(),
              id + 0x1000,
              mode(),
              PROPOSALS.get(proposal),
              encapsulation,
              source(),
              target());
    }

    String description() {
      String ends =
          tunnel
              ? "type: site-to-site, peer: any, local: office, remote: 10.20.0.0/16"
              : "type: l2tp";
      return """
      version: 1
      gateway: here
      interfaces:
        wan: { device: eth0, role: outside, addresses: %s, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      tunnels:
        way: { %s, esp: { proposals: [%s], encapsulation: %s } }
      """
          .formatted(
              outer() + (six ? "/64" : "/24"), ends, proposal, encapsulated ? "always" : "never");
    }

    /** The packet that the tunnel should just carry, IP header included. */
    int largest() {
      int inner = Described.of(description()).mss().innerMtu();
      // L2TP's own packet: UDP, L2TP and PPP before the inner packet, IP before them.
      return tunnel ? inner : inner + 8 + 12 + 4 + header();
    }

    int header() {
      return six ? 40 : 20;
    }

    String probe(String name, int packet) {
      String target = six ? "[" + target() + "]:9" : target() + ":9";
      return "%s%d udp from=here to=there unheard df src=%s dst=%s size=%d"
          .formatted(name, id, source(), target, packet - header() - 8);
    }
  }

  private static List<Way> ways(Collection<String> proposals) {
    List<Way> ways = new ArrayList<>();
    for (String proposal : proposals) {
      for (boolean tunnel : List.of(true, false)) {
        for (boolean six : List.of(false, true)) {
          for (boolean encapsulated : List.of(false, true)) {
            ways.add(new Way(ways.size(), proposal, tunnel, six, encapsulated));
          }
        }
      }
    }
    return ways;
  }

  /** One cipher for each size of block, and integrity by itself or beside it. */
  @Test
  void theKernelSendsWhatShouldFitAndRefusesOneByteMore() {
    compare(ways(List.of("aes128gcm16", "aes256-sha512", "aes256ctr-sha256", "3des-md5")));
  }

  @Test
  @Tag("full")
  void soItDoesForEveryProposal() {
    compare(ways(PROPOSALS.keySet()));
  }

  private static void compare(List<Way> ways) {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP, Feature.ESP6);
    try (Network net =
        lab.network(
            """
            wire here:eth0 192.0.2.1/24 2001:db8:a::1/64 10.1.0.1/32 2001:db8:1::1/128 -- there:eth0 192.0.2.2/24 2001:db8:a::2/64
            route here default via 192.0.2.2
            route here default via 2001:db8:a::2
            """)) {
      net.host("here")
          .script(
              "ip -batch - <<'END'\n"
                  + ways.stream().map(Way::xfrm).collect(Collectors.joining())
                  + "END\n")
          .expected();
      // A neighbour that is not yet known holds only so many packets.
      net.probe(
          "four icmp from=here to=there dst=192.0.2.2",
          "six icmp from=here to=there dst=2001:db8:a::2");

      List<String> probes = new ArrayList<>(List.of("watch there"));
      for (Way way : ways) {
        int largest = way.largest();
        probes.add(way.probe("fits", largest));
        probes.add(way.probe("over", largest + 1));
      }
      Sightings sightings = net.probe(probes.toArray(String[]::new));

      List<String> wrong = new ArrayList<>();
      for (Way way : ways) {
        Fate fits = sightings.of("fits" + way.id());
        Fate over = sightings.of("over" + way.id());
        String mtu = over.details().get("mtu");
        if (fits.error().isPresent() || !String.valueOf(way.largest()).equals(mtu)) {
          wrong.add("%s: %d, kernel %s, %s".formatted(way, way.largest(), mtu, fits.error()));
        }
      }
      assertThat(wrong).isEmpty();
      assertThat(sightings.esp("there", "eth0")).isEqualTo(ways.size());
    }
  }
}
