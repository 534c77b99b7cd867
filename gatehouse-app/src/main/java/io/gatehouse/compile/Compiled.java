package io.gatehouse.compile;

import io.gatehouse.ruleset.Ruleset;
import java.util.List;

/**
 * What a description comes to.
 *
 * @param ruleset everything that it asks of the kernel
 * @param notes what the reader of a plan should know, in the order of the description
 * @param companions the texts for the IKE daemon and for the LAN's routers that belong to it
 * @param mss how the segment size of each tunnel comes about
 */
public record Compiled(
    Ruleset ruleset, List<Note> notes, List<Companion> companions, List<MssReckoning> mss) {
  public Compiled {
    notes = List.copyOf(notes);
    companions = List.copyOf(companions);
    mss = List.copyOf(mss);
  }
}
