package io.gatehouse.apply;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Snapshot;
import java.util.List;
import java.util.Optional;

/** Whether a ruleset lets the administrator in who is applying it. */
final class Lockout {

  private static final int NODES = 4_000_000;

  private Lockout() {}

  /**
   * Why a new connection like the administrator's own would be refused, or might be; nothing where
   * it reaches the host for certain, whatever is open.
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
    Optional<String> back = Ways.device(snapshot, client.get());
    if (back.filter("lo"::equals).isPresent()) {
      // What brings it here is another connection, of which we know nothing.
      return Optional.of(
          "your own connection comes from this host itself: how you reach it cannot be looked up in"
              + " the new rules");
    }
    int port = Integer.parseInt(words[3]);
    Optional<String> device = back.filter(name -> isThere(ruleset, snapshot, name, server.get()));
    String like = "%s -> %s port %d".formatted(client.get(), server.get(), port);
    Bounded<Optional<String>> answer =
        PacketPath.ask(
            AppliedHost.of(ruleset, snapshot),
            client.get().family(),
            NODES,
            List.of(Prefix.host(client.get()), Prefix.host(server.get())),
            path -> {
              HeaderSpace space = path.space();
              Bdd bdd = space.bdd();
              int from =
                  bdd.and(
                      space.source(Prefix.host(client.get())), way(ruleset, space, client.get()));
              int to =
                  bdd.and(
                      space.destination(Prefix.host(server.get())),
                      bdd.and(
                          space.protocol(Protocol.TCP.number()),
                          space.destinationPort(PortRange.of(port))));
              int first = bdd.and(space.firstOfConnection(), space.whole());
              int by = device.map(space::arrivesOn).orElse(Bdd.TRUE);
              Journey journey = path.received(bdd.and(bdd.and(from, to), bdd.and(first, by)));
              int arrives = journey.deliveredTo(server.get(), port);
              if (journey.started() != Bdd.FALSE
                  && bdd.difference(journey.started(), arrives) == Bdd.FALSE) {
                return Optional.empty();
              }
              return Optional.of(arrives == Bdd.FALSE ? "refuse" : "may refuse");
            });
    return switch (answer) {
      case Bounded.Answer<Optional<String>> known ->
          known
              .value()
              .map(how ->
                  "the new rules %s a new connection like your own (%s)".formatted(how, like));
      case Bounded.GaveUp<Optional<String>> gaveUp ->
          Optional.of(
              "your own connection (%s) cannot be looked up in the new rules: they are too large"
                  .formatted(like));
    };
  }

  /** Somebody behind a tunnel comes through it, and loses the way with it: looked at as either. */
  private static int way(Ruleset ruleset, HeaderSpace space, Address client) {
    boolean far = Ways.far(ruleset).stream().anyMatch(prefix -> prefix.contains(client));
    return far
        ? space.bdd().or(space.inClear(), space.through(AppliedHost.TUNNEL))
        : space.inClear();
  }

  /**
   * Whether the connection comes in by the device of the way back: where the address that it goes
   * to is of that device, and no rule of ours gives answers another way.
   */
  private static boolean isThere(
      Ruleset ruleset, Snapshot snapshot, String device, Address server) {
    return snapshot.links().stream()
            .filter(link -> link.name().equals(device))
            .flatMap(link -> link.addresses().stream())
            .anyMatch(at -> at.address().equals(server))
        && ruleset.rules().stream().noneMatch(rule -> concerns(rule, server));
  }

  private static boolean concerns(Routing.Policy rule, Address server) {
    return rule.family() == server.family()
        && rule.from().map(from -> from.contains(server)).orElse(true);
  }
}
