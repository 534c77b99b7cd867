package io.gatehouse.apply;

import java.nio.file.Path;
import java.util.Map;

/**
 * Where we keep what we have done.
 *
 * @param state generations and the journal; survives a boot
 * @param run the lock and what ends with a boot
 */
public record Directories(Path state, Path run) {

  /** The usual places, or those that {@code GATEHOUSE_STATE} and {@code GATEHOUSE_RUN} name. */
  public static Directories of(Map<String, String> environment) {
    return new Directories(
        Path.of(environment.getOrDefault("GATEHOUSE_STATE", "/var/lib/gatehouse")).toAbsolutePath(),
        Path.of(environment.getOrDefault("GATEHOUSE_RUN", "/run/gatehouse")).toAbsolutePath());
  }

  /** What has to stand in front of a script's name; nothing where these are the usual places. */
  String assignments() {
    return this.equals(of(Map.of()))
        ? ""
        : "GATEHOUSE_STATE='%s' GATEHOUSE_RUN='%s' ".formatted(state, run);
  }

  Path generations() {
    return state.resolve("generations");
  }

  Path generation(int number) {
    return generations().resolve(Integer.toString(number));
  }
}
