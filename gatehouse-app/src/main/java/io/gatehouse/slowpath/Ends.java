package io.gatehouse.slowpath;

import io.gatehouse.model.Family;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.PacketQueue;
import io.gatehouse.netlink.PacketSender;
import java.util.Optional;

/**
 * What the slow path has open in the kernel for one plan, or why it has not got all of it.
 *
 * @param own there where this host speaks IPsec itself
 * @param why there where something else is missing
 */
record Ends(
    Optional<Kernel> kernel,
    Optional<PacketQueue> queue,
    Optional<PacketSender> sender,
    Optional<MapReader> reader,
    Optional<OwnSas> own,
    Optional<String> why)
    implements AutoCloseable {

  static Ends open(Plan plan) {
    int number = plan.queue();
    Optional<Kernel> kernel = Optional.empty();
    Optional<PacketQueue> queue = Optional.empty();
    Optional<PacketSender> sender = Optional.empty();
    Optional<MapReader> reader = Optional.empty();
    Optional<OwnSas> own = Optional.empty();
    Optional<String> why = Optional.empty();
    switch (Kernel.open()) {
      case Answer.Told<Kernel>(Kernel told) -> kernel = Optional.of(told);
      case Answer.Failed<Kernel>(Failure failure) -> why = Optional.of("netlink: " + failure);
    }
    switch (MapReader.open(plan.maps())) {
      case Answer.Told<MapReader>(MapReader told) -> reader = Optional.of(told);
      case Answer.Failed<MapReader>(Failure failure) -> why = Optional.of("netlink: " + failure);
    }
    switch (PacketQueue.open(number, 2)) {
      case Answer.Told<PacketQueue>(PacketQueue told) -> queue = Optional.of(told);
      case Answer.Failed<PacketQueue>(Failure failure) ->
          why = Optional.of("NFQUEUE " + number + " and the next: " + failure);
    }
    switch (PacketSender.open(Family.V4)) {
      case Answer.Told<PacketSender>(PacketSender told) -> sender = Optional.of(told);
      case Answer.Failed<PacketSender>(Failure failure) ->
          why = Optional.of("a raw socket: " + failure);
    }
    if (kernel.isPresent() && plan.maps().own().isPresent()) {
      switch (OwnSas.open(kernel.get())) {
        case Answer.Told<OwnSas>(OwnSas told) -> own = Optional.of(told);
        case Answer.Failed<OwnSas>(Failure failure) ->
            why = Optional.of("events of xfrm: " + failure);
      }
    }
    return new Ends(kernel, queue, sender, reader, own, why);
  }

  @Override
  public void close() {
    queue.ifPresent(PacketQueue::close);
    own.ifPresent(OwnSas::close);
    sender.ifPresent(PacketSender::close);
    reader.ifPresent(MapReader::close);
    kernel.ifPresent(Kernel::close);
  }
}
