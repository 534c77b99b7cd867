package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Tcp;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Segments of control connections as the kernel queues them, and the maps that come of them. */
class ControlConnectionsTest {
  private static final Address A = Address.of("10.0.1.11");
  private static final Address B = Address.of("10.0.1.12");
  private static final Address STRANGER = Address.of("10.0.9.9");
  private static final Address REMOTE = Address.of("198.51.100.7");

  private static final Gateway GATEWAY = Descriptions.example("pptp-calls.yaml");
  private static final LiveMaps.OfCalls MAPS =
      LiveMaps.of(GATEWAY, Compiler.compile(GATEWAY).ruleset())
          .masquerade()
          .flatMap(LiveMaps.OfMasquerade::calls)
          .orElseThrow();

  private ControlConnections control = new ControlConnections(MAPS, 0);
  private final Map<String, Map<io.gatehouse.netlink.Bytes, SetElement>> kernel =
      new LinkedHashMap<>();
  private long id;

  private static Bytes segment(
      Address from, Address to, int sport, int dport, int sequence, int flags, byte[] data) {
    ByteBuffer raw = ByteBuffer.allocate(40 + data.length);
    raw.put((byte) 0x45).put((byte) 0).putShort((short) raw.capacity()).putInt(0);
    raw.put((byte) 64).put((byte) Ip.TCP).putShort((short) 0).put(from.bytes()).put(to.bytes());
    raw.putShort((short) sport).putShort((short) dport).putInt(sequence).putInt(0);
    raw.put((byte) 0x50).put((byte) flags).putShort((short) 8192).putInt(0).put(data);
    return Bytes.taking(raw.array());
  }

  private Step asked(Bytes raw, boolean inbound) {
    Ip packet = (Ip) Packet.parse(raw);
    QueuedPacket queued =
        new QueuedPacket(
            inbound ? 7171 : 7172,
            ++id,
            /* whole= */ true,
            io.gatehouse.netlink.Bytes.of(raw.toArray()));
    Step step =
        control.asked(new Asked(queued, inbound, packet, raw), (Tcp) packet.body(), id * 10);
    follow(step);
    assertThat(step.rulings()).hasSize(1);
    assertThat(step.rulings().getFirst().packet()).isEqualTo(queued);
    return step;
  }

  /** As the kernel does: what is not there cannot go, what is there cannot come. */
  private void follow(Step step) {
    for (ElementChange change : step.changes()) {
      Map<io.gatehouse.netlink.Bytes, SetElement> set =
          kernel.computeIfAbsent(change.set().name(), name -> new HashMap<>());
      SetElement before =
          switch (change) {
            case ElementChange.Add add -> set.put(add.element().key(), add.element());
            case ElementChange.Remove remove -> set.remove(remove.element().key());
          };
      assertThat(before == null).as("%s", change).isEqualTo(change instanceof ElementChange.Add);
    }
  }

  private List<SetElement> listed(String name) {
    return List.copyOf(kernel.getOrDefault(name, Map.of()).values());
  }

  private ControlConnections.Listed listed() {
    return new ControlConnections.Listed(
        listed("masq.calls"), listed("masq.call_ids"), listed("masq.called"));
  }

  /** A request for a call, behind the beginning of its connection; what the remote gets. */
  private Step request(Address host, int own) {
    byte[] start = HexFormat.of().parseHex("009c00011a2b3c4d00010000" + "00".repeat(144));
    asked(segment(host, REMOTE, 4000, 1723, 100, Tcp.ACK, start), false);
    return asked(segment(host, REMOTE, 4000, 1723, 256, Tcp.ACK, callRequest(own)), false);
  }

  private static byte[] callRequest(int own) {
    return HexFormat.of()
        .parseHex("00a800011a2b3c4d00070000%04x".formatted(own) + "00".repeat(154));
  }

  private static String hex(SetElement element) {
    return HexFormat.of().formatHex(element.key().array());
  }

  @Test
  void aCallIsTwoElementsBeforeItsRequestGoesOn() {
    Step first = request(A, 7);
    assertThat(first.rulings().getFirst().ruling()).isEqualTo(Ruling.ACCEPT);
    assertThat(first.rulings().getFirst().instead())
        .as("nothing is changed, but it goes on only where the maps were")
        .contains(segment(A, REMOTE, 4000, 1723, 256, Tcp.ACK, callRequest(7)));
    assertThat(listed("masq.calls"))
        .extracting(ControlConnectionsTest::hex)
        .containsExactly("c633640700070000");
    assertThat(listed("masq.call_ids")).hasSize(1);

    Step second = request(B, 7);
    Ip sent = (Ip) Packet.parse(second.rulings().getFirst().instead().orElseThrow());
    int told = ((Tcp) sent.body()).data().u16(12);
    assertThat(told).isNotEqualTo(7);
    assertThat(listed("masq.calls"))
        .extracting(ControlConnectionsTest::hex)
        .contains("c6336407%04x0000".formatted(told));
  }

