package io.gatehouse.ruleset;

import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.Optional;

/**
 * An xfrm policy without a template: what the selector matches is let through in clear or stopped.
 *
 * @param priority the lower wins; IKE daemons' own stand far below ours
 * @param mark that a packet has to bear; nothing means any
 */
public record XfrmPolicy(
    Direction direction,
    Prefix source,
    Prefix destination,
    long priority,
    boolean block,
    Optional<Routing.Mark> mark,
    Origin origin) {
  /** Where the kernel asks. */
  public enum Direction {
    /** Towards this host. */
    IN,
    /** Leaving, also what is forwarded. */
    OUT,
    /** On the way through. */
    FWD
  }

  /** A policy for packets whatever their mark. */
  public XfrmPolicy(
      Direction direction,
      Prefix source,
      Prefix destination,
      long priority,
      boolean block,
      Origin origin) {
    this(direction, source, destination, priority, block, Optional.empty(), origin);
  }
}
