package io.gatehouse.netlink;

import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A table of nftables that belongs to the socket which made it (NFT_TABLE_F_OWNER, kernel 5.12):
 * nobody else's `flush ruleset` or `delete table` takes it, and it goes with the socket. It drops
 * what this host itself sends in clear from one UDP port.
 */
final class KeptTable {
  private static final int NEW_TABLE = NftCodec.type(0);
  private static final int DELETE_TABLE = NftCodec.type(2);
  private static final int NEW_CHAIN = NftCodec.type(3);
  private static final int NEW_RULE = NftCodec.type(6);

  private static final int OWNER = 0x2; // NFT_TABLE_F_OWNER
  private static final String CHAIN = "guard";

  /**
   * NF_INET_POST_ROUTING, after every source NAT (NF_IP_PRI_NAT_SRC), as the guard of our rules.
   */
  private static final int POSTROUTING = 4;

  private static final int PRIORITY = 321;

  private static final String COMMENT = "leaves in clear; held back whoever flushes the rules";

  private static final int ACCEPT = 1;
  private static final int DROP = 0;

  /** NFT_REG_1, 16 bytes; and the verdict's register. */
  private static final int REGISTER = 1;

  private static final int VERDICT = 0;

  private static final int EQUAL = 0;
  private static final int UNEQUAL = 1;

  private static final int OIFNAME = 7; // NFT_META_OIFNAME
  private static final int L4PROTO = 16; // NFT_META_L4PROTO
  private static final int UDP = 17;
  private static final int ADDRESS_TYPE = 3; // NFT_FIB_RESULT_ADDRTYPE
  private static final int SOURCE = 1; // NFTA_FIB_F_SADDR
  private static final int LOCAL = 2; // RTN_LOCAL
  private static final int PROTECTED = 4; // NFT_RT_XFRM
  private static final int TRANSPORT_HEADER = 2;

  /** IFNAMSIZ: names are compared with all their zeros. */
  private static final int NAME = 16;

  private KeptTable() {}

  /** Makes it; where this socket has one already, anew. The last message is acknowledged. */
  static Bytes made(String table, int sourcePort, long sequence) {
    return NftCodec.transaction(
        sequence,
        batch -> {
          batch.message(NEW_TABLE, Wire.REQUEST | Wire.CREATE, sequence, m -> owned(m, table));
          batch.message(DELETE_TABLE, Wire.REQUEST, sequence, m -> named(m, table));
          batch.message(NEW_TABLE, Wire.REQUEST | Wire.CREATE, sequence, m -> owned(m, table));
          batch.message(NEW_CHAIN, Wire.REQUEST | Wire.CREATE, sequence, m -> chain(m, table));
          batch.message(
              NEW_RULE,
              Wire.REQUEST | Wire.CREATE | Wire.APPEND | Wire.ACKNOWLEDGE,
              sequence,
              m -> rule(m, table, sourcePort));
        });
  }

  /** Takes it away; ENOENT where there is none. */
  static Bytes taken(String table, long sequence) {
    return NftCodec.transaction(
        sequence,
        batch ->
            batch.message(
                DELETE_TABLE, Wire.REQUEST | Wire.ACKNOWLEDGE, sequence, m -> named(m, table)));
  }

  private static void named(Message m, String table) {
    NftCodec.header(m, SetId.INET);
    m.attribute(1, Bytes.text(table));
  }

  private static void owned(Message m, String table) {
    named(m, table);
    m.attributeBe(2, OWNER);
  }

  // NFTA_CHAIN_…, NFTA_HOOK_…
  private static void chain(Message m, String table) {
    named(m, table);
    m.attribute(3, Bytes.text(CHAIN));
    m.nested(4, hook -> hook.attributeBe(1, POSTROUTING).attributeBe(2, PRIORITY));
    m.attributeBe(5, ACCEPT);
    m.attribute(7, Bytes.text("filter"));
  }

  // NFTA_RULE_…
  private static void rule(Message m, String table, int sourcePort) {
    named(m, table);
    m.attribute(2, Bytes.text(CHAIN));
    m.nested(
        4,
        rule -> {
          expression(rule, "meta", e -> e.attributeBe(1, REGISTER).attributeBe(2, OIFNAME));
          compare(rule, UNEQUAL, Bytes.text("lo"), NAME);
          expression(rule, "meta", e -> e.attributeBe(1, REGISTER).attributeBe(2, L4PROTO));
          compare(rule, EQUAL, Bytes.of((byte) UDP), 1);
          expression(
              rule,
              "payload",
              e ->
                  e.attributeBe(1, REGISTER)
                      .attributeBe(2, TRANSPORT_HEADER)
                      .attributeBe(3, 0)
                      .attributeBe(4, 2));
          compare(rule, EQUAL, Bytes.of((byte) (sourcePort >>> 8), (byte) sourcePort), 2);
          expression(
              rule,
              "fib",
              e -> e.attributeBe(1, REGISTER).attributeBe(2, ADDRESS_TYPE).attributeBe(3, SOURCE));
          compare(rule, EQUAL, Bytes.int32(LOCAL), 4);
          expression(rule, "rt", e -> e.attributeBe(1, REGISTER).attributeBe(2, PROTECTED));
          compare(rule, EQUAL, Bytes.of((byte) 0), 1);
          expression(rule, "counter", e -> {});
          expression(
              rule,
              "immediate",
              e ->
                  e.attributeBe(1, VERDICT)
                      .nested(2, data -> data.nested(2, verdict -> verdict.attributeBe(1, DROP))));
        });
    m.attribute(7, comment());
  }

  /** As nft reads it (libnftnl, NFTNL_UDATA_RULE_COMMENT): a type, a length, a text. */
  private static Bytes comment() {
    byte[] text = Bytes.text(COMMENT).array();
    byte[] all = new byte[2 + text.length];
    all[1] = (byte) text.length;
    System.arraycopy(text, 0, all, 2, text.length);
    return Bytes.owning(all);
  }

  private static void compare(Message rule, int how, Bytes with, int length) {
    Bytes padded = Bytes.of(Arrays.copyOf(with.array(), length));
    expression(
        rule,
        "cmp",
        e ->
            e.attributeBe(1, REGISTER)
                .attributeBe(2, how)
                .nested(3, data -> data.attribute(1, padded)));
  }

  private static void expression(Message rule, String name, Consumer<Message> data) {
    rule.nested(1, e -> e.attribute(1, Bytes.text(name)).nested(2, data));
  }
}
