package io.gatehouse.capture;

import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Evidence;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Ip;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * What the masquerade would have decided of captured packets. A capture of the inside shows to whom
 * a packet from outside went in the end, so that each decision can be held against it. Nothing of a
 * packet is kept once it is told of.
 */
public final class Replay implements Consumer<Frame> {
  private static final long MILLISECOND = 1_000_000;
  private static final long TICK = 1000;

  private final List<Prefix> inside;
  private final Consumer<Step> use;
  private final Masquerade engine;
  private final Map<Fate, Long> fates = new EnumMap<>(Fate.class);
  private OptionalLong began = OptionalLong.empty();
  private long ticked;
  private long others;

  /**
   * An engine that has seen nothing yet.
   *
   * @param inside where the hosts are; what is neither from nor to there is left out
   * @param use is handed each packet that the masquerade has to do with
   */
  public Replay(List<Prefix> inside, Settings settings, Consumer<Step> use) {
    this.inside = List.copyOf(inside);
    this.use = use;
    engine = new Masquerade(settings, 0);
  }

  /**
   * A packet and its decision.
   *
   * @param time milliseconds since the first frame
   * @param outbound whether a host inside sent it
   * @param verdict the decision; of a held message, that it was held
   * @param changes of the live maps that it caused
   */
  public record Step(
      int frame, long time, boolean outbound, Ip packet, Verdict verdict, List<Changed> changes) {
    public Step {
      changes = List.copyOf(changes);
    }

    /** Whether it went to the host that the capture shows, if it came from outside. */
    public Fate fate() {
      Address host = packet.destination();
      return switch (verdict) {
        case Verdict.To(Address chosen) when !outbound ->
            chosen.equals(host) ? Fate.RIGHT : Fate.WRONG;
        case Verdict.Copies(List<Address> chosen) when !outbound ->
            chosen.contains(host) ? Fate.COPIED : Fate.WRONG;
        case Verdict.Drop drop -> Fate.REFUSED;
        case Verdict.Hold hold -> Fate.HELD;
        default -> Fate.PASSED;
      };
    }
  }

  /**
   * A change of the live maps.
   *
   * @param why an SPI is its host's, where it is bound
   */
  public record Changed(Change change, Optional<Evidence> why) {}

  /** What became of a packet. */
  public enum Fate {
    /** From outside, to its host. */
    RIGHT,
    /** From outside, to its host and others. */
    COPIED,
    /** From outside, to others only. */
    WRONG,
    /** Dropped, with a reason. */
    REFUSED,
    /** Kept back for a while. */
    HELD,
    /** From inside, let go. */
    PASSED
  }

  /** Decides about the next frame of the capture. */
  @Override
  public void accept(Frame frame) {
    if (began.isEmpty()) {
      began = OptionalLong.of(frame.time());
    }
    if (!(frame.packet().orElse(null) instanceof Ip ip)) {
      others++;
      return;
    }
    boolean from = inside.stream().anyMatch(p -> p.contains(ip.source()));
    boolean to = inside.stream().anyMatch(p -> p.contains(ip.destination()));
    long time = Math.max(0, (frame.time() - began.getAsLong()) / MILLISECOND);
    if (time - ticked >= TICK) {
      engine.tick(time);
      ticked = time;
    }
    Optional<Verdict> verdict =
        from == to
            ? Optional.empty()
            : Optional.of(from ? engine.outbound(ip, time) : engine.inbound(ip, time));
    if (verdict.isEmpty() || verdict.get() instanceof Verdict.NotOurs) {
      others++;
      return;
    }
    List<Changed> changes =
        engine.changes().stream().map(c -> new Changed(c, evidence(c))).toList();
    Step step = new Step(frame.number(), time, from, ip, verdict.get(), changes);
    fates.merge(step.fate(), 1L, Long::sum);
    use.accept(step);
  }

  private Optional<Evidence> evidence(Change change) {
    return change instanceof Change.Bind bind
        ? engine.evidence(bind.remote(), bind.spi())
        : Optional.empty();
  }

  /** How many packets had a fate so far. */
  public long count(Fate fate) {
    return fates.getOrDefault(fate, 0L);
  }

  /** How many packets the masquerade had to do with so far. */
  public long decided() {
    return fates.values().stream().mapToLong(Long::longValue).sum();
  }

  /** How many it had not. */
  public long others() {
    return others;
  }

  /** What stands now. */
  public Status status() {
    return engine.status();
  }
}
