package io.gatehouse.vici;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.vici.Section.Item;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Bytes written out as the protocol's description has them, each a character here. */
class PacketCodecTest {
  private static final String MESSAGE =
      "\3\4key1\0\6value1"
          + "\1\10section1"
          + "\1\13sub-section\3\4key2\0\6value2\2"
          + "\4\5list1\5\0\5item1\5\0\5item2\6"
          + "\2";

  private static final Section READ = read();

  private static Section read() {
    Map<String, Item> inner = new LinkedHashMap<>();
    inner.put("sub-section", new Item.Nested(Section.of("key2", "value2")));
    inner.put("list1", new Item.Texts(List.of("item1", "item2")));
    Map<String, Item> outer = new LinkedHashMap<>();
    outer.put("key1", new Item.Text("value1"));
    outer.put("section1", new Item.Nested(new Section(inner)));
    return new Section(outer);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static void isBoth(String bytes, Packet packet) {
    assertThat(PacketCodec.read(bytes(bytes))).isEqualTo(packet);
    assertThat(PacketCodec.write(packet)).isEqualTo(bytes(bytes));
  }

  @Test
  void everyTypeIsWrittenAndReadAsDescribed() {
    isBoth("\0\10list-sas" + MESSAGE, new Packet.Request("list-sas", READ));
    isBoth("\1" + MESSAGE, new Packet.Response(READ));
    isBoth("\2", new Packet.UnknownCommand());
    isBoth("\3\7list-sa", new Packet.Register("list-sa"));
    isBoth("\4\7list-sa", new Packet.Unregister("list-sa"));
    isBoth("\5", new Packet.Confirmed());
    isBoth("\6", new Packet.UnknownEvent());
    isBoth("\7\7list-sa" + MESSAGE, new Packet.Event("list-sa", READ));
  }

  @ParameterizedTest
  @CsvSource({
    "a value twice,           '\\1\\3\\1k\\0\\1v\\3\\1k\\0\\1w', 7",
    "a section twice,         '\\1\\1\\1s\\2\\1\\1s\\2', 5",
    "a list in a list,        '\\1\\4\\1l\\4\\1m\\6\\6', 4",
    "a value in a list,       '\\1\\4\\1l\\3\\1k\\0\\1v\\6', 4",
    "an item without list,    '\\1\\5\\0\\1i', 1",
    "a section without end,   '\\1\\1\\1s', 4",
    "an end without section,  '\\1\\2', 1",
    "a list without end,      '\\1\\4\\1l\\5\\0\\1i', 8",
    "a text cut off,          '\\1\\3\\1k\\0\\7v', 6",
    "an unknown type,         '\\10', 0",
    "an unknown element,      '\\1\\7', 1",
    "bytes behind the end,    '\\5\\5', 1",
    "nothing,                 '', 0"
  })
  void whatCannotBeReadIsAValueWithItsPosition(String what, String escaped, int position) {
    assertThat(PacketCodec.read(bytes(escaped.translateEscapes())))
        .as(what)
        .isInstanceOfSatisfying(
            Packet.Malformed.class,
            malformed -> assertThat(malformed.position()).isEqualTo(position));
  }

  @Test
  void deepNestingTakesNoStack() {
    String deep = "\1" + "\1\1s".repeat(100_000) + "\2".repeat(100_000);

    assertThat(PacketCodec.read(bytes(deep))).isInstanceOf(Packet.Response.class);
  }

  @Test
  void nothingThatComesIsAnException() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    byte[] whole = bytes("\7\7list-sa" + MESSAGE);
    for (int i = 0; i < 50_000; i++) {
      byte[] spoilt = java.util.Arrays.copyOf(whole, random.nextInt(whole.length + 1));
      for (int times = random.nextInt(4); times > 0 && spoilt.length > 0; times--) {
        spoilt[random.nextInt(spoilt.length)] =
            (byte) random.nextInt(random.nextBoolean() ? 9 : 256);
      }
      if (PacketCodec.read(spoilt) instanceof Packet.Malformed malformed) {
        assertThat(malformed.position()).isBetween(0, spoilt.length);
      }
    }
  }
}
