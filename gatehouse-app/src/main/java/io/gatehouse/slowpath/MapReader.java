package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.ruleset.NftSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Lists what the kernel has used, in a thread of its own: ten thousand elements take longer than a
 * packet may wait. One listing at a time; whoever asks takes it when it is there.
 */
final class MapReader implements AutoCloseable {
  private final LiveMaps.OfMasquerade maps;
  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(
          Thread.ofPlatform().name("masquerade-maps").daemon().factory());
  private final CompletableFuture<Answer<Kernel>> kernel =
      CompletableFuture.supplyAsync(Kernel::open, thread); // by whom it is used
  private Optional<CompletableFuture<Answer<Listing>>> awaited = Optional.empty();

  /**
   * What stood when it was read.
   *
   * @param spis those of both maps
   * @param calls those that lead to their hosts
   * @param ofSenders whether what the kernel has seen sent was asked for
   * @param sent that, or empty
   */
  record Listing(
      List<SetElement> zones,
      List<SetElement> spis,
      List<SetElement> calls,
      boolean ofSenders,
      List<SetElement> sent) {
    Listing {
      zones = List.copyOf(zones);
      spis = List.copyOf(spis);
      calls = List.copyOf(calls);
      sent = List.copyOf(sent);
    }
  }

  private MapReader(LiveMaps.OfMasquerade maps) {
    this.maps = maps;
  }

  /** Opens a kernel of its own, in the network namespace of this thread. */
  static Answer<MapReader> open(LiveMaps.OfMasquerade maps) {
    MapReader reader = new MapReader(maps);
    return switch (reader.kernel.join()) {
      case Answer.Told<Kernel> told -> new Answer.Told<>(reader);
      case Answer.Failed<Kernel>(Failure why) -> {
        reader.thread.shutdown();
        yield new Answer.Failed<>(why);
      }
    };
  }

  /**
   * Begins to list.
   *
   * @param sent whether what was sent is wanted too
   */
  void begin(boolean sent) {
    awaited = Optional.of(CompletableFuture.supplyAsync(() -> list(sent), thread));
  }

  /** Whether a listing has begun that nobody has taken yet. */
  boolean isUnderWay() {
    return awaited.isPresent();
  }

  /** What was listed, once it is there. */
  Optional<Answer<Listing>> taken() {
    Optional<Answer<Listing>> listed =
        awaited.filter(CompletableFuture::isDone).map(CompletableFuture::join);
    if (listed.isPresent()) {
      awaited = Optional.empty();
    }
    return listed;
  }

  private Answer<Listing> list(boolean sent) {
    Answer<List<SetElement>> zones = elements(maps.zones());
    Answer<List<SetElement>> spis = elements(maps.spis());
    Answer<List<SetElement>> direct =
        maps.direct().map(this::elements).orElse(new Answer.Told<>(List.of()));
    Answer<List<SetElement>> calls =
        maps.calls().map(of -> elements(of.hosts())).orElse(new Answer.Told<>(List.of()));
    Answer<List<SetElement>> senders = sent ? elements(maps.sent()) : new Answer.Told<>(List.of());
    for (Answer<List<SetElement>> each : List.of(zones, spis, direct, calls, senders)) {
      if (each instanceof Answer.Failed<List<SetElement>>(Failure why)) {
        return new Answer.Failed<>(why);
      }
    }
    List<SetElement> both = new ArrayList<>(told(spis));
    both.addAll(told(direct));
    return new Answer.Told<>(new Listing(told(zones), both, told(calls), sent, told(senders)));
  }

  private Answer<List<SetElement>> elements(NftSet set) {
    return switch (kernel.join()) {
      case Answer.Told<Kernel>(Kernel open) -> open.elements(Elements.id(set));
      case Answer.Failed<Kernel>(Failure why) -> new Answer.Failed<>(why);
    };
  }

  private static List<SetElement> told(Answer<List<SetElement>> answer) {
    return switch (answer) {
      case Answer.Told<List<SetElement>>(List<SetElement> told) -> told;
      case Answer.Failed<List<SetElement>> failed -> List.of();
    };
  }

  /** Ends its thread behind the listing that is under way, and its kernel with it. */
  @Override
  public void close() {
    thread.execute(() -> {
      if (kernel.join() instanceof Answer.Told<Kernel>(Kernel open)) {
        open.close();
      }
    });
    thread.shutdown();
  }
}
