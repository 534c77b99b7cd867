package io.gatehouse.slowpath;

import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.NftCodec;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import java.util.List;
import java.util.OptionalLong;

/**
 * Decides about made-up packets with an engine that is thrown away: the first real one shall not
 * wait for classes to be loaded.
 */
final class WarmUp {
  private static final int ROUNDS = 20;

  /** From and to addresses that nobody has (RFC 5737); IKE_SA_INIT, and ESP. */
  private static final List<String> PACKETS =
      List.of(
          "450000380000000040110000c0000201c6336401"
              + "01f401f400240000"
              + "0102030405060708000000000000000021202208000000000000001c",
          "450000240000000040320000c0000201c6336401" + "01020304000000010000000000000000");

  private WarmUp() {}

  static void run(Plan plan) {
    Decider decider = new Decider(plan, 0);
    for (int round = 0; round < ROUNDS; round++) {
      for (String hex : PACKETS) {
        io.gatehouse.packet.Bytes raw = io.gatehouse.packet.Bytes.ofHex(hex);
        if (Packet.parse(raw) instanceof Ip packet) {
          for (boolean inbound : new boolean[] {false, true}) {
            Asked asked =
                new Asked(new QueuedPacket(0, round, true, Bytes.NONE), inbound, packet, raw);
            Step step = decider.asked(List.of(asked), round);
            NftCodec.batch(step.changes(), OptionalLong.empty(), round);
          }
        }
      }
      decider.tick(round);
    }
  }
}
