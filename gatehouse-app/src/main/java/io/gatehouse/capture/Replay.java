package io.gatehouse.capture;

import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What the masquerade would have decided of captured packets. A capture of the inside shows to whom
 * a packet from outside went in the end, so that each decision can be held against it.
 *
 * @param steps packets that the masquerade has to do with
 * @param others packets that it has not
 * @param status at the end
 */
public record Replay(List<Step> steps, int others, Status status) {
  public Replay {
    steps = List.copyOf(steps);
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
      int frame, long time, boolean outbound, Ip packet, Verdict verdict, List<Change> changes) {
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

  /**
   * Runs the engine over a capture.
   *
   * @param inside where the hosts are; what is neither from nor to there is left out
   */
  public static Replay of(Capture capture, List<Prefix> inside, Settings settings) {
    Masquerade engine = new Masquerade(settings, 0);
    List<Step> steps = new ArrayList<>();
    int others = 0;
    long began = capture.frames().isEmpty() ? 0 : capture.frames().getFirst().time();
    long ticked = 0;
    for (Frame frame : capture.frames()) {
      if (!(frame.packet().orElse(null) instanceof Ip ip)) {
        others++;
        continue;
      }
      boolean from = inside.stream().anyMatch(p -> p.contains(ip.source()));
      boolean to = inside.stream().anyMatch(p -> p.contains(ip.destination()));
      long time = Math.max(0, (frame.time() - began) / 1_000_000);
      if (time - ticked >= 1000) {
        engine.tick(time);
        ticked = time;
      }
      Optional<Verdict> verdict =
          from == to
              ? Optional.empty()
              : Optional.of(from ? engine.outbound(ip, time) : engine.inbound(ip, time));
      if (verdict.isEmpty() || verdict.get() instanceof Verdict.NotOurs) {
        others++;
      } else {
        steps.add(new Step(frame.number(), time, from, ip, verdict.get(), engine.changes()));
      }
    }
    return new Replay(steps, others, engine.status());
  }

  /** How many packets had a fate. */
  public long count(Fate fate) {
    return steps.stream().filter(step -> step.fate() == fate).count();
  }
}
