package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Understands the words for places: networks, tunnels and the internet. */
final class Places {
  static final String INTERNET = "internet";

  private static final Place.Internet THE_INTERNET = new Place.Internet();

  private final Problems problems;
  private final Names<Interface> interfaces;
  private final Names<Network> networks;
  private final Services services;

  /** The type of each tunnel by its name; empty where it has none that is known. */
  private final Map<String, String> tunnels = new HashMap<>();

  /** Tunnels whose other end knows our networks by other addresses. */
  private final Set<String> mapped = new HashSet<>();

  private final List<String> words = new ArrayList<>();

  Places(
      Problems problems, Names<Interface> interfaces, Names<Network> networks, Services services) {
    this.problems = problems;
    this.interfaces = interfaces;
    this.networks = networks;
    this.services = services;
  }

  /** Takes the tunnels' names: tunnels may name each other. */
  void define(List<Node.Entry> entries) {
    for (Node.Entry entry : entries) {
      String name = entry.key().text();
      if (name.equals(INTERNET)) {
        problems.error(
            entry.key().spot(),
            "`internet` is everything that no network is",
            "give the tunnel another name");
        continue;
      }
      networks
          .spot(name)
          .ifPresent(spot ->
              problems.error(
                  entry.key().spot(),
                  "`" + name + "` is a network already (" + spot.seenFrom(entry.key().spot()) + ")",
                  "a word names one place: rename one of them"));
      tunnels.put(name, Binder.type(entry));
      if (Images.has(entry)) {
        mapped.add(name);
      }
    }
    words.addAll(networks.all());
    words.addAll(tunnels.keySet().stream().sorted().toList());
    words.add(INTERNET);
  }

  boolean isNetwork(String name) {
    return networks.knows(name);
  }

  boolean isTunnel(String name) {
    return tunnels.containsKey(name);
  }

  /** What a name stands for; nothing where that was told to be wrong. */
  Optional<Place> place(Node.Scalar scalar, String name) {
    if (networks.knows(name)) {
      return networks.get(name).map(network -> network);
    }
    if (name.equals(INTERNET)) {
      return Optional.of(THE_INTERNET);
    }
    String type = tunnels.get(name);
    if (type == null) {
      problems.error(
          scalar.spot(), "no network or tunnel is called " + Quote.of(name), wayOut(name));
      return Optional.empty();
    }
    if (type.equals("l2tp")) {
      problems.error(
          scalar.spot(),
          "tunnel `" + name + "` is l2tp: it ends at this host, nobody is behind it",
          "name a network or another tunnel");
      return Optional.empty();
    }
    if (mapped.contains(name)) {
      problems.error(
          scalar.spot(),
          "tunnel `" + name + "` knows only its `local` networks, by other addresses",
          "leave it out: `outbound` of the tunnel says what these may begin");
      return Optional.empty();
    }
    if (type.equals("client")) {
      problems.error(
          scalar.spot(),
          "tunnel `"
              + name
              + "` is one of which this host is the client: none but its `local` use it",
          "write the network into `local:` of tunnel `" + name + "`");
      return Optional.empty();
    }
    return Optional.of(new Place.OfTunnel(name));
  }

  private Optional<String> wayOut(String name) {
    if (Address.parse(name).isPresent()) {
      return Optional.of("give it a name under `networks:`, and write that name");
    }
    if (interfaces.knows(name)) {
      List<String> there =
          networks.all().stream()
              .filter(n -> networks.get(n).filter(w -> w.on().name().equals(name)).isPresent())
              .limit(4)
              .toList();
      return Optional.of(
          "that is an interface"
              + (there.isEmpty()
                  ? "; name a network"
                  : "; networks there: " + String.join(", ", there)));
    }
    return problems.didYouMean(name, words).or(() -> Names.among(words));
  }

  /** A place, or services there: {@code office}, {@code office/tcp/445}, {@code office/https}. */
  Optional<Reach> reach(Node.Scalar scalar) {
    String text = scalar.text();
    int slash = text.indexOf('/');
    if (slash < 0) {
      return place(scalar, text).map(p -> new Reach(p, List.of(), scalar.spot().origin()));
    }
    Optional<Place> place = place(scalar, text.substring(0, slash));
    if (place.isEmpty()) {
      return Optional.empty();
    }
    String rest = text.substring(slash + 1);
    if (rest.isEmpty()) {
      problems.error(
          scalar.spot(),
          "a service is missing behind " + Quote.of(text),
          "for everything there, write `" + text.substring(0, slash) + "`");
      return Optional.empty();
    }
    List<Service> there = services.one(scalar, rest);
    // Empty would mean everything: what was told to be wrong must not become that.
    return there.isEmpty()
        ? Optional.empty()
        : Optional.of(new Reach(place.get(), there, scalar.spot().origin()));
  }

  List<Reach> reaches(List<Node.Scalar> scalars) {
    return scalars.stream().map(this::reach).flatMap(Optional::stream).toList();
  }

  /** The networks of these names. */
  List<Network> networks(List<Node.Scalar> scalars, String hint) {
    List<Network> found = new ArrayList<>();
    for (Node.Scalar scalar : scalars) {
      String name = scalar.text();
      if (!networks.knows(name) && (name.equals(INTERNET) || isTunnel(name))) {
        problems.error(scalar.spot(), "`" + name + "` is not a network", hint);
      } else {
        networks.find(scalar).ifPresent(found::add);
      }
    }
    return found;
  }
}
