package io.gatehouse.simulator;

import java.util.List;

/**
 * A site and what it does. Times in milliseconds.
 *
 * @param hosts inside, all with one remote
 * @param logonWithin they log on within this time
 * @param duration of the whole
 * @param rekey interval between rekeys of one host, give or take a tenth
 * @param together whether all of them rekey within ten seconds
 * @param gap mean time between what a session has to say, from either side
 * @param idle share of exchanges after which the host says nothing for 10 to 120 s, while the
 *     remote goes on
 * @param delay one way between gateway and remote, least
 * @param jitter added to it, at most
 * @param loss share of packets lost between gateway and remote
 * @param version of IKE
 * @param hostile whether one host makes SAs all the time to catch others' packets, and forged
 *     packets come in the remote's name
 * @param forgeries packets under each forged SPI
 */
public record Scenario(
    String name,
    int hosts,
    long logonWithin,
    long duration,
    long rekey,
    boolean together,
    long gap,
    double idle,
    long delay,
    long jitter,
    double loss,
    int version,
    boolean hostile,
    int forgeries) {
  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;

  private static Scenario calm(String name, int hosts, long duration) {
    return new Scenario(
        name,
        hosts,
        10 * MINUTE,
        duration,
        HOUR,
        false,
        2 * SECOND,
        0,
        15,
        10,
        0.0005,
        2,
        false,
        1);
  }

  /** Frozen on 21 November 2026, before the first comparison; see docs/masquerade.md. */
  public static List<Scenario> all() {
    return List.of(
        calm("10 hosts, rekey every hour", 10, 8 * HOUR),
        calm("100 hosts, rekey every hour", 100, 3 * HOUR),
        calm("100 hosts, a fifth silent for 10–120 s", 100, 3 * HOUR).silent(0.2),
        calm("50 logons in a minute", 50, 10 * MINUTE).within(MINUTE),
        calm("100 hosts, 2 % loss, 50–350 ms", 100, 3 * HOUR).road(50, 300, 0.02),
        calm("100 hosts rekey within 10 s", 100, HOUR).storms(10 * MINUTE),
        calm("100 hosts, IKEv1", 100, 3 * HOUR).ikev1(),
        calm("1,000 hosts, rekey every hour", 1000, 90 * MINUTE).speaking(5 * SECOND),
        calm("30 hosts, a hostile one, forgeries", 30, HOUR).rekeying(10 * MINUTE).attacked());
  }

  /**
   * What came later, behind the frozen ones: a forger who sends a second packet under each SPI,
   * which is what an SPI is bound with.
   */
  public static List<Scenario> later() {
    return List.of(
        calm("30 hosts, a hostile one, forgeries twice", 30, HOUR)
            .rekeying(10 * MINUTE)
            .attacked()
            .forging(2));
  }

  private Scenario forging(int packets) {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        gap,
        idle,
        delay,
        jitter,
        loss,
        version,
        hostile,
        packets);
  }

  private Scenario silent(double share) {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        gap,
        share,
        delay,
        jitter,
        loss,
        version,
        hostile,
        forgeries);
  }

  private Scenario within(long time) {
    return new Scenario(
        name, hosts, time, duration, rekey, together, gap, idle, delay, jitter, loss, version,
        hostile, forgeries);
  }

  private Scenario road(long least, long more, double lost) {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        gap,
        idle,
        least,
        more,
        lost,
        version,
        hostile,
        forgeries);
  }

  private Scenario storms(long interval) {
    return new Scenario(
        name, hosts, MINUTE, duration, interval, true, gap, idle, delay, jitter, loss, version,
        hostile, forgeries);
  }

  private Scenario ikev1() {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        gap,
        idle,
        delay,
        jitter,
        loss,
        1,
        hostile,
        forgeries);
  }

  private Scenario speaking(long mean) {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        mean,
        idle,
        delay,
        jitter,
        loss,
        version,
        hostile,
        forgeries);
  }

  private Scenario rekeying(long interval) {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        interval,
        together,
        gap,
        idle,
        delay,
        jitter,
        loss,
        version,
        hostile,
        forgeries);
  }

  private Scenario attacked() {
    return new Scenario(
        name,
        hosts,
        logonWithin,
        duration,
        rekey,
        together,
        gap,
        idle,
        delay,
        jitter,
        loss,
        version,
        true,
        forgeries);
  }

  /** The same with fewer hosts, for a shorter time. */
  public Scenario shortened() {
    return new Scenario(
        name,
        Math.min(hosts, 50),
        MINUTE,
        12 * MINUTE,
        5 * MINUTE,
        together,
        gap,
        idle,
        delay,
        jitter,
        loss,
        version,
        hostile,
        forgeries);
  }
}