  @Test
  void whoIsNoClientHasNoCalls() {
    byte[] start = HexFormat.of().parseHex("009c00011a2b3c4d00010000" + "00".repeat(144));

    Step step = asked(segment(STRANGER, REMOTE, 4000, 1723, 100, Tcp.ACK, start), false);

    assertThat(step.rulings().getFirst().ruling()).isEqualTo(Ruling.DROP);
    assertThat(control.status().connections()).isZero();
  }

  @Test
  void aSuccessorFindsWhatStandsAndPutsBackWhatIsMissing() {
    request(A, 7);
    request(B, 7);
    ControlConnections.Listed before = listed();
    control = new ControlConnections(MAPS, 1);
    control.recall(before, 0);
    assertThat(control.everything(before).changes()).as("all stands").isEmpty();
    assertThat(control.stand(before.hosts())).isTrue();
    assertThat(control.stand(before.hosts().subList(0, 1))).as("one is missing").isFalse();

    kernel.clear();
    follow(control.everything(listed()));
    assertThat(listed()).usingRecursiveComparison().ignoringCollectionOrder().isEqualTo(before);
  }

  @Test
  void whatStandsAndIsNobodysIsTakenOut() {
    request(A, 7);
    kernel.get("masq.call_ids").clear();
    control = new ControlConnections(MAPS, 1);
    control.recall(listed(), 0);

    follow(control.everything(listed()));
    assertThat(listed("masq.calls")).as("half a call").isEmpty();
    assertThat(control.status().calls()).isEmpty();
  }

  /** Bytes by lot, or by lot in messages; hosts, ports and numbers by lot. */
  @Test
  void whateverComesTheMapsHoldWhatStandsAndNothingElse() {
    for (long seed = 1; seed <= 8; seed++) {
      control = new ControlConnections(MAPS, seed);
      kernel.clear();
      SplittableRandom random = new SplittableRandom(seed);
      Map<Integer, Integer> sequences = new HashMap<>();
      for (int i = 0; i < 3_000; i++) {
        boolean inbound = random.nextBoolean();
        int host = random.nextInt(3);
        int port = 4000 + random.nextInt(3);
        int line = (host * 8 + port - 4000) * 2 + (inbound ? 1 : 0);
        byte[] data = random.nextInt(20) == 0 ? bytes(random) : messages(random);
        int sequence = sequences.getOrDefault(line, 0) - (random.nextInt(8) == 0 ? 40 : 0);
        int flags = random.nextInt(200) == 0 ? 1 << random.nextInt(3) : Tcp.ACK;
        Address inside = Address.v4(0x0a000100 + 11 + host);
        Bytes raw =
            inbound
                ? segment(REMOTE, inside, 1723, port, sequence, flags, data)
                : segment(inside, REMOTE, port, 1723, sequence, flags, data);
        Step step = asked(raw, inbound);
        if (step.rulings().getFirst().ruling() == Ruling.ACCEPT) {
          sequences.put(line, sequence + data.length);
        }
        if (flags != Tcp.ACK) {
          sequences.keySet().removeIf(known -> known / 2 == line / 2);
        }
      }
      assertThat(control.everything(listed()).changes()).as("seed %d", seed).isEmpty();
      assertThat(control.status().calls()).as("some stand").isNotEmpty();
      follow(control.tick(Long.MAX_VALUE / 2));
      assertThat(listed("masq.calls")).isEmpty();
      assertThat(listed("masq.call_ids")).isEmpty();
      assertThat(listed("masq.called")).isEmpty();
    }
  }

  private static byte[] bytes(SplittableRandom random) {
    byte[] data = new byte[random.nextInt(300)];
    random.nextBytes(data);
    return data;
  }

  private static byte[] messages(SplittableRandom random) {
    int[] lengths = {156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24};
    List<Byte> all = new ArrayList<>();
    for (int count = 1 + random.nextInt(2); count > 0; count--) {
      int type = random.nextInt(30) == 0 ? 4 : 7 + random.nextInt(9);
      byte[] data = new byte[lengths[type - 1]];
      byte[] head =
          HexFormat.of()
              .parseHex(
                  "%04x00011a2b3c4d%04x0000%04x%04x"
                      .formatted(
                          data.length, type, 1 + random.nextInt(12), 1 + random.nextInt(12)));
      System.arraycopy(head, 0, data, 0, 16);
      if (type == 8 || type == 10) {
        data[16] = (byte) (1 + random.nextInt(8) / 7);
      }
      for (byte one : data) {
        all.add(one);
      }
    }
    byte[] bytes = new byte[all.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = all.get(i);
    }
    return bytes;
  }
}
