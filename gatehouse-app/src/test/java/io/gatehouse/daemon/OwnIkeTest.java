package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.slowpath.SlowPath;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OwnIkeTest {
  private static final String BRANCH = "198.51.100.7";

  private final OwnIke own = new OwnIke();

  private static IkeSa ike(long id, String remote, OptionalLong cookie) {
    return new IkeSa(
        "branch",
        id,
        Optional.empty(),
        Optional.of(remote)
            .filter(text -> !text.isEmpty())
            .map(text -> new IkeSa.Endpoint(Address.of(text), 500)),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of(),
        Optional.empty(),
        List.of(),
        cookie);
  }

  private static IkeSa ike(long id, long cookie) {
    return ike(id, BRANCH, OptionalLong.of(cookie));
  }

  private static Optional<Set<SlowPath.OwnIke>> of(long... cookies) {
    return Optional.of(
        Set.copyOf(
            java.util.stream.LongStream.of(cookies)
                .mapToObj(cookie -> new SlowPath.OwnIke(Address.of(BRANCH), cookie))
                .toList()));
  }

  @Test
  void theNewCookiesAreKnownWhenARekeyIsTold() {
    assertThat(own.heard(new CharonNews.Listed(List.of(ike(1, 0xa), ike(2, 0xb)))))
        .isEqualTo(of(0xa, 0xb));
    TunnelEvent rekeyed = new TunnelEvent.IkeRekeyed(ike(1, 0xa), ike(3, 0xc));
    assertThat(own.heard(new CharonNews.Happened(rekeyed))).isEqualTo(of(0xb, 0xc));
    TunnelEvent down = new TunnelEvent.IkeDown(ike(2, 0xb));
    assertThat(own.heard(new CharonNews.Happened(down))).isEqualTo(of(0xc));
    assertThat(own.heard(new CharonNews.Stands(ike(4, 0xd)))).isEqualTo(of(0xc, 0xd));
    assertThat(own.heard(new CharonNews.Listed(List.of(ike(4, 0xd))))).isEqualTo(of(0xd));
  }

  @Test
  void aCharonThatIsAwayForAMomentTakesNothingAway() {
    own.heard(new CharonNews.Listed(List.of(ike(1, 0xa))));
    assertThat(own.heard(new CharonNews.Unreachable("it does not answer"))).isEmpty();
    TunnelEvent up = new TunnelEvent.IkeUp(ike(2, 0xb));
    assertThat(own.heard(new CharonNews.Happened(up))).isEqualTo(of(0xa, 0xb));
  }

  @Test
  void whatIsNotToldIsNotKnown() {
    assertThat(
            own.heard(
                new CharonNews.Listed(
                    List.of(
                        ike(1, BRANCH, OptionalLong.empty()),
                        ike(2, "", OptionalLong.of(0xb)),
                        // No IPv6 is masqueraded.
                        ike(3, "2001:db8::7", OptionalLong.of(0xc))))))
        .isEqualTo(of());
  }
}
