package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Routing;
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
            device(ruleset, snapshot, client.get(), server.get()),
            Optional.empty(),
            // Somebody behind a tunnel comes through it, and loses the way with it: looked at as
            // either.
            Ways.isFar(ruleset, client.get()) ? Optional.empty() : Optional.of(false),
            Optional.empty());
    // Ours is no raw or mangle chain that drops at prerouting: the input chains decide.
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

  /**
   * The device that the connection comes in by, where the way back and the address that it goes to
   * agree about it, and no rule of ours gives answers another way.
   */
  private static Optional<String> device(
      Ruleset ruleset, Snapshot snapshot, Address client, Address server) {
    Optional<String> back = Ways.device(snapshot, client);
    boolean itsAddress =
        snapshot.links().stream()
            .filter(link -> back.filter(link.name()::equals).isPresent())
            .flatMap(link -> link.addresses().stream())
            .anyMatch(at -> at.address().equals(server));
    boolean lo = back.filter("lo"::equals).isPresent();
    return lo || (itsAddress && ruleset.rules().stream().noneMatch(rule -> concerns(rule, server)))
        ? back
        : Optional.empty();
  }

  private static boolean concerns(Routing.Policy rule, Address server) {
    return rule.family() == server.family()
        && rule.from().map(from -> from.contains(server)).orElse(true);
  }
}
