package io.gatehouse.daemon;

import static io.gatehouse.daemon.Told.child;
import static io.gatehouse.daemon.Told.staff;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.vici.IkeSa;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MetricsTest {
  private static Report report(int clients) {
    List<Tunnels.Session> sessions = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      IkeSa ike = staff(i, "c" + i, "10.0.3.9", child(i));
      Optional<String> tunnel = i % 4 == 0 ? Optional.empty() : Optional.of("staff");
      sessions.add(
          new Tunnels.Session(
              ike, tunnel, Optional.empty(), Optional.empty(), Instant.EPOCH, Optional.empty()));
    }
    return new Report(
        3,
        Instant.EPOCH,
        Optional.of("there is no charon"),
        Optional.empty(),
        Optional.empty(),
        8,
        5,
        2,
        1,
        List.of("it hurts"),
        List.of("staff", "branch"),
        sessions);
  }

  @Test
  void everyTunnelIsCountedAlsoWhereNobodyIs() {
    assertThat(Metrics.of(report(8), Instant.ofEpochSecond(90)))
        .contains(
            "# TYPE gatehouse_sessions gauge",
            "gatehouse_sessions{tunnel=\"staff\"} 6",
            "gatehouse_sessions{tunnel=\"branch\"} 0",
            "gatehouse_sessions{tunnel=\"-\"} 2",
            "gatehouse_children{tunnel=\"staff\"} 6",
            "gatehouse_generation 3",
            "gatehouse_running_seconds 90",
            "gatehouse_ike_daemon_connected 0",
            "gatehouse_events_total 8",
            "gatehouse_troubles 1");
  }

  @Test
  void thereAreAsManyLinesForManyClientsAsForFew() {
    assertThat(Metrics.of(report(1000), Instant.EPOCH))
        .hasSameSizeAs(Metrics.of(report(8), Instant.EPOCH));
  }
}
