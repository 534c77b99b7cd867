package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.masquerade.Wire;
import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Whatever the kernel queues: each packet is ruled about once, and copies go to clients alone. */
class AnyQueuedTest {
  private static final Prefix CLIENTS = Prefix.of("10.0.1.0/24");
  private static final Address PUBLIC = Address.of("203.0.113.2");

  private static final Decider.Learned NONE = new Decider.Learned(List.of(), List.of());

  private static final int HOSTS = 8;
  private static final int REMOTES = 4;

  @Test
  void eachPacketHasOneRulingInTheEnd() {
    long held = 0;
    for (long seed = 1; seed <= 10; seed++) {
      Run run = new Run(seed);
      run.steps(3_000);
      held += run.held;
    }
    assertThat(held).as("packets were held").isPositive();
  }

  private static final class Run {
    private final SplittableRandom random;
    private final Decider decider;

    /** What the kernel waits for: how often a packet that came was ruled about. */
    private final Map<Long, Integer> rulings = new HashMap<>();

    private long asked;
    private long copies;
    private long held;
    private long now;

    Run(long seed) {
      random = new SplittableRandom(seed);
      Gateway gateway = Descriptions.example("vpn-masquerade.yaml");
      decider =
          new Decider(
              Plan.of(gateway, LiveMaps.of(gateway, Compiler.compile(gateway).ruleset()))
                  .orElseThrow(),
              seed);
    }

    void steps(int count) {
      for (int i = 0; i < count; i++) {
        now += random.nextInt(20) == 0 ? random.nextInt(5_000) : random.nextInt(40);
        if (random.nextInt(10) > 0) {
          packet();
        } else {
          other();
        }
        held = Math.max(held, decider.waiting());
        assertThat(decider.waiting()).isLessThanOrEqualTo(Decider.ROOM);
        assertThat(rulings.size() + decider.waiting())
            .as("none is forgotten")
            .isEqualTo((int) asked);
      }
      now += 10_000;
      follow(decider.wake(now));
      assertThat(decider.waiting()).as("none waits for ever").isZero();
      assertThat(rulings).hasSize((int) asked);
      assertThat(copies).as("copies were made").isPositive();
      now += 3 * 65 * 60_000;
      follow(decider.tick(now));
      now += 2 * 65 * 60_000; // a zone rests before another host may have it
      follow(decider.giveBack(List.of(), now));
      assertThat(decider.status().bindings()).isEmpty();
      assertThat(decider.sessions()).isZero();
      assertThat(decider.hosts()).as("zones are given back").isZero();
    }

    private Address host() {
      // One of them is of no network.
      int host = random.nextInt(HOSTS);
      return Address.v4((host == 0 ? 0x0a000200 : 0x0a000100) + 11 + host);
    }

    private Address remote() {
      // One of them calls the server inside.
      int remote = random.nextInt(REMOTES);
      return Address.v4((remote == 0 ? 0xc6336400 : 0xc0000200) + 77 + remote);
    }

    private void packet() {
      boolean inbound = random.nextBoolean();
      Address from = inbound ? remote() : host();
      Address to = inbound ? PUBLIC : remote();
      byte[] raw = new byte[20 + 28 + 20 + random.nextInt(180)];
      random.nextBytes(raw);
      boolean esp = random.nextBoolean();
      raw[0] = 0x45;
      raw[2] = 0;
      raw[3] = (byte) raw.length;
      raw[6] = 0;
      raw[7] = 0;
      raw[8] = (byte) random.nextInt(4);
      raw[9] = (byte) (esp ? Ip.ESP : Ip.UDP);
      System.arraycopy(from.bytes(), 0, raw, 12, 4);
      System.arraycopy(to.bytes(), 0, raw, 16, 4);
      if (esp) {
        number(raw, 20, 0x1000 + random.nextInt(12), 4);
        number(raw, 24, 1 + random.nextInt(20), 4);
      } else {
        int length = raw.length - 28;
        HexFormat hex = HexFormat.of();
        System.arraycopy(hex.parseHex("01f401f4"), 0, raw, 20, 4);
        number(raw, 24, length + 8, 2);
        number(raw, 26, 0, 2);
        // Two cookies of each host's own, mostly: what another host has chosen is refused.
        number(
            raw,
            28,
            2 * (inbound ? random.nextInt(HOSTS) : from.low() & 15) + random.nextInt(3),
            8);
        number(raw, 36, random.nextInt(3) == 0 ? 0 : 7, 8);
        raw[44] = random.nextBoolean() ? (byte) 46 : 33;
        raw[45] = random.nextInt(4) == 0 ? (byte) 0x10 : 0x20;
        raw[46] = (byte) (random.nextInt(8) == 0 ? 32 : 34 + random.nextInt(4));
        raw[47] = random.nextBoolean() ? (byte) 0x20 : 8;
        number(raw, 48, random.nextInt(4), 4);
        number(raw, 52, length, 4);
        raw[56] = (byte) List.of(33, 35, 36, 41, 42).get(random.nextInt(5)).intValue();
        raw[57] = 0;
        number(raw, 58, length - 28, 2);
      }
      for (int n = random.nextInt(3) == 0 ? random.nextInt(4) : 0; n > 0; n--) {
        raw[random.nextInt(raw.length)] = (byte) random.nextInt();
      }
      Packet read = Packet.parse(io.gatehouse.packet.Bytes.copyOf(raw));
      Ip ip =
          read instanceof Ip parsed
              ? parsed
              : Wire.esp(from, to, random.nextInt(), random.nextInt());
      QueuedPacket queued = new QueuedPacket(inbound ? 7171 : 7172, ++asked, true, Bytes.NONE);
      follow(
          decider.asked(
              List.of(new Asked(queued, inbound, ip, io.gatehouse.packet.Bytes.copyOf(raw))), now));
    }

    private static void number(byte[] raw, int at, long value, int bytes) {
      for (int i = 0; i < bytes; i++) {
        raw[at + i] = (byte) (value >>> (8 * (bytes - 1 - i)));
      }
    }

    private void other() {
      switch (random.nextInt(4)) {
        case 0 -> follow(decider.release(host(), remote(), NONE, now));
        case 1 ->
            follow(decider.register(host(), remote(), 0x1000 + random.nextInt(12), now, why -> {}));
        case 2 -> follow(decider.tick(now));
        default -> follow(decider.wake(now));
      }
    }

    private void follow(Step step) {
      for (Step.Ruled ruled : step.rulings()) {
        assertThat(rulings.merge(ruled.packet().id(), 1, Integer::sum))
            .as("packet %d is ruled about once", ruled.packet().id())
            .isEqualTo(1);
        assertThat(ruled.ruling()).isIn(Ruling.ACCEPT, Ruling.DROP, Ruling.REPEAT);
      }
      for (Step.Copy copy : step.copies()) {
        copies++;
        assertThat(CLIENTS.contains(copy.host())).as("%s is a client", copy.host()).isTrue();
      }
    }
  }
}
