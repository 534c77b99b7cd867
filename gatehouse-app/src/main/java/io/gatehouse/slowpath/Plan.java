package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.masquerade.Method;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a description says of the masquerade, as far as the slow path has to know it.
 *
 * @param maps those that it writes
 * @param settings of the engine
 * @param zones that hosts may have
 * @param queue the first of two
 */
public record Plan(LiveMaps.OfMasquerade maps, Settings settings, Numbers.Span zones, int queue) {

  /** Nothing where the description has no masquerade, or its maps do not stand. */
  public static Optional<Plan> of(Gateway gateway, LiveMaps maps) {
    return gateway
        .masquerade()
        .flatMap(wish ->
            maps.masquerade()
                .map(of ->
                    new Plan(
                        of,
                        settings(wish, of.room()),
                        gateway.numbers().masqueradeZones(),
                        gateway.numbers().queue())));
  }

  /**
   * @param room of the kernel's maps: what it had none for would be bound in name only
   */
  private static Settings settings(Masquerade wish, int room) {
    List<Settings.Server> servers = new ArrayList<>();
    for (Masquerade.Server server : wish.servers()) {
      Address host = server.host().value();
      List<Prefix> from = server.from().isEmpty() ? List.of(Prefix.ALL_V4) : server.from();
      from.forEach(remotes -> servers.add(new Settings.Server(remotes, host)));
    }
    return new Settings(
        Method.EVIDENCE,
        wish.lifetime(),
        wish.parallel(),
        wish.hold(),
        servers,
        Settings.Limits.standard().withFlows(room));
  }

  Duration lifetime() {
    return settings.lifetime();
  }
}
