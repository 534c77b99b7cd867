package io.gatehouse.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.snapshot.Machine;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The systemd units that load the confirmed generation: before the network, and again when devices
 * are there.
 */
public final class BootUnits {
  private static final List<String> UNITS = List.of("gatehouse.service", "gatehouse-late.service");

  private final Machine machine;
  private final Directories directories;
  private final Path units;

  /**
   * @param units where the administrator's units are, {@code /etc/systemd/system}
   */
  public BootUnits(Machine machine, Directories directories, Path units) {
    this.machine = machine;
    this.directories = directories;
    this.units = units;
  }

  /**
   * Whether this is the host's own namespace, under systemd: only there has a unit of the host a
   * meaning.
   */
  private boolean belongHere() {
    // As sd_booted(3) does; the directory itself is empty as a rule.
    boolean systemd = machine.list("/run/systemd").contains("system");
    // What a namespace shows there is a file of its own. /proc/1/ns/net says it more plainly, but
    // only
    // to whoever has all capabilities of process 1, which the daemon's unit has not.
    List<String> files =
        machine
            .run("stat", "-L", "-c", "%d %i", "/proc/1/net/dev", "/proc/self/net/dev")
            .outOrEmpty()
            .lines()
            .toList();
    return systemd && files.size() == 2 && files.getFirst().equals(files.getLast());
  }

  /** Installs them where they are not; answers what to tell the user. */
  public List<String> install() {
    if (!belongHere()) {
      return List.of(
          "no systemd here: to load this at boot, run `sh %s/boot.sh boot` before the network comes"
              .formatted(directories.state()),
          "up, and `sh %s/boot.sh late` when it is up".formatted(directories.state()));
    }
    if (!directories.state().toString().matches("[A-Za-z0-9_./:@+,=-]+")) {
      // Blanks, quotes, % and $ each mean something else in each line of a unit.
      return List.of(
          "! not loaded at boot: a unit cannot name the directory " + directories.state());
    }
    try {
      boolean changed = false;
      for (String unit : UNITS) {
        String text = text(unit);
        Path path = units.resolve(unit);
        if (!Files.exists(path) || !Files.readString(path).equals(text)) {
          Files.createDirectories(units);
          Files.writeString(path, text);
          changed = true;
        }
      }
      if (!changed) {
        return List.of();
      }
      List<String> enable = new ArrayList<>(List.of("systemctl", "--quiet", "enable"));
      enable.addAll(UNITS);
      Machine.Answer reload = machine.run("systemctl", "daemon-reload");
      Machine.Answer enabled = machine.run(enable.toArray(String[]::new));
      return reload.ok() && enabled.ok()
          ? List.of("loaded at boot from now on, by " + String.join(" and ", UNITS))
          : List.of("! not loaded at boot: systemctl: " + (reload.err() + enabled.err()).strip());
    } catch (IOException e) {
      return List.of(
          "! not loaded at boot: cannot write " + units + ": " + e.getClass().getSimpleName());
    }
  }

  /** Removes them, where they are those of this host and of our state. */
  public void remove() throws IOException {
    if (!belongHere() || !Files.exists(units.resolve(UNITS.getFirst()))) {
      return;
    }
    String installed = Files.readString(units.resolve(UNITS.getFirst()));
    if (!installed.equals(text(UNITS.getFirst()))) {
      return;
    }
    List<String> disable = new ArrayList<>(List.of("systemctl", "--quiet", "disable"));
    disable.addAll(UNITS);
    machine.run(disable.toArray(String[]::new));
    for (String unit : UNITS) {
      Files.deleteIfExists(units.resolve(unit));
    }
    machine.run("systemctl", "daemon-reload");
  }

  private String text(String unit) throws IOException {
    try (InputStream in = BootUnits.class.getResourceAsStream(unit)) {
      if (in == null) {
        throw new IOException(unit + " is missing from the jar");
      }
      return new String(in.readAllBytes(), UTF_8)
          .replace("@STATE@", directories.state().toString());
    }
  }
}
