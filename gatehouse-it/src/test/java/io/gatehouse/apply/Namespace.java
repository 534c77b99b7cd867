package io.gatehouse.apply;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.snapshot.LocalMachine;
import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A network namespace of a test's own, with other people's entries in it; gone when it is closed.
 */
final class Namespace implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name;
  final LocalMachine machine;

  private Namespace(String name) {
    this.name = name;
    this.machine = new LocalMachine(prefix());
  }

  List<String> prefix() {
    return List.of("ip", "netns", "exec", name);
  }

  /** An empty namespace with two interfaces that are up: eth0 outside, eth1 inside. */
  static Namespace create() {
    assumeTrue(
        "root".equals(System.getProperty("user.name")), "needs root: makes network namespaces");
    String name = "gh-apply-" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
    Namespace namespace = new Namespace(name);
    Machine.Answer answer = new LocalMachine().run("ip", "netns", "add", name);
    if (!answer.ok()) {
      throw new IllegalStateException(answer.err());
    }
    namespace.sh(
        """
        ip link set lo up
        ip link add eth0 type veth peer name far0
        ip link add eth1 type veth peer name far1
        for d in eth0 far0 eth1 far1; do
          echo 0 > /proc/sys/net/ipv6/conf/$d/accept_dad
          ip link set $d up
        done
        ip addr add 192.0.2.2/24 dev eth0
        ip addr add 10.0.1.1/24 dev eth1
        ip -6 addr add 2001:db8:1::1/64 dev eth1 nodad
        ip route add default via 192.0.2.1 dev eth0
        # The kernel notices links in its own time: until then routes of theirs are not all there.
        all() { ip -6 route show table "$1" | grep -c "^$2" || true; }
        for _ in $(seq 200); do
          [ "$(all 255 local) $(all 255 multicast) $(all main fe80)" = "6 4 4" ] && break
          sleep 0.05
        done
        """);
    return namespace;
  }

  /** What stands on a host that other tools share with us. */
  Namespace withForeignEntries() {
    sh(
        """
        ip link add docker0 type veth peer name cont0
        ip link set docker0 up
        ip addr add 172.17.0.1/16 dev docker0
        echo 1 > /proc/sys/net/ipv4/conf/eth1/send_redirects
        echo 0 > /proc/sys/net/ipv4/conf/far1/send_redirects
        echo 1 > /proc/sys/net/ipv4/conf/docker0/forwarding
        echo 1 > /proc/sys/net/ipv6/conf/docker0/forwarding
        echo 1 > /proc/sys/net/ipv4/conf/default/accept_redirects
        ip rule add from 172.17.0.0/16 lookup 99 priority 4999
        ip rule add from 10.8.0.2/32 lookup 7100 priority 5000 protocol 99
        ip route add 198.18.0.0/15 via 10.0.1.9 dev eth1 proto 42
        ip route add unreachable 203.0.113.0/24 table 99
        ip -6 route add 2001:db8:99::/48 via 2001:db8:1::9 dev eth1 proto 42
        ip neigh add proxy 10.0.1.200 dev eth1
        ip neigh add proxy 10.0.1.50 dev eth1 protocol 42
        ip xfrm policy add dir out src 0.0.0.0/0 dst 10.99.0.0/16 action block priority 77
        ip xfrm policy add dir in src 10.77.0.0/16 dst 0.0.0.0/0 action block priority 4294967280
        nft -f - << 'N'
        table inet firewall {
          set blocked { type ipv4_addr; flags interval; elements = { 198.51.100.0/24 } }
          chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; ip saddr @blocked drop; }
          chain post { type nat hook postrouting priority 100; policy accept; oifname "eth0" masquerade; }
        }
        N
        """);
    return this;
  }

  /** Runs a shell script inside and answers what it printed; a command that fails ends the test. */
  String sh(String script) {
    Machine.Answer answer = machine.run(List.of("sh", "-eu"), script, Duration.ofSeconds(30));
    if (!answer.ok()) {
      throw new IllegalStateException(
          "status " + answer.status() + ": " + answer.err() + "\n" + script);
    }
    return answer.out();
  }

  /** Everything that a change of ours may touch, as text to compare. */
  String everything() {
    List<String> parts = new ArrayList<>();
    // A chain made anew is listed last; the order of chains means nothing.
    parts.add(
        Stream.of(sh("nft -s list ruleset").split("\n(?=\tset |\tmap |\tchain |table )|\n}", -1))
            .map(String::strip)
            .sorted()
            .collect(Collectors.joining("\n")));
    parts.add(sh("ip -N -4 rule; ip -N -6 rule"));
    parts.add(sh("ip -N -4 route show table all; ip -N -6 route show table all"));
    parts.add(sh("ip -N neigh show proxy | sort"));
    parts.add(sh("ip xfrm policy list"));
    parts.add(
        sh(
            """
            find /proc/sys/net/ipv4 /proc/sys/net/ipv6 -type f ! -name 'flush' ! -name 'stable_secret' \\
              ! -path '*/neigh/*' -exec grep -sH '' {} + | sort
            """));
    return String.join("\n---\n", parts);
  }

  /** Lines that stand in one of two states only, with a sign in front. */
  static List<String> difference(String before, String after) {
    List<String> gone = new ArrayList<>(before.lines().toList());
    after.lines().forEach(gone::remove);
    List<String> come = new ArrayList<>(after.lines().toList());
    before.lines().forEach(come::remove);
    return Stream.concat(
            gone.stream().map(line -> "- " + line), come.stream().map(line -> "+ " + line))
        .toList();
  }

  @Override
  public void close() {
    new LocalMachine().run("ip", "netns", "del", name);
  }
}
