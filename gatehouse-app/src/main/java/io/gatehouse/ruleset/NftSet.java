package io.gatehouse.ruleset;

import io.gatehouse.model.Origin;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A set or map of a table.
 *
 * @param key the selectors whose values it holds, for nft's {@code typeof}
 * @param holds what a key leads to; nothing for a plain set
 * @param flags in nft's words: {@code interval}, {@code timeout}, {@code dynamic}
 * @param elements what compile puts in
 * @param size elements that it may hold at most; nothing where nft chooses
 * @param contract what may ever stand in it while it is live; nothing where only compile writes it
 */
public record NftSet(
    String name,
    Expression.Selector key,
    Optional<Holds> holds,
    Set<Flag> flags,
    OptionalInt size,
    List<Element> elements,
    Optional<Contract> contract,
    Origin origin) {

  /** The properties of sets that we use or read. */
  public enum Flag {
    INTERVAL,
    TIMEOUT,
    DYNAMIC,
    CONSTANT
  }

  /** What a map's keys lead to. */
  public sealed interface Holds {
    /** Verdicts. */
    record Verdicts() implements Holds {}

    /** Values of the selector's type. */
    record Values(Expression.Selector like) implements Holds {}
  }

  /**
   * An element.
   *
   * @param verdict for a verdict map
   * @param data for a map of values
   */
  public record Element(
      Expression.Value key,
      Optional<Statement.Verdict> verdict,
      Optional<Expression.Value> data,
      Origin origin) {
    public static Element of(Expression.Value key, Origin origin) {
      return new Element(key, Optional.empty(), Optional.empty(), origin);
    }
  }

  /**
   * The key-value pairs that may ever stand in a live map, for proofs and for the daemon to check
   * against.
   *
   * @param keys every key is within one of these; for a key of several parts, tuples of them
   * @param verdicts the verdicts allowed, for a verdict map
   * @param data every value is within one of these, for a map of values
   */
  public record Contract(
      List<Expression.Value> keys, List<Statement.Verdict> verdicts, List<Expression.Value> data) {
    public Contract {
      keys = List.copyOf(keys);
      verdicts = List.copyOf(verdicts);
      data = List.copyOf(data);
    }
  }

  public NftSet {
    flags = Set.copyOf(flags);
    elements = List.copyOf(elements);
  }

  /** One whose size is nft's choice. */
  public NftSet(
      String name,
      Expression.Selector key,
      Optional<Holds> holds,
      Set<Flag> flags,
      List<Element> elements,
      Optional<Contract> contract,
      Origin origin) {
    this(name, key, holds, flags, OptionalInt.empty(), elements, contract, origin);
  }

  /** Whether the daemon changes its elements: then a re-apply leaves them. */
  public boolean isLive() {
    return contract.isPresent();
  }
}
