package io.gatehouse.probe;

import io.gatehouse.model.Family;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.PacketSender;
import io.gatehouse.netlink.PacketTap;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Packet;
import java.time.Duration;
import java.util.Optional;

/** Raw sockets of this host; they need CAP_NET_RAW. */
public final class RawWire implements Probe.Wire, AutoCloseable {
  private static final int KEPT = 2048;

  private final PacketSender sender;
  private final PacketTap tap;

  private RawWire(PacketSender sender, PacketTap tap) {
    this.sender = sender;
    this.tap = tap;
  }

  /** Opens them for a family, or says why not. */
  public static Answer<RawWire> open(Family family) {
    return switch (PacketSender.open(family)) {
      case Answer.Failed<PacketSender>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<PacketSender>(PacketSender sender) ->
          switch (PacketTap.open(0, KEPT)) {
            case Answer.Failed<PacketTap>(Failure why) -> {
              sender.close();
              yield new Answer.Failed<>(why);
            }
            case Answer.Told<PacketTap>(PacketTap tap) ->
                new Answer.Told<>(new RawWire(sender, tap));
          };
    };
  }

  /** What cannot be sent (a rule of this host's own, no route) is silence like all else. */
  @Override
  public void send(byte[] packet) {
    sender.send(io.gatehouse.netlink.Bytes.of(packet));
  }

  @Override
  public Optional<Packet> receive(Duration limit) {
    return tap.receive(limit)
        .map(seen -> Packet.parseBeginning(Bytes.taking(seen.bytes().array())));
  }

  @Override
  public void close() {
    sender.close();
    tap.close();
  }
}
