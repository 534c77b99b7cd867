package io.gatehouse.it.lab;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What became of the probes of one round, and what was seen of ESP meanwhile. */
public record Sightings(Map<String, Fate> fates, List<String> esp) {

  public Sightings {
    fates = Map.copyOf(fates);
    esp = List.copyOf(esp);
  }

  /** The fate of the probe of this name. */
  public Fate of(String probe) {
    return Optional.ofNullable(fates.get(probe))
        .orElseThrow(() -> new AssertionError("no probe " + probe));
  }

  /** How many ESP packets, plain or in UDP, a watched host had at a device, coming or going. */
  public int esp(String host, String device) {
    return esp.stream()
        .filter(line -> line.startsWith("+esp " + host + " " + device + " "))
        .mapToInt(line -> Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }
}
