package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Host.Flow;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Host.SourceNat;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * ESP that one side alone may begin. conntrack takes it for the answer to itself, until it forgets:
 * nf_conntrack_generic_timeout, 600 s, and most IKE daemons rekey after an hour.
 */
final class OneWay {
  private static final String FORGOTTEN =
      " alone may begin: an idle session is forgotten by conntrack after 600 s"
          + " (nf_conntrack_generic_timeout), which is less than a rekey interval, and what ";

  private final Gateway gateway;
  private final Host host;

  /** What may begin ESP under its own addresses. */
  private final List<Way> open = new ArrayList<>();

  /** From somewhere to somewhere, all addresses where a list is empty. */
  private record Way(Place from, Place to, List<Prefix> sources, List<Prefix> destinations) {
    /** Whether ESP between those addresses has this way in the other direction. */
    boolean answers(Way way, Prefix source, Prefix destination) {
      return from.equals(way.to)
          && to.equals(way.from)
          && within(sources, destination)
          && within(destinations, source);
    }

    private static boolean within(List<Prefix> some, Prefix one) {
      return some.isEmpty() || some.stream().anyMatch(each -> each.contains(one));
    }
  }

  private OneWay(Gateway gateway) {
    this.gateway = gateway;
    this.host = gateway.host();
    for (Flow flow : host.flows()) {
      if (lets(flow.to().services())) {
        open.add(way(flow));
      }
    }
    host.internet().stream()
        .filter(access -> access.nat() instanceof SourceNat.None && lets(access.services()))
        .forEach(
            access -> open.add(new Way(access.from(), new Place.Internet(), List.of(), List.of())));
  }

  static List<Note> of(Gateway gateway) {
    OneWay those = new OneWay(gateway);
    return Stream.of(those.flows(), those.routed(), those.forwards())
        .flatMap(notes -> notes)
        .toList();
  }

  private static Way way(Flow flow) {
    return new Way(flow.from(), flow.to().place(), flow.sources(), flow.destinations());
  }

  /** Everything, or this among others. */
  private static boolean lets(List<Service> services) {
    return services.isEmpty() || Warnings.names(services, Protocol.ESP);
  }

  private Stream<Note> flows() {
    return host.flows().stream()
        .filter(flow -> Warnings.names(flow.to().services(), Protocol.ESP))
        .filter(flow -> !answered(way(flow)))
        .map(flow -> note(way(flow), flow.to().origin()));
  }

  /** Networks whose registered addresses the world knows. */
  private Stream<Note> routed() {
    return host.internet().stream()
        .filter(access -> access.nat() instanceof SourceNat.None)
        .filter(access -> Warnings.names(access.services(), Protocol.ESP))
        .map(access ->
            new Located<>(
                new Way(access.from(), new Place.Internet(), List.of(), List.of()),
                access.origin()))
        .filter(way -> !answered(way.value()))
        .map(way -> note(way.value(), way.origin()));
  }

  private static Note note(Way way, Origin origin) {
    String from = way.from.name();
    String to = way.to.name();
    return new Note(
        "ESP between "
            + from
            + " and "
            + to
            + ", which "
            + from
            + FORGOTTEN
            + to
            + " sends then is dropped until "
            + from
            + " sends again. Let `esp` begin the other way too, in `flows`: from "
            + to
            + " to "
            + from
            + "/esp"
            + (way.sources.isEmpty() && way.destinations.isEmpty()
                ? "."
                : ", between the same addresses."),
        origin);
  }

  /** For each pair of addresses that it has. ESP within a tunnel of ours is not looked at. */
  private boolean answered(Way way) {
    if (way.from instanceof Place.OfTunnel || way.to instanceof Place.OfTunnel) {
      return true;
    }
    return Arrays.stream(Family.values())
        .allMatch(family ->
            parts(way.sources, way.from, family).stream()
                .allMatch(source ->
                    parts(way.destinations, way.to, family).stream()
                        .allMatch(destination ->
                            open.stream()
                                .anyMatch(other -> other.answers(way, source, destination)))));
  }

  private static List<Prefix> parts(List<Prefix> named, Place place, Family family) {
    if (!named.isEmpty()) {
      return named.stream().filter(one -> one.family() == family).toList();
    }
    return place instanceof Network network
        ? network.prefixes().stream()
            .map(Located::value)
            .filter(one -> one.family() == family)
            .toList()
        : List.of(family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6);
  }

  /** Under the outside address the host inside begins by its network's way to the internet. */
  private Stream<Note> forwards() {
    return host.portForwards().stream()
        .filter(forward -> forward.service().protocol() == Protocol.ESP)
        .filter(forward -> networkOf(forward.to().value()).noneMatch(this::mayBegin))
        .map(OneWay::note);
  }

  private Stream<Network> networkOf(Address address) {
    Predicate<Network> has =
        network -> network.prefixes().stream().anyMatch(prefix -> prefix.value().contains(address));
    return gateway.networks().stream().filter(has);
  }

  private boolean mayBegin(Network network) {
    return gateway.masquerade().filter(m -> m.clients().contains(network)).isPresent()
        || host.internet().stream()
            .anyMatch(access -> access.from().equals(network) && lets(access.services()));
  }

  private static Note note(PortForward forward) {
    return new Note(
        "ESP that is forwarded to "
            + forward.to().value()
            + ", which the world"
            + FORGOTTEN
            + forward.to().value()
            + " sends then is dropped until its remote sends again. Name the host in `masquerade: servers:` instead,"
            + " or let its network begin `esp` too, in `internet`.",
        forward.origin());
  }
}
