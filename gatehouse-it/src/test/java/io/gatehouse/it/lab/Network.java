package io.gatehouse.it.lab;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;

/** Hosts of a lab and the wires between them, apart from those of every other network. */
public final class Network implements AutoCloseable {
  private final Lab lab;
  private final String name;

  Network(Lab lab, String name) {
    this.lab = lab;
    this.name = name;
  }

  void up(String description) {
    Answer answer = lab.run("lab-net up %s - <<'END'%n%s%nEND%n".formatted(name, description));
    if (answer.status() != 0) {
      close();
      answer.expected();
    }
  }

  public Lab lab() {
    return lab;
  }

  public Host host(String host) {
    return new Host(lab, name + "-" + host);
  }

  /**
   * Sends probes, all at the same time, and tells what became of each. {@code
   * lab/guest/bin/lab-probe} tells the words of a line.
   */
  public Sightings probe(String... lines) {
    String text = String.join("\n", lines);
    Answer answer =
        lab.run("lab-probe <<'END'%nnet %s%n%s%nEND%n".formatted(name, text)).expected();
    var fates = new TreeMap<String, Fate>();
    List<String> esp = new ArrayList<>();
    for (String line : answer.out().lines().toList()) {
      if (line.startsWith("+esp ")) {
        esp.add(line);
      } else {
        Fate fate = Fate.parse(line);
        fates.put(fate.probe(), fate);
      }
    }
    return new Sightings(fates, esp);
  }

  /** Starts charon in several hosts at the same time, each with its {@code swanctl.conf}. */
  public void charon(Peer... peers) {
    StringBuilder script = new StringBuilder();
    for (Peer peer : peers) {
      String file = "/tmp/%s-%s.conf".formatted(name, peer.host());
      script.append("cat > %s <<'END'%n%s%nEND%n".formatted(file, peer.configuration()));
      script.append(
          "lab-in %s-%s lab-charon start %s & starting+=($!)%n".formatted(name, peer.host(), file));
    }
    script.append("for each in ${starting[@]}; do wait $each || failed=$each; done\n");
    script.append("[ -z \"$failed\" ]\n");
    lab.run(script.toString()).expected();
  }

  /** A host and the text of its {@code swanctl.conf}. */
  public record Peer(String host, String configuration) {}

  /**
   * Makes an authority and, for each {@code HOST=NAME}, a certificate; they are where the host's
   * charon looks, and {@code HOST} in {@link #certificate} names them in a configuration.
   */
  public void certificates(String... names) {
    List<String> words = Arrays.stream(names).map(each -> name + "-" + each).toList();
    lab.run("lab-pki " + Lab.quoted(words)).expected();
  }

  /** The file of a host's certificate, for {@code certs =} in a configuration. */
  public String certificate(String host) {
    return name + "-" + host + ".crt";
  }

  @Override
  public void close() {
    lab.run("lab-net down " + name).expected();
  }

  /** Runs one command in each of several hosts, in one script, one after the other. */
  public Answer each(List<String> hosts, String... command) {
    return lab.run(
        String.join(
            "\n",
            hosts.stream()
                .map(host -> "lab-in %s-%s %s".formatted(name, host, Lab.quoted(List.of(command))))
                .toList()));
  }
}
