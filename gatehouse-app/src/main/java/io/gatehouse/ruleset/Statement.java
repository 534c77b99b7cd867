package io.gatehouse.ruleset;

import io.gatehouse.model.Prefix;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** One step of an nftables rule: a condition, a change to the packet, or a verdict. */
public sealed interface Statement {

  /** Goes on only where the comparison holds. */
  record Match(Expression left, Relation relation, Expression right) implements Statement {}

  /** How the two sides of a {@link Match} compare. */
  enum Relation {
    /** Equal, or in the set; for bit fields such as {@code ct state}: any of the bits is set. */
    IS(""),
    /** Equal in every bit, also for bit fields. */
    EQUAL("=="),
    NOT("!="),
    LESS("<"),
    GREATER(">"),
    LESS_OR_EQUAL("<="),
    GREATER_OR_EQUAL(">=");

    private final String text;

    Relation(String text) {
      this.text = text;
    }

    /** As nft prints it; empty where it prints nothing between the sides. */
    public String text() {
      return text;
    }
  }

  /** Counts packets and bytes. */
  record Counter() implements Statement {}

  /**
   * Goes on only within a rate; {@code over} turns it round.
   *
   * @param unit {@code second}, {@code minute}, {@code hour}, {@code day}
   */
  record Limit(long rate, String unit, long burst, boolean over) implements Statement {}

  /** Writes to the kernel's log, or to a group of nfnetlink. */
  record Log(String prefix, OptionalInt group) implements Statement {}

  /**
   * Sets a selector: {@code meta mark set …}, {@code ct mark set …}, {@code tcp option maxseg size
   * set …}.
   */
  record Assign(Expression.Selector target, Expression value) implements Statement {}

  /** The packet gets no conntrack entry. */
  record NoTrack() implements Statement {}

  /** Assigns a conntrack helper object of the table. */
  record CtHelper(String name) implements Statement {}

  /**
   * Puts an element into a set of the table that the kernel fills by itself, or, where it is there
   * already, lets it live on: what it leads to stays.
   *
   * @param data what it leads to, in a map
   * @param timeout how long it stays after that, in whole seconds
   */
  record Update(String set, Expression key, Optional<Expression> data, Duration timeout)
      implements Statement {}

  /** Takes the packet to user space. */
  record Queue(int first, int last, boolean bypass) implements Statement {}

  /** Looks the verdict up; a packet whose key is absent goes on with the next rule. */
  record VerdictMap(Expression key, VerdictSource verdicts) implements Statement {}

  /** Where a {@link VerdictMap} looks. */
  sealed interface VerdictSource {
    /** A map of the table. */
    record Named(String map) implements VerdictSource {}

    /** Written into the rule. */
    record Inline(List<Entry> entries) implements VerdictSource {
      public Inline {
        entries = List.copyOf(entries);
      }
    }

    /** A key and its verdict. */
    record Entry(Expression.Value key, Verdict verdict) {}
  }

  /** Rewrites an address, in a chain of type nat; it ends the chain. */
  sealed interface Nat extends Statement {
    /** The source becomes this; ports only where given. */
    record Source(Optional<Expression> address, Optional<Expression> ports, List<String> flags)
        implements Nat {
      public Source {
        flags = List.copyOf(flags);
      }
    }

    /** The destination becomes this; ports only where given. */
    record Destination(Optional<Expression> address, Optional<Expression> ports, List<String> flags)
        implements Nat {
      public Destination {
        flags = List.copyOf(flags);
      }
    }

    /** The source becomes the address of the interface that the packet leaves by. */
    record Masquerade(Optional<Expression> ports, List<String> flags) implements Nat {
      public Masquerade {
        flags = List.copyOf(flags);
      }
    }

    /**
     * One to one: the first bits of an address become those of the prefix, the rest stays, and so
     * do ports ({@code snat ip prefix to …}).
     *
     * @param source whether it is the source's; else the destination's
     */
    record Prefixed(boolean source, Prefix to) implements Nat {}

    /** The destination becomes this host. */
    record Redirect(Optional<Expression> ports, List<String> flags) implements Nat {
      public Redirect {
        flags = List.copyOf(flags);
      }
    }
  }

  /** What becomes of the packet. */
  sealed interface Verdict extends Statement {
    /** Ends this base chain; later ones still see the packet. */
    record Accept() implements Verdict {}

    /** Ends the packet. */
    record Drop() implements Verdict {}

    /**
     * Ends the packet and tells the sender; {@code with} is nft's text behind {@code reject}, or
     * empty.
     */
    record Reject(String with) implements Verdict {}

    /** Back to the chain that jumped here; in a base chain its policy. */
    record Return() implements Verdict {}

    record Continue() implements Verdict {}

    record Jump(String chain) implements Verdict {}

    record Goto(String chain) implements Verdict {}
  }

  /**
   * Something that we do not understand, as it was printed: what follows it in its rule is unknown.
   */
  record Opaque(String text) implements Statement {}
}
