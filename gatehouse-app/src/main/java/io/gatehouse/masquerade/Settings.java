package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.time.Duration;
import java.util.List;

/**
 * What an operator may choose.
 *
 * @param lifetime how long an entry stays without traffic; somewhat above the rekey interval
 * @param parallel whether several hosts may have sessions with one remote
 * @param hold how long a message of IKE may be kept so that negotiations with one remote do not
 *     overlap; below every client's first retransmission. Zero: never
 * @param servers hosts inside that remotes may begin sessions with
 */
public record Settings(
    Method method,
    Duration lifetime,
    boolean parallel,
    Duration hold,
    List<Server> servers,
    Limits limits) {

  public Settings {
    servers = List.copyOf(servers);
    if (lifetime.compareTo(Duration.ofMinutes(1)) < 0) {
      throw new IllegalArgumentException("a lifetime below a minute");
    }
    if (hold.isNegative() || hold.compareTo(Duration.ofSeconds(1)) >= 0) {
      throw new IllegalArgumentException("IKE is held for less than a second");
    }
  }

  /** What holds where nothing is said. */
  public static Settings standard() {
    return new Settings(
        Method.EVIDENCE,
        Duration.ofMinutes(65),
        true,
        Duration.ofMillis(400),
        List.of(),
        Limits.standard());
  }

  /** The same with another method. */
  public Settings with(Method other) {
    return new Settings(other, lifetime, parallel, hold, servers, limits);
  }

  /**
   * A VPN server inside.
   *
   * @param remotes whose sessions it gets; the longest prefix wins
   */
  public record Server(Prefix remotes, Address host) {}

  /**
   * How much of the tables one party may take.
   *
   * @param spis inbound and outbound ones together, of one host
   * @param sessions IKE SAs of one host
   * @param hosts of one remote
   * @param undecided SPIs of one remote that wait for a decision
   * @param copies of one packet
   * @param flows entries of each table, of all together
   */
  public record Limits(int spis, int sessions, int hosts, int undecided, int copies, int flows) {
    public Limits {
      if (spis < 2 || sessions < 1 || hosts < 1 || undecided < 1 || copies < 1 || flows < 1) {
        throw new IllegalArgumentException("a limit of nothing");
      }
    }

    /** The same where the tables hold so many entries. */
    public Limits withFlows(int entries) {
      return new Limits(spis, sessions, hosts, undecided, copies, entries);
    }

    /** Room for a large site. */
    public static Limits standard() {
      return new Limits(512, 128, 16_384, 256, 64, 1 << 21);
    }
  }
}
