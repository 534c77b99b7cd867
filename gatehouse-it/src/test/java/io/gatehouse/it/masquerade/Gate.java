package io.gatehouse.it.masquerade;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gatehouse as a daemon in a host of the lab.
 *
 * @param vici the socket of the IKE daemon that it follows
 */
record Gate(Lab lab, Host host, String vici) {
  /** Without an IKE daemon of its own. */
  Gate(Lab lab, Host host) {
    this(lab, host, "/run/none");
  }

  /** Reading and proving takes long in emulation, on a busy machine. */
  private static final Duration LIMIT = Duration.ofMinutes(10);

  private static final Pattern PACKETS = Pattern.compile("counter packets (\\d+)");

  private String program() {
    return "env GATEHOUSE_BUILD=never GATEHOUSE_VICI=%s %s"
        .formatted(vici, Lab.HOME.resolve("gatehouse"));
  }

  /** Starts the daemon, and waits until it follows. */
  void run(String description) {
    host.write("/etc/gw.yaml", description);
    Answer answer =
        lab.run(
            """
            lab-in %1$s bash -c ': > /var/log/gatehouse.log
              setsid %2$s run /etc/gw.yaml > /var/log/gatehouse.log 2>&1 < /dev/null &
              pid=$!
              echo $pid > /run/gatehouse.pid
              exec 9<> <(:)
              until [[ $(< /var/log/gatehouse.log) == *follows* ]]; do
                kill -0 $pid || { cat /var/log/gatehouse.log; exit 1; }
                read -r -t 0.1 -u 9
              done
              true'
            """
                .formatted(host.namespace(), program()),
            LIMIT);
    answer.expected();
  }

  /** Kills the daemon; what it has put into the kernel stays. */
  void kill() {
    host.script(
            """
            read -r pid < /run/gatehouse.pid
            kill -9 $pid
            exec 9<> <(:)
            while kill -0 $pid 2> /dev/null; do read -r -t 0.05 -u 9; done
            true
            """)
        .expected();
  }

  /** {@code gatehouse masquerade …}, which must succeed; its output. */
  String masquerade(String words) {
    return host.script(program() + " masquerade " + words).expected().out();
  }

  /** How many packets from outside nobody's map knew so far, and the daemon was asked about. */
  long asked() {
    Answer answer = host.script("nft list chain inet gatehouse masq_ask | grep 'unknown SPI'");
    Matcher matcher = PACKETS.matcher(answer.expected().out());
    long all = 0;
    while (matcher.find()) {
      all += Long.parseLong(matcher.group(1));
    }
    return all;
  }

  /** What stands and what was said, for a failure. */
  String state() {
    return host.script(
            "cat /var/log/gatehouse.log; nft list table inet gatehouse; conntrack -L 2>&1")
        .out();
  }
}
