package io.gatehouse.apply;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What stands in the kernel, and where it differs from what was put there.
 *
 * @param gateway the description's name; nothing where nothing of ours stands
 * @param generation 0 where nothing of ours stands
 * @param since when it was applied
 * @param interrupted whether a change was cut off and waits to be taken back
 * @param secondsToConfirm until it is taken back, where it waits for confirmation
 * @param atBoot the generation that the next boot loads; 0 for none
 * @param drift a line for each difference, with the line of the description that asks for it
 * @param waiting what is wanted of devices that are not there
 * @param culprits who does such things on this host, with the way out
 * @param inTheWay other people's chains that stop or rewrite our traffic now, with what mends it
 */
public record Status(
    Optional<String> gateway,
    int generation,
    Optional<String> since,
    boolean interrupted,
    OptionalLong secondsToConfirm,
    int atBoot,
    List<String> drift,
    List<String> waiting,
    List<String> culprits,
    List<String> inTheWay) {
  public Status {
    drift = List.copyOf(drift);
    waiting = List.copyOf(waiting);
    culprits = List.copyOf(culprits);
    inTheWay = List.copyOf(inTheWay);
  }

  /** Whether the kernel has what it is to have. */
  public boolean isFine() {
    return drift.isEmpty() && !interrupted;
  }
}
