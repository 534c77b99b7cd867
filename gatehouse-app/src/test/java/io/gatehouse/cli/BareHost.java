package io.gatehouse.cli;

import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A host as the distribution leaves it: nothing in its kernel, two devices.
 *
 * @param readable whether we have the right to ask its kernel
 */
record BareHost(boolean readable) implements Machine {
  private static final Map<String, String> SETTINGS =
      Map.of(
          "ip_forward", "0",
          "forwarding", "0",
          "send_redirects", "1",
          "accept_redirects", "1",
          "accept_ra", "1",
          "rp_filter", "0",
          "proxy_ndp", "0",
          "src_valid_mark", "0");

  private static final List<String> DEVICES = List.of("all", "default", "eth0", "eth1", "lo");

  @Override
  public Answer run(List<String> command, String stdin, Duration limit) {
    if (!command.getFirst().equals("nft")) {
      return new Answer(0, "", "");
    }
    return !readable
        ? new Answer(1, "", "Operation not permitted (you must be root)")
        : new Answer(command.contains("table") ? 1 : 0, "", "");
  }

  @Override
  public Optional<String> read(String path) {
    String[] parts = path.split("/", -1);
    boolean known =
        parts.length < 8 || !path.contains("/conf/") || DEVICES.contains(parts[parts.length - 2]);
    return path.startsWith("/proc/sys/net/") && known
        ? Optional.ofNullable(SETTINGS.get(parts[parts.length - 1]))
        : Optional.empty();
  }

  @Override
  public List<String> list(String directory) {
    return directory.endsWith("/conf") ? DEVICES : List.of("conf");
  }

  @Override
  public Optional<String> link(String path) {
    return Optional.empty();
  }
}
