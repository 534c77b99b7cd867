package io.gatehouse.clients;

import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.List;

/**
 * How one end is set up, and what comes of it.
 *
 * @param through networks that really go through the tunnel once it is set up so
 * @param lost networks that the client's routes lead into the tunnel and no policy carries: nothing
 *     of them arrives anywhere
 * @param missing networks that the description lets clients reach and that do not go through
 * @param remarks what the reader should know, gravest first
 * @param files texts for the client; none where it cannot be set up
 * @param placeholders words in the files that somebody has to replace
 * @param origin the tunnel's line
 */
public record Recipe(
    Platform platform,
    String tunnel,
    List<Prefix> through,
    List<Prefix> lost,
    List<Prefix> missing,
    List<Remark> remarks,
    List<Artifact> files,
    List<String> placeholders,
    Origin origin) {

  /** A file by its name, every line of its text ended. */
  public record Artifact(String name, String text) {}

  /** How much a remark matters. */
  public enum Weight {
    /** It cannot work so. */
    FAILS,
    /** The system does something else than the description says, or will in some cases. */
    WARNING,
    /** Good to know. */
    NOTE
  }

  /** Whole sentences, the way out last. */
  public record Remark(Weight weight, String text) {}

  public Recipe {
    through = List.copyOf(through);
    lost = List.copyOf(lost);
    missing = List.copyOf(missing);
    remarks = remarks.stream().sorted(java.util.Comparator.comparing(Remark::weight)).toList();
    files = List.copyOf(files);
    placeholders = List.copyOf(placeholders);
  }

  /** Whether it can work at all. */
  public boolean works() {
    return remarks.stream().noneMatch(remark -> remark.weight() == Weight.FAILS);
  }
}
