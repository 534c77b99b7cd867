package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Snapshot;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Whether a ruleset lets the administrator in who is applying it. */
final class Lockout {

  private Lockout() {}

  /**
   * Why a new connection like the administrator's own would be refused, or might be; nothing where
   * it is accepted for certain.
   *
   * @param ssh {@code SSH_CONNECTION}: client address, client port, server address, server port
   */
  static Optional<String> reason(Ruleset ruleset, String ssh, Snapshot snapshot) {
    String[] words = ssh.strip().split(" ", -1);
    Optional<Address> client = words.length == 4 ? Address.parse(words[0]) : Optional.empty();
    Optional<Address> server = words.length == 4 ? Address.parse(words[2]) : Optional.empty();
    if (client.isEmpty()
        || server.isEmpty()
        || client.get().family() != server.get().family()
        || !words[3].matches("[0-9]{1,5}")) {
      return Optional.of(
          "your own connection cannot be looked up in the new rules (SSH_CONNECTION=" + ssh + ")");
    }
    Judge.Flow flow =
        new Judge.Flow(
            client.get(),
            server.get(),
            "tcp",
            OptionalInt.empty(),
            OptionalInt.of(Integer.parseInt(words[3])),
            // With routes by policy the device is not certain, and neither is it with several ways.
            Ways.device(snapshot, client.get()),
            Optional.empty(),
            // Somebody behind a tunnel comes through it, and loses the way with it: looked at as
            // either.
            Ways.isFar(ruleset, client.get()) ? Optional.empty() : Optional.of(false),
            Optional.empty());
    Set<Judge.Ending> endings = Judge.endings(ruleset, "filter", Chain.Hook.INPUT, flow);
    boolean dropped = endings.contains(new Judge.Ending.Dropped());
    if (!dropped) {
      return Optional.empty();
    }
    String like = "%s -> %s port %s".formatted(client.get(), server.get(), words[3]);
    return Optional.of(
        endings.size() == 1
            ? "the new rules refuse a new connection like your own (" + like + ")"
            : "the new rules may refuse a new connection like your own (" + like + ")");
  }
}
