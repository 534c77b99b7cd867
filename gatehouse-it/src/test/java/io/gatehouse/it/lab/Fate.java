package io.gatehouse.it.lab;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What became of a probe.
 *
 * @param arrived whether a socket of the receiving host had it, behind that host's own rules
 * @param replied whether the answer came back
 * @param details by the words of {@code lab-probe}: {@code from} as the receiver saw it, {@code
 *     replyfrom}, {@code error}, {@code icmp}, {@code offender}, {@code mtu}, {@code sent}, {@code
 *     received}
 * @param seen where watched hosts had it in clear
 * @param back where watched hosts had its answer in clear
 * @param syn segments that open a connection, {@code HOST/DEVICE/in|out/syn|synack/MSS}
 */
public record Fate(
    String probe,
    boolean arrived,
    boolean replied,
    Map<String, String> details,
    List<Place> seen,
    List<Place> back,
    List<String> syn) {

  public Fate {
    details = Map.copyOf(details);
    seen = List.copyOf(seen);
    back = List.copyOf(back);
    syn = List.copyOf(syn);
  }

  static Fate parse(String line) {
    Map<String, String> details = new HashMap<>();
    List<Place> seen = new ArrayList<>();
    List<Place> back = new ArrayList<>();
    List<String> syn = new ArrayList<>();
    String[] words = line.split(" ");
    for (String word : List.of(words).subList(1, words.length)) {
      int at = word.indexOf('=');
      String value = word.substring(at + 1);
      switch (word.substring(0, at)) {
        case "seen" -> seen.add(Place.parse(value));
        case "back" -> back.add(Place.parse(value));
        case "syn" -> syn.add(value);
        case String key -> details.put(key, value);
      }
    }
    return new Fate(
        words[0],
        "yes".equals(details.remove("delivered")),
        "yes".equals(details.remove("reply")),
        details,
        seen,
        back,
        syn);
  }

  /** The source that the receiver saw, with its port where there is one. */
  public Optional<String> from() {
    return Optional.ofNullable(details.get("from"));
  }

  /** The sender's error: {@code econnrefused}, {@code emsgsize} and so on. */
  public Optional<String> error() {
    return Optional.ofNullable(details.get("error"));
  }

  /** Whether it left this host by this device in clear. */
  public boolean left(String host, String device) {
    return seen.stream()
        .anyMatch(
            place -> place.out() && place.host().equals(host) && place.device().equals(device));
  }

  /** Whether this host had it in clear, coming or going. */
  public boolean seenAt(String host) {
    return seen.stream().anyMatch(place -> place.host().equals(host));
  }
}
