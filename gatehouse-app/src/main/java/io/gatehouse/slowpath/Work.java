package io.gatehouse.slowpath;

import io.gatehouse.masquerade.Reason;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.PacketQueue;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.PacketSender;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Tcp;
import io.gatehouse.ruleset.NftSet;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The work for one plan: what {@link Decider} says is done in the kernel. */
final class Work {
  /** Between looks at what the kernel has used, and at what is over; milliseconds. */
  private static final long PERIOD = 1_000;

  /** A processor's time that looks may take, at most: one part of so many. */
  private static final long SHARE = 20;

  /** Every link carries that much (RFC 791: 576; Ethernet and what is made of it: more). */
  private static final int PART = 1280;

  private static final int TOO_LONG = 90;

  private final Plan plan;
  private final Kernel kernel;
  private final PacketQueue queue;
  private final PacketSender sender;
  private final MapReader reader;
  private final Optional<OwnSas> own;
  private final Supplier<Set<SlowPath.OwnIke>> ownIke;
  private final LongSupplier clock;
  private final Consumer<String> say;
  private final Decider decider;
  private final Optional<ControlConnections> control;
  private final MapWriter maps;
  private long look;
  private long began;

  /**
   * @param ownIke this host's own, as far as they are known now
   * @param clock milliseconds that never go back
   * @param say for whoever runs this
   */
  Work(
      Plan plan,
      Ends ends,
      Supplier<Set<SlowPath.OwnIke>> ownIke,
      LongSupplier clock,
      Consumer<String> say) {
    this.say = say;
    this.plan = plan;
    this.ownIke = ownIke;
    this.clock = clock;
    kernel = ends.kernel().orElseThrow();
    queue = ends.queue().orElseThrow();
    sender = ends.sender().orElseThrow();
    reader = ends.reader().orElseThrow();
    own = ends.own();
    decider = new Decider(plan, new SecureRandom().nextLong());
    control =
        plan.maps().calls().map(of -> new ControlConnections(of, new SecureRandom().nextLong()));
    maps = new MapWriter(changes -> kernel.change(changes, OptionalLong.empty()));
  }

  private long now() {
    return clock.getAsLong();
  }

  /**
   * Takes over what stands.
   *
   * @return why it cannot: what is not known may be given to somebody else
   */
  Optional<String> begin() {
    WarmUp.run(plan);
    return switch (Standing.read(plan.maps(), this::list)) {
      case Answer.Failed<Standing>(Failure why) -> Optional.of("its maps cannot be read: " + why);
      case Answer.Told<Standing>(Standing listed) -> {
        decider.recall(listed, now());
        own.flatMap(OwnSas::changed).ifPresent(decider::own); // what it changes, the next line does
        execute(decider.everything(listed));
        control.ifPresent(of -> {
          of.recall(listed.calls(), now());
          execute(of.everything(listed.calls()));
        });
        look = now() + PERIOD;
        yield Optional.empty();
      }
    };
  }

  private Answer<List<SetElement>> list(NftSet set) {
    return kernel.elements(Elements.id(set));
  }

  /**
   * Waits for packets and decides them, and does what is due.
   *
   * @param longest that it may wait
   * @return why there is nothing more to come; empty where there is
   */
  Optional<String> once(Duration longest) {
    long untilDue = decider.due().map(due -> Math.max(0, due - now())).orElse(PERIOD);
    switch (queue.next(Duration.ofMillis(Math.min(longest.toMillis(), untilDue)))) {
      case Answer.Failed<List<QueuedPacket>>(Failure why) -> {
        return Optional.of("NFQUEUE: " + why);
      }
      case Answer.Told<List<QueuedPacket>>(List<QueuedPacket> packets) -> {
        own.flatMap(OwnSas::changed).ifPresent(all -> execute(decider.own(all)));
        decider.ownIke(ownIke.get());
        // One after the other: each may change what the next one meets.
        packets.forEach(packet -> execute(asked(packet)));
      }
    }
    long time = now();
    if (decider.due().filter(due -> due <= time).isPresent()) {
      execute(decider.wake(time));
    }
    reader.taken().ifPresent(listing -> looked(listing, time));
    if (time >= look && !reader.isUnderWay()) {
      began = time;
      decider.note();
      reader.begin(decider.someAreIdle(time));
      execute(decider.tick(time));
      control.ifPresent(of -> execute(of.tick(time)));
    }
    return Optional.empty();
  }

