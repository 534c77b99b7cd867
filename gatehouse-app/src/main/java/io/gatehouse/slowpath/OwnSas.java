package io.gatehouse.slowpath;

import io.gatehouse.model.Family;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.KernelEvents;
import io.gatehouse.netlink.KernelEvents.Heard;
import io.gatehouse.netlink.XfrmCodec;
import io.gatehouse.netlink.XfrmMessage;
import io.gatehouse.slowpath.Elements.Spi;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Under which SPIs this host itself receives ESP. An IKE daemon lays an inbound SA before its peer
 * knows of it, so that the event is here before the first packet.
 */
final class OwnSas implements AutoCloseable {
  private static final int ESP = 50;

  private final Kernel kernel;
  private final KernelEvents events;
  private boolean doubtful = true;

  private OwnSas(Kernel kernel, KernelEvents events) {
    this.kernel = kernel;
    this.events = events;
  }

  static Answer<OwnSas> open(Kernel kernel) {
    return switch (KernelEvents.about(KernelEvents.About.XFRM)) {
      case Answer.Failed<KernelEvents> failed -> new Answer.Failed<>(failed.why());
      case Answer.Told<KernelEvents>(KernelEvents events) ->
          new Answer.Told<>(new OwnSas(kernel, events));
    };
  }

  /** All of them, where something may have changed since this was asked. */
  Optional<Set<Spi>> changed() {
    while (true) {
      switch (events.next(Duration.ZERO)) {
        case Heard.Missed missed -> doubtful = true;
        case Heard.Ended ended -> {
          doubtful = true; // then each look lists them
          return list();
        }
        case Heard.Messages(List<Frame.Content> messages) -> {
          if (messages.isEmpty()) {
            return doubtful ? list() : Optional.empty();
          }
          for (Frame.Content message : messages) {
            doubtful |= concerns(XfrmCodec.read(message));
          }
        }
      }
    }
  }

  private static boolean concerns(XfrmMessage message) {
    return switch (message) {
      case XfrmMessage.State state -> true;
      case XfrmMessage.StateGone gone -> true;
      case XfrmMessage.StatesFlushed flushed -> true;
      case XfrmMessage.Moved moved -> true;
      case XfrmMessage.Expired expired -> expired.hard();
      default -> false;
    };
  }

  private Optional<Set<Spi>> list() {
    if (!(kernel.states() instanceof Answer.Told<List<XfrmMessage>>(var states))) {
      return Optional.empty();
    }
    doubtful = false;
    Set<Spi> all = new HashSet<>();
    for (XfrmMessage message : states) {
      // What we send under has ourselves as the source, and never comes.
      if (message instanceof XfrmMessage.State state
          && state.id().protocol() == ESP
          && state.source().family() == Family.V4) {
        all.add(new Spi(state.source(), (int) state.id().spi()));
      }
    }
    return Optional.of(all);
  }

  @Override
  public void close() {
    events.close();
  }
}
