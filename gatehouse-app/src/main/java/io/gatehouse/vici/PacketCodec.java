package io.gatehouse.vici;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.vici.Section.Item;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * VICI's packets without the length in front (strongSwan, src/libcharon/plugins/vici/README.md).
 */
final class PacketCodec {
  /** The longest packet that charon sends or takes, in bytes. */
  static final int LONGEST = 512 * 1024;

  private static final int SECTION_START = 1;
  private static final int SECTION_END = 2;
  private static final int KEY_VALUE = 3;
  private static final int LIST_START = 4;
  private static final int LIST_ITEM = 5;
  private static final int LIST_END = 6;

  private PacketCodec() {}

  /** Its bytes, the type first. */
  static byte[] write(Packet packet) {
    Output out = new Output();
    switch (packet) {
      case Packet.Request(String command, Section message) ->
          out.u8(0).name(command).section(message);
      case Packet.Response(Section message) -> out.u8(1).section(message);
      case Packet.UnknownCommand unknown -> out.u8(2);
      case Packet.Register(String event) -> out.u8(3).name(event);
      case Packet.Unregister(String event) -> out.u8(4).name(event);
      case Packet.Confirmed confirmed -> out.u8(5);
      case Packet.UnknownEvent unknown -> out.u8(6);
      case Packet.Event(String name, Section message) -> out.u8(7).name(name).section(message);
      case Packet.Malformed malformed ->
          throw new IllegalArgumentException("nobody writes what cannot be read");
    }
    return out.bytes.toByteArray();
  }

  private static final class Output {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Output u8(int value) {
      bytes.write(value);
      return this;
    }

    Output name(String name) {
      byte[] text = name.getBytes(UTF_8);
      if (text.length > 255) {
        throw new IllegalArgumentException("a name of " + text.length + " bytes");
      }
      u8(text.length).bytes.writeBytes(text);
      return this;
    }

    Output value(String value) {
      byte[] text = value.getBytes(UTF_8);
      if (text.length > 0xffff) {
        throw new IllegalArgumentException("a value of " + text.length + " bytes");
      }
      u8(text.length >>> 8).u8(text.length).bytes.writeBytes(text);
      return this;
    }

    Output section(Section section) {
      section
          .items()
          .forEach((name, item) -> {
            switch (item) {
              case Item.Text(String value) -> u8(KEY_VALUE).name(name).value(value);
              case Item.Texts(List<String> values) -> {
                u8(LIST_START).name(name);
                values.forEach(value -> u8(LIST_ITEM).value(value));
                u8(LIST_END);
              }
              case Item.Nested(Section nested) ->
                  u8(SECTION_START).name(name).section(nested).u8(SECTION_END);
            }
          });
      return this;
    }
  }

  /** Reads a packet that is whole. */
  static Packet read(byte[] bytes) {
    Input in = new Input(bytes);
    try {
      int type = in.u8();
      Packet packet =
          switch (type) {
            case 0 -> new Packet.Request(in.text(in.u8()), message(in));
            case 1 -> new Packet.Response(message(in));
            case 2 -> new Packet.UnknownCommand();
            case 3 -> new Packet.Register(in.text(in.u8()));
            case 4 -> new Packet.Unregister(in.text(in.u8()));
            case 5 -> new Packet.Confirmed();
            case 6 -> new Packet.UnknownEvent();
            case 7 -> new Packet.Event(in.text(in.u8()), message(in));
            default -> throw new Wrong(0, "no packet of type " + type);
          };
      return in.at == bytes.length
          ? packet
          : new Packet.Malformed(in.at, (bytes.length - in.at) + " bytes too many");
    } catch (Wrong wrong) {
      return new Packet.Malformed(wrong.position, wrong.why);
    }
  }

  /** Ends a reading; it never leaves this class. */
  @SuppressWarnings("serial")
  private static final class Wrong extends Exception {
    private final int position;
    private final String why;

    Wrong(int position, String why) {
      super(why, null, false, false);
      this.position = position;
      this.why = why;
    }
  }

  private static final class Input {
    private final byte[] bytes;
    private int at;

    Input(byte[] bytes) {
      this.bytes = bytes;
    }

    int u8() throws Wrong {
      if (at >= bytes.length) {
        throw new Wrong(at, "it is cut off");
      }
      return bytes[at++] & 0xff;
    }

    int u16() throws Wrong {
      return u8() << 8 | u8();
    }

    String text(int length) throws Wrong {
      if (length > bytes.length - at) {
        throw new Wrong(at, length + " bytes of text in " + (bytes.length - at));
      }
      at += length;
      return new String(bytes, at - length, length, UTF_8);
    }
  }

  /**
   * Sections that are open, not a recursion: whoever nests deeply takes our memory, not our stack.
   */
  private static Section message(Input in) throws Wrong {
    Deque<Map<String, Item>> open = new ArrayDeque<>();
    Deque<String> names = new ArrayDeque<>();
    Map<String, Item> current = new LinkedHashMap<>();
    while (in.at < in.bytes.length) {
      int position = in.at;
      switch (in.u8()) {
        case SECTION_START -> {
          String name = in.text(in.u8());
          unique(current, name, position);
          names.push(name);
          open.push(current);
          current = new LinkedHashMap<>();
        }
        case SECTION_END -> {
          if (open.isEmpty()) {
            throw new Wrong(position, "a section ends that did not begin");
          }
          Map<String, Item> outer = open.pop();
          outer.put(names.pop(), new Item.Nested(new Section(current)));
          current = outer;
        }
        case KEY_VALUE -> {
          String name = in.text(in.u8());
          unique(current, name, position);
          current.put(name, new Item.Text(in.text(in.u16())));
        }
        case LIST_START -> {
          String name = in.text(in.u8());
          unique(current, name, position);
          current.put(name, new Item.Texts(list(in)));
        }
        default -> throw new Wrong(position, "no element may begin so here");
      }
    }
    if (!open.isEmpty()) {
      throw new Wrong(in.at, "a section does not end");
    }
    return new Section(current);
  }

  /** Names are unique: of two, each reader would believe another. */
  private static void unique(Map<String, Item> section, String name, int position) throws Wrong {
    if (section.containsKey(name)) {
      throw new Wrong(position, "a name stands twice in its section");
    }
  }

  /** Lists hold texts only, no lists. */
  private static List<String> list(Input in) throws Wrong {
    List<String> values = new ArrayList<>();
    while (true) {
      int position = in.at;
      switch (in.u8()) {
        case LIST_ITEM -> values.add(in.text(in.u16()));
        case LIST_END -> {
          return values;
        }
        default -> throw new Wrong(position, "in a list only its items may stand");
      }
    }
  }
}
