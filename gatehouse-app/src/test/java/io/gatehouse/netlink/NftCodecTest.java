package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.netlink.SetElement.Data;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class NftCodecTest {
  private static final SetId GROUPS = SetId.inet("gatehouse", "in_staff.groups4");
  private static final SetId ZONES = SetId.inet("gatehouse", "zones");
  private static final SetElement FINANCE =
      SetElement.of(
          Bytes.of((byte) 10, (byte) 0, (byte) 3, (byte) 9),
          new Data.Verdict(Data.Verdict.GOTO, Optional.of("in_staff.finance")));
  private static final SetElement ZONE =
      SetElement.of(Bytes.int32(7), new Data.Value(Bytes.int16(0x1007)));
  private static final SetElement RANGE =
      new SetElement(
          Bytes.int32(1),
          Optional.of(Bytes.int32(9)),
          Optional.empty(),
          SetElement.INTERVAL_END,
          Optional.of(Duration.ofSeconds(90)),
          Optional.empty());
  private static final SetElement TIMED =
      SetElement.of(Bytes.int32(8), new Data.Value(Bytes.int16(0x8001)))
          .lasting(Duration.ofMinutes(65));

  private static List<NftMessage> read(Bytes batch) {
    return Framing.frames(batch).stream()
        .map(frame -> NftCodec.read((Frame.Content) frame))
        .toList();
  }

  @Test
  void whatABatchWritesIsWhatTheReaderReads() {
    Bytes batch =
        NftCodec.batch(
            List.of(
                new ElementChange.Remove(ZONES, ZONE),
                new ElementChange.Add(GROUPS, FINANCE),
                new ElementChange.Add(ZONES, RANGE),
                new ElementChange.Add(ZONES, TIMED)),
            OptionalLong.empty(),
            3);

    assertThat(read(batch))
        .filteredOn(NftMessage.Elements.class::isInstance)
        .containsExactly(
            new NftMessage.Elements(ZONES, List.of(ZONE), true),
            new NftMessage.Elements(GROUPS, List.of(FINANCE), false),
            new NftMessage.Elements(ZONES, List.of(RANGE, TIMED), false));
  }

  @Test
  void aBatchBeginsEndsAndIsAcknowledgedOnce() {
    List<ElementChange> many = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.add(
          new ElementChange.Add(
              ZONES, SetElement.of(Bytes.int32(i), new Data.Value(Bytes.int16(i)))));
    }

    List<Frame.Content> frames =
        Framing.frames(NftCodec.batch(many, OptionalLong.of(0x01020304), 3)).stream()
            .map(Frame.Content.class::cast)
            .toList();

    assertThat(frames.getFirst().type()).isEqualTo(0x10);
    assertThat(Attributes.of(frames.getFirst().body().from(4)).find(1))
        .contains(Bytes.of((byte) 1, (byte) 2, (byte) 3, (byte) 4));
    assertThat(frames.getLast().type()).isEqualTo(0x11);
    assertThat(frames)
        .filteredOn(frame -> (frame.flags() & Wire.ACKNOWLEDGE) != 0)
        .containsExactly(frames.get(frames.size() - 2));
    assertThat(
            frames.stream()
                .map(NftCodec::read)
                .filter(NftMessage.Elements.class::isInstance)
                .flatMap(m -> ((NftMessage.Elements) m).elements().stream()))
        .containsExactlyElementsOf(many.stream().map(ElementChange::element).toList());
  }

  @Test
  void chainsOfTheLongestNamesFitIntoABatch() {
    Data.Verdict far = new Data.Verdict(Data.Verdict.GOTO, Optional.of("c".repeat(127)));
    List<ElementChange> many = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      Bytes six = Bytes.of(new byte[16]);
      many.add(new ElementChange.Add(GROUPS, SetElement.of(six, far)));
    }

    assertThat(read(NftCodec.batch(many, OptionalLong.empty(), 1))).hasSizeGreaterThan(3);
  }

  @Test
  void aGenerationSaysWhoMadeIt() {
    Bytes told =
        new Message()
            .message(
                10 << 8 | 15,
                0,
                0,
                m -> {
                  m.u32(0);
                  m.attributeBe(1, 99);
                  m.attributeBe(2, 4711);
                  m.attribute(3, Bytes.text("nft"));
                })
            .done();

    assertThat(read(told)).containsExactly(new NftMessage.Generation(99, 4711));
  }

  @Test
  void whatIsNoElementIsAValueWithItsPosition() {
    Bytes data =
        new Message()
            .message(
                10 << 8 | 12,
                0,
                0,
                m -> {
                  m.u32(1);
                  m.attribute(1, Bytes.text("gatehouse"));
                  m.attribute(2, Bytes.text("zones"));
                  m.nested(
                      3, l -> l.nested(1, e -> e.nested(2, d -> d.attribute(9, Bytes.int32(1)))));
                })
            .done();

    assertThat(read(data))
        .singleElement()
        .isInstanceOfSatisfying(
            Unreadable.class, fault -> assertThat(fault.position()).isBetween(50, data.length()));
    assertThat(NftCodec.read(new Frame.Content(10 << 8 | 12, 0, 0, Bytes.int16(1))))
        .isInstanceOf(Unreadable.class);
    assertThat(NftCodec.read(new Frame.Content(10 << 8 | 77, 0, 0, Bytes.int32(1))))
        .isEqualTo(new Unknown(10 << 8 | 77, 0));
  }

  @Test
  void aListThatTellsAnElementTwiceIsTorn() {
    SetElement one = SetElement.of(Bytes.of(new byte[] {10, 0, 0, 1}));
    SetElement other = SetElement.of(Bytes.of(new byte[] {10, 0, 0, 2}));
    assertThat(SetElement.isTorn(List.of(one, other, one))).isTrue();
    assertThat(SetElement.isTorn(List.of(one, other))).isFalse();
    // Its time runs while the list is read.
    assertThat(SetElement.isTorn(List.of(one, one.lasting(Duration.ofSeconds(3))))).isTrue();
  }

  @Test
  void whereOneRangeEndsTheNextMayBegin() {
    SetElement begins = SetElement.of(Bytes.of(new byte[] {10, 0, 0, 8}));
    SetElement ends =
        new SetElement(
            begins.key(),
            Optional.empty(),
            Optional.empty(),
            SetElement.INTERVAL_END,
            Optional.empty(),
            Optional.empty());
    assertThat(SetElement.isTorn(List.of(ends, begins))).isFalse();
  }
}
