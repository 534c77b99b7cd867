package io.gatehouse.netlink;

import io.gatehouse.netlink.SetElement.Data;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/** nftables' messages (linux/netfilter/nfnetlink.h, nf_tables.h). */
public final class NftCodec {
  /** The multicast group in which every change of nftables is told. */
  public static final int GROUP = 7;

  private static final int SUBSYSTEM = 10;
  private static final int BATCH_BEGIN = 0x10;
  private static final int BATCH_END = 0x11;
  private static final int BATCH_GENERATION = 1;

  private static final int NEW_TABLE = type(0);
  private static final int DELETE_TABLE = type(2);
  private static final int NEW_ELEMENTS = type(12);
  private static final int GET_ELEMENTS = type(13);
  private static final int DELETE_ELEMENTS = type(14);
  private static final int NEW_GENERATION = type(15);
  private static final int GET_GENERATION = type(16);

  // NFTA_SET_ELEM_LIST_…
  private static final int LIST_TABLE = 1;
  private static final int LIST_SET = 2;
  private static final int LIST_ELEMENTS = 3;
  private static final int ELEMENT = 1;

  // NFTA_SET_ELEM_…
  private static final int KEY = 1;
  private static final int DATA = 2;
  private static final int FLAGS = 3;
  private static final int TIMEOUT = 4;
  private static final int EXPIRATION = 5;
  private static final int KEY_END = 10;

  // NFTA_DATA_…, NFTA_VERDICT_…
  private static final int VALUE = 1;
  private static final int VERDICT = 2;
  private static final int CODE = 1;
  private static final int CHAIN = 2;

  private static final int GENERATION_NUMBER = 1;
  private static final int GENERATION_PROCESS = 2;

  /** struct nfgenmsg: family, version, resource. */
  private static final int HEADER = 4;

  /** Elements in one attribute at most, each far below 128 bytes: its length has 16 bits. */
  private static final int TOGETHER = 256;

  private NftCodec() {}

  /** The number of a message of nf_tables.h. */
  static int type(int message) {
    return SUBSYSTEM << 8 | message;
  }

  /** Asks for all elements of a set. */
  public static Bytes list(SetId set, long sequence) {
    return new Message()
        .message(
            GET_ELEMENTS,
            Wire.REQUEST | Wire.DUMP,
            sequence,
            m -> {
              header(m, set.family());
              m.attribute(LIST_TABLE, Bytes.text(set.table()));
              m.attribute(LIST_SET, Bytes.text(set.name()));
            })
        .done();
  }

  /** Asks for the generation. */
  public static Bytes generation(long sequence) {
    return new Message()
        .message(GET_GENERATION, Wire.REQUEST, sequence, m -> header(m, Wire.ANY))
        .done();
  }

  /**
   * Changes that happen at once or not at all, in their order. The last is acknowledged; all bear
   * the same sequence number.
   *
   * @param changes never empty
   * @param generation the kernel refuses with ERESTART where another stands
   */
  public static Bytes batch(
      List<? extends ElementChange> changes, OptionalLong generation, long sequence) {
    return transaction(
        generation,
        sequence,
        batch -> {
          int from = 0;
          while (from < changes.size()) {
            int to = from + 1;
            while (to < changes.size() && to - from < TOGETHER && alike(changes, from, to)) {
              to++;
            }
            write(batch, changes.subList(from, to), to == changes.size(), sequence);
            from = to;
          }
        });
  }

  /** What happens at once or not at all, whatever the generation. */
  static Bytes transaction(long sequence, Consumer<Message> content) {
    return transaction(OptionalLong.empty(), sequence, content);
  }

  private static Bytes transaction(
      OptionalLong generation, long sequence, Consumer<Message> content) {
    Message batch = new Message();
    batch.message(
        BATCH_BEGIN,
        Wire.REQUEST,
        sequence,
        m -> {
          m.u8(0).u8(0).u16be(SUBSYSTEM);
          generation.ifPresent(number -> m.attributeBe(BATCH_GENERATION, number));
        });
    content.accept(batch);
    batch.message(BATCH_END, Wire.REQUEST, sequence, m -> m.u8(0).u8(0).u16be(SUBSYSTEM));
    return batch.done();
  }

  private static boolean alike(List<? extends ElementChange> changes, int first, int other) {
    ElementChange one = changes.get(first);
    ElementChange two = changes.get(other);
    return one.getClass() == two.getClass() && one.set().equals(two.set());
  }

  private static void write(
      Message batch, List<? extends ElementChange> changes, boolean last, long sequence) {
    ElementChange first = changes.getFirst();
    int type = first instanceof ElementChange.Add ? NEW_ELEMENTS : DELETE_ELEMENTS;
    int flags =
        Wire.REQUEST
            | (first instanceof ElementChange.Add ? Wire.CREATE : 0)
            | (last ? Wire.ACKNOWLEDGE : 0);
    batch.message(
        type,
        flags,
        sequence,
        m -> {
          header(m, first.set().family());
          m.attribute(LIST_TABLE, Bytes.text(first.set().table()));
          m.attribute(LIST_SET, Bytes.text(first.set().name()));
          m.nested(
              LIST_ELEMENTS,
              list ->
                  changes.forEach(change -> list.nested(ELEMENT, e -> write(e, change.element()))));
        });
  }