  private Step asked(QueuedPacket queued) {
    io.gatehouse.packet.Bytes raw = io.gatehouse.packet.Bytes.copyOf(queued.payload().array());
    if (queued.whole() && Packet.parse(raw) instanceof Ip packet) {
      Asked asked = new Asked(queued, queued.queue() == plan.queue(), packet, raw);
      if (packet.body() instanceof Tcp tcp && control.isPresent()) {
        return control.get().asked(asked, tcp, now());
      }
      return decider.asked(List.of(asked), now());
    }
    Step step = new Step();
    step.rule(queued, Ruling.DROP);
    return step;
  }

  private void looked(Answer<MapReader.Listing> answer, long time) {
    look = Math.max(began + PERIOD, time + (time - began) * SHARE);
    boolean stands = false;
    if (answer instanceof Answer.Told<MapReader.Listing>(MapReader.Listing listing)) {
      stands =
          decider.seen(listing.zones(), listing.spis(), began)
              && control.map(of -> of.stand(listing.calls())).orElse(true);
      if (listing.ofSenders()) {
        execute(decider.giveBack(listing.sent(), time));
      }
    }
    if (!stands || maps.isDoubtful()) {
      restore();
    }
  }

  private void restore() {
    switch (Standing.read(plan.maps(), this::list)) {
      case Answer.Failed<Standing>(Failure why) -> maps.doubt("its maps cannot be read: " + why);
      case Answer.Told<Standing>(Standing listed) -> {
        maps.trust();
        execute(decider.everything(listed));
        control.ifPresent(of -> execute(of.everything(listed.calls())));
      }
    }
  }

  /** Maps first: a packet that comes again must find them. */
  private void execute(Step step) {
    boolean made = maps.write(step.groups());
    decider.refused(maps.takeFull());
    for (Step.Copy copy : step.copies()) {
      Headers.forwarded(copy.raw(), copy.host()).ifPresent(this::send);
    }
    for (Step.Ruled ruled : step.rulings()) {
      boolean needsThem = ruled.ruling() == Ruling.REPEAT || ruled.instead().isPresent();
      if (needsThem && !made) {
        queue.rule(ruled.packet(), Ruling.DROP);
      } else if (ruled.instead().isPresent()) {
        queue.replace(ruled.packet(), Bytes.of(ruled.instead().get().toArray()));
      } else {
        queue.rule(ruled.packet(), ruled.ruling());
      }
    }
    step.words().forEach(say);
  }

  private void send(io.gatehouse.packet.Bytes packet) {
    int error = sender.send(Bytes.of(packet.toArray()));
    if (error == TOO_LONG) {
      Headers.fragments(packet, PART).forEach(part -> sender.send(Bytes.of(part.toArray())));
    }
  }

  /** Frees what a host holds with a remote. */
  void release(Address host, Address remote) {
    Decider.Learned learned =
        new Decider.Learned(learned(plan.maps().sent()), learned(plan.maps().known()));
    execute(decider.release(host, remote, learned, now()));
    control.ifPresent(of -> execute(of.release(host, remote, now())));
  }

  private List<SetElement> learned(NftSet set) {
    return switch (list(set)) {
      case Answer.Told<List<SetElement>>(List<SetElement> told) -> told;
      case Answer.Failed<List<SetElement>>(Failure why) -> {
        maps.doubt("its maps cannot be read: " + why);
        yield List.of();
      }
    };
  }

  /** A host says under which SPI it receives from a remote; why that cannot be, or empty. */
  Optional<Reason> register(Address host, Address remote, int spi) {
    List<Reason> why = new ArrayList<>();
    execute(decider.register(host, remote, spi, now(), why::add));
    return why.stream().findFirst();
  }

  SlowPath.Report report() {
    Optional<String> zones =
        decider.withoutZone() > 0
            ? Optional.of(decider.withoutZone() + " packets of hosts for which no zone is left")
            : Optional.empty();
    Optional<String> room =
        decider.unplaced() > 0
            ? Optional.of(
                "no room in the kernel's maps for %d entries, refused %d times: these are copied"
                    .formatted(decider.unplaced(), decider.withoutRoom()))
            : Optional.empty();
    return new SlowPath.Report(
        decider.hosts(),
        decider.sessions(),
        decider.waiting(),
        maps.refusal().or(() -> room).or(() -> zones),
        Optional.of(decider.status()),
        control.map(ControlConnections::status),
        now());
  }
}
