package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is not said is not taken for absent. */
class SnapshotTest {

  /**
   * A machine on which nothing stands.
   *
   * @param mute the beginning of a command that fails
   * @param said by that
   * @param six whether it speaks IPv6
   */
  private record Empty(String mute, Answer said, boolean six) implements Machine {
    @Override
    public Answer run(List<String> command, String stdin, Duration limit) {
      String words = String.join(" ", command);
      return words.startsWith(mute)
          ? said
          : new Answer(0, words.startsWith("nft") ? "{\"nftables\": []}" : "[]", "");
    }

    @Override
    public Optional<String> read(String path) {
      return Optional.empty();
    }

    @Override
    public List<String> list(String directory) {
      return six && directory.equals("/proc/sys/net/ipv6") ? List.of("conf") : List.of();
    }

    @Override
    public Optional<String> link(String path) {
      return Optional.empty();
    }
  }

  private static List<String> unread(String mute, int status, String err, boolean six) {
    return Snapshot.of(new Empty(mute, new Machine.Answer(status, "[]", err), six)).unread();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ip -N -j -4 rule",
        "ip -N -j -4 route",
        "ip -N -j -6 rule",
        "ip -N -j -6 route",
        "ip -j addr",
        "ip -N -j neigh",
        "ip xfrm policy",
        "nft -j -t list"
      })
  void eachListingThatFailsIsNamed(String mute) {
    assertThat(unread(mute, 2, "Dump terminated\nmore", true))
        .singleElement()
        .asString()
        .startsWith(mute)
        .endsWith(": Dump terminated");
    assertThat(unread(mute, Machine.Answer.TIMED_OUT, "", true))
        .singleElement()
        .asString()
        .endsWith("it took too long");
  }

  @Test
  void whatTheKernelWasBuiltOrBootedWithoutIsAbsent() {
    assertThat(unread("nobody", 0, "", true)).isEmpty();
    assertThat(unread("ip -N -j -6", 2, "Operation not supported", false)).isEmpty();
    assertThat(unread("ip xfrm", 1, "Cannot open netlink socket: Protocol not supported", true))
        .isEmpty();
  }
}
