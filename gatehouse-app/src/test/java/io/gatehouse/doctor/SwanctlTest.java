package io.gatehouse.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** swanctl.conf as people write it. */
class SwanctlTest {
  private static final String TEXT =
      """
      # include conf.d/*.conf
      connections {
        rw {
          local_addrs = 203.0.113.1   # this host
          remote_addrs = %any
          pools = v4, v6
          children { net { local_ts = 10.0.1.0/24, 2001:db8:1::/64, dynamic } }
        }
        site {
          remote_addrs = 198.51.100.7
          dpd_delay = 30s
          children {
            nets {
              local_ts = 10.0.1.0/24
              remote_ts = 10.20.0.0/16,10.21.0.0/16[tcp/443]
            }
          }
        }
      }
      pools {
        v4 { addrs = 10.0.3.0/24 }
        v6 { addrs = 2001:db8:3::/64 }
      }
      """;

  @Test
  void tunnelsAreWhatSelectorsAndPoolsSay() {
    Swanctl swanctl = Swanctl.read(TEXT);

    assertThat(swanctl.connections()).containsExactly("rw", "site");
    assertThat(swanctl.tunnels().stream().map(t -> t.name() + " from " + t.near()))
        .containsExactly(
            "child net to 10.0.3.0/24 from 10.0.1.0/24",
            "child net to 2001:db8:3::/64 from 2001:db8:1::/64",
            "child nets to 10.20.0.0/16 from 10.0.1.0/24");
    assertThat(swanctl.tunnels().getFirst().local()).contains(Address.of("203.0.113.1"));
    assertThat(swanctl.tunnels().getFirst().remote()).isEmpty();
    assertThat(swanctl.childTo(Prefix.of("10.20.0.0/16"))).contains("nets");
    assertThat(swanctl.entry("connections.site.dpd_delay").orElseThrow().line()).isEqualTo(11);
  }

  @Test
  void anyTextIsReadInBoundedTime() {
    assertThat(Swanctl.read("{".repeat(200_000)).tunnels()).isEmpty();
    assertThat(Swanctl.read("}".repeat(200_000) + "a = ".repeat(50_000)).tunnels()).isEmpty();
    Random random = new Random(7);
    for (int i = 0; i < 500; i++) {
      StringBuilder text = new StringBuilder(TEXT);
      for (int change = 0; change < 8; change++) {
        int at = random.nextInt(text.length());
        text.replace(
            at,
            Math.min(text.length(), at + random.nextInt(6)),
            "{}=#, \n/%".substring(random.nextInt(9)));
      }
      Swanctl swanctl = Swanctl.read(text.toString());
      assertThat(swanctl.tunnels().size()).isLessThan(100);
    }
  }
}
