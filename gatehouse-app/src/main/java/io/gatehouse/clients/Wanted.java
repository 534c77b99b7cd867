package io.gatehouse.clients;

import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.Recipe.Weight;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/** What the description wants of a client, whatever its system. */
final class Wanted {
  /** Stands where somebody has to write something; nothing else of ours begins so. */
  static final String PLACEHOLDER = "CHANGE-ME-";

  final Gateway gateway;
  final Tunnel.RemoteAccess tunnel;
  final Known known;

  /** The gateway's selectors: all that a CHILD_SA can carry. */
  final List<Prefix> selectors;

  /** Of them, those of which a client gets an address of the same family. */
  final List<Prefix> through;

  /** The others. */
  final List<Prefix> missing;

  final List<Remark> remarks = new ArrayList<>();

  Wanted(Gateway gateway, Tunnel.RemoteAccess tunnel, Known known) {
    this.gateway = gateway;
    this.tunnel = tunnel;
    this.known = known;
    selectors = new Selectors(gateway).local(tunnel);
    through = selectors.stream().filter(prefix -> speaks(prefix.family())).sorted().toList();
    missing =
        selectors.stream()
            .filter(prefix -> !speaks(prefix.family()) && !prefix.isAll())
            .sorted()
            .toList();
    common();
  }

  private void common() {
    if (through.isEmpty()) {
      fails(
          "Nothing is reached through "
              + tunnel.name()
              + ": its selectors are empty. Say what under `reach:`.");
    }
    for (Family family : Family.values()) {
      List<Prefix> without = missing.stream().filter(p -> p.family() == family).toList();
      if (!without.isEmpty()) {
        warn(
            "Clients get no %s address, so that %s cannot be reached: add an %s pool."
                .formatted(name(family), list(without), name(family)));
      }
    }
    boolean everything = through.stream().anyMatch(Prefix::isAll);
    for (Family family : Family.values()) {
      if (everything && !isFull(family)) {
        warn(
            "%s goes beside the tunnel although the rest goes through it: clients get no %s"
                    .formatted(name(family), name(family))
                + " address here. Whoever must not leak gives them a pool of it.");
      }
    }
    for (Located<Address> dns : tunnel.dns()) {
      if (through.stream().noneMatch(prefix -> prefix.contains(dns.value()))) {
        warn(
            "The name server "
                + dns.value()
                + " is not reached through the tunnel: questions go to it in clear or nowhere. Add its"
                + " network to `reach:`.");
      }
    }
    if (!tunnel.groups().isEmpty()) {
      note(
          "Clients are told what any group reaches, because they cannot know theirs; the gateway"
              + " holds each to its own share.");
    }
    if (known.server().isEmpty() && !serverIsKnown()) {
      note("The description does not know the gateway's name: say it with --server.");
    }
  }

  boolean speaks(Family family) {
    return tunnel.pools().stream().anyMatch(pool -> pool.value().family() == family);
  }

  /** Whether everything of a family goes through. */
  boolean isFull(Family family) {
    return through.stream().anyMatch(prefix -> prefix.family() == family && prefix.isAll());
  }

  List<Family> families() {
    return Stream.of(Family.values()).filter(this::speaks).toList();
  }

  List<Prefix> pools() {
    return tunnel.pools().stream().map(Located::value).toList();
  }

  List<Address> dns() {
    return tunnel.dns().stream().map(Located::value).toList();
  }

  List<String> proposals() {
    return tunnel.esp().proposals().stream().map(Located::value).toList();
  }

  /** What the connection is called: the gateway's name and the tunnel's. */
  String title() {
    return gateway.name() + "-" + tunnel.name();
  }

  /** The gateway as clients call it. */
  String server() {
    return server(gateway, tunnel, known);
  }

  private boolean serverIsKnown() {
    return !server().startsWith(PLACEHOLDER);
  }

  static String server(Gateway gateway, Tunnel tunnel, Known known) {
    return known
        .server()
        .or(() -> tunnel.on().stream().flatMap(Wanted::seen).map(Address::toString).findFirst())
        .orElse(PLACEHOLDER + "server");
  }

  /** Where the world sees an interface. */
  private static Stream<Address> seen(Interface outside) {
    return outside.publicAddresses().isEmpty()
        ? outside.addresses().stream().map(address -> address.value().address())
        : outside.publicAddresses().stream().map(Located::value);
  }

  /** The same for the same gateway, tunnel and part, so that an update replaces what stands. */
  UUID uuid(String part) {
    return UUID.nameUUIDFromBytes(
        (gateway.name() + "/" + tunnel.name() + "/" + part).getBytes(StandardCharsets.UTF_8));
  }

  void fails(String text) {
    remarks.add(new Remark(Weight.FAILS, text));
  }

  void warn(String text) {
    remarks.add(new Remark(Weight.WARNING, text));
  }

  void note(String text) {
    remarks.add(new Remark(Weight.NOTE, text));
  }

  Recipe recipe(Platform platform, List<Prefix> lost, List<Artifact> files) {
    boolean works = remarks.stream().noneMatch(remark -> remark.weight() == Weight.FAILS);
    List<Artifact> useful = works ? files : List.of();
    return new Recipe(
        platform,
        tunnel.name(),
        through,
        lost,
        missing,
        remarks,
        useful,
        placeholders(useful),
        tunnel.origin());
  }

  static List<String> placeholders(List<Artifact> files) {
    return files.stream()
        .flatMap(file -> WORD.matcher(file.text()).results())
        .map(result -> result.group())
        .distinct()
        .toList();
  }

  private static final java.util.regex.Pattern WORD =
      java.util.regex.Pattern.compile(PLACEHOLDER + "[a-z-]*[a-z]");

  static String name(Family family) {
    return family == Family.V4 ? "IPv4" : "IPv6";
  }

  static String list(List<?> values) {
    return String.join(", ", values.stream().map(Object::toString).toList());
  }
}
