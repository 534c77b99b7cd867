package io.gatehouse.apply;

import io.gatehouse.snapshot.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who may have changed what is ours, as far as the host's own files tell. The kernel keeps no
 * record of it: what is named here does such a thing, and whether it did is for the reader.
 */
final class Culprits {
  /** In the order of sysctl.d(5): of two files of one name the first counts. */
  private static final List<String> SETTINGS =
      List.of("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d");

  private static final Pattern SETTING = Pattern.compile("-?\\s*([^=#;\\s]+)\\s*=\\s*(\\S+)\\s*");

  private static final Pattern DIFFERS = Pattern.compile("(net/\\S+) is (\\S+) and is to be .*");

  private static final Pattern SWITCH =
      Pattern.compile("\\s*(ManageForeign\\w+)\\s*=\\s*(\\w+)\\s*");

  private final Machine machine;

  private Culprits(Machine machine) {
    this.machine = machine;
  }

  /**
   * A line for each, the way out in it.
   *
   * @param drift as {@link Drift} says it
   */
  static List<String> of(Machine machine, List<String> drift) {
    Culprits culprits = new Culprits(machine);
    List<String> lines = new ArrayList<>();
    if (drift.stream().anyMatch(line -> line.startsWith("table inet gatehouse is gone"))) {
      lines.addAll(culprits.flushes());
    }
    lines.addAll(
        culprits.networkd(
            drift.stream().anyMatch(line -> line.startsWith("lacks: rule ")),
            drift.stream().anyMatch(line -> line.startsWith("lacks: route "))));
    lines.addAll(culprits.settings(drift));
    return lines;
  }

  /** Debian's own rules begin so. */
  private List<String> flushes() {
    return machine.read("/etc/nftables.conf").stream()
            .flatMap(String::lines)
            .anyMatch(line -> line.strip().equals("flush ruleset"))
        ? List.of(
            "/etc/nftables.conf has `flush ruleset`: to load it, or to reload nftables.service,"
                + " takes our table along; apply again after that")
        : List.of();
  }

  /**
   * systemd-networkd removes rules and routes that it did not make whenever it configures a device:
   * when it starts, and when it is told to do it again. networkd.conf(5) has the switches.
   */
  private List<String> networkd(boolean rules, boolean routes) {
    if ((!rules && !routes) || machine.list("/run/systemd/netif").isEmpty()) {
      return List.of();
    }
    Map<String, String> said = switches();
    List<String> missing = new ArrayList<>();
    if (rules && !isOff(said, "ManageForeignRoutingPolicyRules")) {
      missing.add("ManageForeignRoutingPolicyRules=no");
    }
    if (routes && !isOff(said, "ManageForeignRoutes")) {
      missing.add("ManageForeignRoutes=no");
    }
    return missing.isEmpty()
        ? List.of()
        : List.of(
            "systemd-networkd runs here and removes what it did not make; let it, with %s below [Network] in"
                    .formatted(String.join(" and ", missing))
                + " /etc/systemd/networkd.conf.d/gatehouse.conf, then apply again");
  }

  private static boolean isOff(Map<String, String> said, String key) {
    return said.getOrDefault(key, "yes").matches("no|false|off|0");
  }

  /** The last file counts; drop-ins come behind the file itself, by their names. */
  private Map<String, String> switches() {
    Map<String, String> files = new TreeMap<>();
    for (String root : List.of("/usr/lib", "/run", "/etc")) {
      String directory = root + "/systemd/networkd.conf.d";
      machine.list(directory).forEach(name -> files.put(name, directory + "/" + name));
    }
    List<String> order = new ArrayList<>(List.of("/etc/systemd/networkd.conf"));
    order.addAll(files.values());
    Map<String, String> said = new TreeMap<>();
    for (String file : order) {
      for (String line : machine.read(file).stream().flatMap(String::lines).toList()) {
        Matcher matcher = SWITCH.matcher(line);
        if (matcher.matches()) {
          said.put(matcher.group(1), matcher.group(2));
        }
      }
    }
    return said;
  }

  /** Files that give a setting the value that it has now. */
  private List<String> settings(List<String> drift) {
    List<String> lines = new ArrayList<>();
    for (String line : drift) {
      Matcher matcher = DIFFERS.matcher(line);
      if (matcher.matches()) {
        setter(matcher.group(1), matcher.group(2))
            .ifPresent(place ->
                lines.add(
                    "%s is %s because %s says so, whenever it is loaded"
                        .formatted(matcher.group(1), matcher.group(2), place)));
      }
    }
    return lines;
  }

  private Optional<String> setter(String key, String value) {
    Map<String, String> files = new TreeMap<>();
    for (String directory : SETTINGS) {
      machine.list(directory).stream()
          .filter(name -> name.endsWith(".conf"))
          .forEach(name -> files.putIfAbsent(name, directory + "/" + name));
    }
    List<String> order = new ArrayList<>(files.values());
    order.add("/etc/sysctl.conf");
    Optional<String> last = Optional.empty();
    for (String file : order) {
      int number = 0;
      for (String line : machine.read(file).stream().flatMap(String::lines).toList()) {
        number++;
        Matcher matcher = SETTING.matcher(line.strip());
        if (matcher.matches() && path(matcher.group(1)).equals(key)) {
          last =
              matcher.group(2).equals(value) ? Optional.of(file + ":" + number) : Optional.empty();
        }
      }
    }
    return last;
  }

  /** sysctl.d(5): where the first separator is a dot, dots and slashes change places. */
  private static String path(String key) {
    int slash = key.indexOf('/');
    int dot = key.indexOf('.');
    if (dot < 0 || (slash >= 0 && slash < dot)) {
      return key;
    }
    return key.replace('.', '\0').replace('/', '.').replace('\0', '/');
  }
}
