package io.gatehouse.ruleset;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.List;
import java.util.Optional;

/**
 * What an nftables statement reads, writes or compares with: selectors of the packet first, then
 * values.
 */
public sealed interface Expression {

  /** A selector: something that the kernel reads off the packet or its state. */
  sealed interface Selector extends Expression {}

  /** Data about the packet, nft's {@code meta}. */
  record Meta(Key key) implements Selector {
    /** In nft's words. */
    public enum Key {
      IIFNAME,
      OIFNAME,
      IIF,
      OIF,
      IIFTYPE,
      L4PROTO,
      NFPROTO,
      PROTOCOL,
      MARK,
      PKTTYPE,
      LENGTH,
      TIME,
      SKUID,
      CPU,
      /** Whether the packet was decrypted on its way here (it has a secpath). */
      IPSEC
    }
  }

  /**
   * A field of a header: {@code ip saddr}, {@code tcp dport}, {@code esp spi}, {@code icmp type}.
   */
  record Payload(String header, String field) implements Selector {}

  /** Bytes of the packet that have no name: {@code @th,16,16}. */
  record RawPayload(String base, int offset, int length) implements Selector {}

  /** Conntrack: {@code ct state}, {@code ct mark}, {@code ct original ip saddr}. */
  record Ct(String key, Optional<Direction> direction) implements Selector {}

  /** A direction of a connection. */
  enum Direction {
    ORIGINAL,
    REPLY
  }

  /**
   * The route of the packet, {@code rt mtu}; {@code rt ipsec} says whether an xfrm bundle will
   * protect it.
   */
  record Rt(String key) implements Selector {}

  /**
   * The SA or template that the packet came or will go through: {@code ipsec in reqid}, {@code
   * ipsec out ip daddr}.
   */
  record Ipsec(boolean in, int index, String key) implements Selector {}

  /** A routing look-up: {@code fib daddr type}, {@code fib saddr . iif oif}. */
  record Fib(List<String> flags, String result) implements Selector {
    public Fib {
      flags = List.copyOf(flags);
    }
  }

  /** A TCP option's field: {@code tcp option maxseg size}. */
  record TcpOption(String kind, String field) implements Selector {}

  /** An IPv6 extension header's field, or whether it is there: {@code exthdr frag exists}. */
  record ExtensionHeader(String header, String field) implements Selector {}

  /** Selectors side by side, the key of a map with several parts: {@code ip saddr . udp sport}. */
  record Concat(List<Expression> parts) implements Selector {
    public Concat {
      parts = List.copyOf(parts);
    }
  }

  /** {@code left & right}, {@code left | right}, {@code left ^ right}, and shifts. */
  record Binary(Expression left, Operator operator, Expression right) implements Selector {}

  /** The bitwise operators of nftables. */
  enum Operator {
    AND("&"),
    OR("|"),
    XOR("^"),
    LEFT("<<"),
    RIGHT(">>");

    private final String text;

    Operator(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * What a map holds for the key: {@code ip saddr map @name}. A packet whose key is absent leaves
   * the rule.
   *
   * @param addresses where it holds addresses and the key does not tell their family: that
   */
  record Mapped(Expression key, String map, Optional<Family> addresses) implements Selector {
    public Mapped(Expression key, String map) {
      this(key, map, Optional.empty());
    }
  }

  /** A value, against which a selector is compared or to which something is set. */
  sealed interface Value extends Expression {}

  /** A whole number, in decimal; marks print in hexadecimal where the selector is a mark. */
  record Number(long value) implements Value {}

  /**
   * A name that nftables knows: {@code established}, {@code tcp}, {@code echo-request}, {@code
   * exists}.
   */
  record Symbol(String name) implements Value {}

  /** A quoted string: interface names. A trailing {@code *} stands for any ending. */
  record Text(String text) implements Value {}

  /** An address. */
  record Addr(Address address) implements Value {}

  /** A prefix. */
  record Net(Prefix prefix) implements Value {}

  /** From one value to another, both included. */
  record Range(Value first, Value last) implements Value {}

  /**
   * Several values at once: {@code { 500, 4500 }}; also flags by comma, as in {@code ct state
   * established,related}.
   */
  record AnyOf(List<Value> values) implements Value {
    public AnyOf {
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new IllegalArgumentException("nftables has no empty anonymous set");
      }
    }
  }

  /** Values side by side, an element of a set whose key has several parts. */
  record Tuple(List<Value> parts) implements Value {
    public Tuple {
      parts = List.copyOf(parts);
    }
  }

  /** A set of the table, by name: {@code @pools}. */
  record SetRef(String name) implements Value {}

  /**
   * Something that we do not understand, as it was printed. It never counts as a match nor as none.
   */
  record Opaque(String text) implements Selector, Value {}
}