  private static void write(Message m, SetElement element) {
    if (element.flags() != 0) {
      m.attributeBe(FLAGS, element.flags());
    }
    element.timeout().ifPresent(time -> m.attribute(TIMEOUT, Bytes.int64be(time.toMillis())));
    m.nested(KEY, key -> key.attribute(VALUE, element.key()));
    element.keyEnd().ifPresent(end -> m.nested(KEY_END, key -> key.attribute(VALUE, end)));
    element
        .data()
        .ifPresent(data ->
            m.nested(
                DATA,
                d -> {
                  switch (data) {
                    case Data.Value value -> d.attribute(VALUE, value.bytes());
                    case Data.Verdict verdict ->
                        d.nested(
                            VERDICT,
                            v -> {
                              v.attributeBe(CODE, verdict.code());
                              verdict
                                  .chain()
                                  .ifPresent(chain -> v.attribute(CHAIN, Bytes.text(chain)));
                            });
                  }
                }));
  }

  /** struct nfgenmsg, for a family; NFPROTO_…. */
  static void header(Message m, int family) {
    m.u8(family).u8(0).u16be(0);
  }

  /** Reads a message of nfnetlink. */
  public static NftMessage read(Frame.Content frame) {
    Bytes body = frame.body();
    if (body.length() < HEADER) {
      return new Unreadable(body.position(), "nfnetlink's header is cut off");
    }
    Attributes attributes = Attributes.of(body.from(HEADER));
    if (attributes.fault().isPresent()) {
      return attributes.fault().get();
    }
    int family = body.u8(0);
    int type = frame.type();
    if (type == NEW_ELEMENTS || type == DELETE_ELEMENTS) {
      return elements(body, family, attributes, type == DELETE_ELEMENTS);
    } else if (type == NEW_GENERATION) {
      return attributes
          .find(GENERATION_NUMBER, 4)
          .<NftMessage>map(number ->
              new NftMessage.Generation(
                  number.u32be(0),
                  attributes.find(GENERATION_PROCESS, 4).map(p -> p.u32be(0)).orElse(0L)))
          .orElseGet(() -> new Unreadable(body.position(), "a generation without number"));
    } else if (type == NEW_TABLE || type == DELETE_TABLE) {
      return attributes
          .find(LIST_TABLE)
          .<NftMessage>map(
              name -> new NftMessage.OfTable(family, name.text(), type == DELETE_TABLE))
          .orElseGet(() -> new Unreadable(body.position(), "a table without name"));
    }
    // Whatever is in a table names it by the attribute of this number.
    return type >>> 8 == SUBSYSTEM && attributes.find(LIST_TABLE).isPresent()
        ? new NftMessage.InTable(family, attributes.find(LIST_TABLE).map(Bytes::text).orElse(""))
        : new Unknown(type, body.position());
  }

  private static NftMessage elements(Bytes body, int family, Attributes attributes, boolean gone) {
    Optional<Bytes> table = attributes.find(LIST_TABLE);
    Optional<Bytes> set = attributes.find(LIST_SET);
    if (table.isEmpty() || set.isEmpty()) {
      return new Unreadable(body.position(), "elements of no set");
    }
    List<SetElement> elements = new ArrayList<>();
    Optional<Bytes> listed = attributes.find(LIST_ELEMENTS);
    if (listed.isPresent()) {
      Attributes list = Attributes.of(listed.get());
      if (list.fault().isPresent()) {
        return list.fault().get();
      }
      for (Attributes.Attribute each : list.all()) {
        switch (element(each.value())) {
          case Read.Element read -> elements.add(read.element());
          case Read.Fault fault -> {
            return fault.what();
          }
        }
      }
    }
    return new NftMessage.Elements(
        new SetId(family, table.get().text(), set.get().text()), elements, gone);
  }

  /** An element, or what is wrong with it. */
  private sealed interface Read {
    record Element(SetElement element) implements Read {}

    record Fault(Unreadable what) implements Read {}
  }

  private static Read element(Bytes bytes) {
    Attributes attributes = Attributes.of(bytes);
    Optional<Bytes> key = attributes.find(KEY).flatMap(NftCodec::value);
    if (attributes.fault().isPresent()) {
      return new Read.Fault(attributes.fault().get());
    }
    // The element for everything else (NFT_SET_ELEM_CATCHALL) has no key.
    Optional<Bytes> data = attributes.find(DATA);
    Optional<Data> held = data.flatMap(NftCodec::data);
    if (data.isPresent() && held.isEmpty()) {
      return new Read.Fault(new Unreadable(data.get().position(), "no data that we know"));
    }
    return new Read.Element(
        new SetElement(
            key.orElse(Bytes.NONE),
            attributes.find(KEY_END).flatMap(NftCodec::value),
            held,
            attributes.find(FLAGS, 4).map(flags -> flags.u32be(0)).orElse(0L),
            time(attributes, TIMEOUT),
            time(attributes, EXPIRATION)));
  }

  private static Optional<Duration> time(Attributes attributes, int type) {
    return attributes.find(type, 8).map(time -> Duration.ofMillis(Math.max(0, time.u64be(0))));
  }

  private static Optional<Bytes> value(Bytes data) {
    return Attributes.of(data).find(VALUE);
  }

  private static Optional<Data> data(Bytes bytes) {
    Attributes attributes = Attributes.of(bytes);
    Optional<Bytes> value = attributes.find(VALUE);
    if (value.isPresent()) {
      return value.map(Data.Value::new);
    }
    return attributes
        .find(VERDICT)
        .map(Attributes::of)
        .flatMap(verdict ->
            verdict
                .find(CODE, 4)
                .map(code ->
                    new Data.Verdict((int) code.u32be(0), verdict.find(CHAIN).map(Bytes::text))));
  }
}
