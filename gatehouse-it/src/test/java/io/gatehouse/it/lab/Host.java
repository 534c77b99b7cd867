package io.gatehouse.it.lab;

import java.util.ArrayList;
import java.util.List;

/** One host: network, /run, /etc and /var are its own. */
public final class Host {
  private final Lab lab;
  private final String namespace;

  Host(Lab lab, String namespace) {
    this.lab = lab;
    this.namespace = namespace;
  }

  /** The name of its network namespace in the lab. */
  public String namespace() {
    return namespace;
  }

  /** Runs a command in the host. */
  public Answer run(String... command) {
    return lab.run("lab-in " + namespace + " " + Lab.quoted(List.of(command)));
  }

  /** Runs a bash script in the host: one round trip, however many commands. */
  public Answer script(String script) {
    return run("bash", "-c", script);
  }

  /** Writes a file of the host; its directory is made. */
  public void write(String path, String text) {
    String file = Lab.quoted(path);
    run(
            "bash",
            "-c",
            "mkdir -p \"$(dirname %s)\" && printf %%s %s > %s"
                .formatted(file, Lab.quoted(text), file))
        .expected();
  }

  /** Loads an nftables ruleset, beside what is there. */
  public void nft(String ruleset) {
    run("bash", "-c", "nft -f - <<'END'\n" + ruleset + "\nEND").expected();
  }

  /** Runs {@code ./gatehouse}; its state is the host's own. */
  public Answer gatehouse(String... arguments) {
    List<String> command = new ArrayList<>();
    command.addAll(
        List.of("env", "GATEHOUSE_BUILD=never", Lab.HOME.resolve("gatehouse").toString()));
    command.addAll(List.of(arguments));
    return run(command.toArray(String[]::new));
  }

  /** Brings up a child SA, and waits for it. */
  public Answer initiate(String child) {
    return run("swanctl", "--initiate", "--child", child, "--timeout", "60");
  }

  /** Stops the host's charon, which takes its SAs and policies along. */
  public void stopCharon() {
    run("lab-charon", "stop").expected();
  }

  /** What charon wrote so far. */
  public String charonLog() {
    return run("cat", "/var/log/charon.log").out();
  }
}
