package io.gatehouse.netlink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongFunction;

/** Questions and wishes on one socket, each answered before the next. */
final class Conversation implements AutoCloseable {
  /** Far longer than the kernel ever takes. */
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /** Times that a list may change under the reader before we say so. */
  private static final int ATTEMPTS = 10;

  private final NetlinkSocket socket;
  private long sequence;

  Conversation(NetlinkSocket socket) {
    this.socket = socket;
  }

  /**
   * A list that did not change while it was read.
   *
   * @param request makes it with its sequence number
   */
  Answer<List<Frame.Content>> list(LongFunction<Bytes> request) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      Optional<Answer<List<Frame.Content>>> answer = listOnce(request);
      if (answer.isPresent()) {
        return answer.get();
      }
    }
    return new Answer.Failed<>(Failure.of(Failure.AGAIN, "it changes faster than it can be read"));
  }

  /** Nothing where the list changed meanwhile. */
  private Optional<Answer<List<Frame.Content>>> listOnce(LongFunction<Bytes> request) {
    long mine = next();
    int error = socket.send(request.apply(mine));
    if (error != 0) {
      return Optional.of(new Answer.Failed<>(Failure.of(error)));
    }
    List<Frame.Content> all = new ArrayList<>();
    boolean interrupted = false;
    while (true) {
      switch (socket.receive(LIMIT)) {
        case Received.Datagram datagram -> {
          for (Frame frame : Framing.frames(datagram.bytes())) {
            switch (frame) {
              case Frame.Content content -> {
                if (content.sequence() == mine) {
                  interrupted |= content.isInterrupted();
                  all.add(content);
                }
              }
              case Frame.Done done -> {
                if (done.sequence() == mine) {
                  return interrupted || done.isInterrupted() || done.errno() == Failure.INTERRUPTED
                      ? Optional.empty()
                      : Optional.of(
                          done.errno() == 0
                              ? new Answer.Told<>(all)
                              : new Answer.Failed<>(Failure.of(done.errno())));
                }
              }
              case Frame.Refused refused -> {
                if (refused.sequence() == mine) {
                  // nftables says EINTR or EAGAIN where its generation changed under a list.
                  return refused.errno() == Failure.INTERRUPTED
                      ? Optional.empty()
                      : Optional.of(failed(refused));
                }
              }
              case Frame.Broken broken -> {
                return Optional.of(new Answer.Failed<>(Failure.of(broken.what())));
              }
              case Frame.Acknowledged acknowledged -> {}
              case Frame.Lost lost -> interrupted = true;
            }
          }
        }
        case Received.Overrun overrun -> interrupted = true;
        case Received other -> {
          return Optional.of(new Answer.Failed<>(silence(other)));
        }
      }
    }
  }

  /** One message for an answer. */
  Answer<Frame.Content> ask(LongFunction<Bytes> request) {
    return switch (exchange(request)) {
      case Answer.Failed<List<Frame>>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<List<Frame>>(List<Frame> frames) -> {
        for (Frame frame : frames) {
          if (frame instanceof Frame.Content content) {
            yield new Answer.Told<>(content);
          }
        }
        yield new Answer.Failed<>(Failure.of(Failure.NO_ANSWER));
      }
    };
  }

  /** A wish that ends with an acknowledgement; the first refusal is the answer where one comes. */
  Answer<Boolean> change(LongFunction<Bytes> request) {
    return switch (exchange(request)) {
      case Answer.Failed<List<Frame>>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<List<Frame>>(List<Frame> frames) ->
          frames.stream().anyMatch(Frame.Acknowledged.class::isInstance)
              ? new Answer.Told<>(true)
              : new Answer.Failed<>(Failure.of(Failure.NO_ANSWER));
    };
  }

  /**
   * All that the kernel answers; it has answered when the request is sent. A refusal is a failure.
   */
  private Answer<List<Frame>> exchange(LongFunction<Bytes> request) {
    long mine = next();
    int error = socket.send(request.apply(mine));
    if (error != 0) {
      return new Answer.Failed<>(Failure.of(error));
    }
    List<Frame> answers = new ArrayList<>();
    Optional<Failure> first = Optional.empty();
    while (true) {
      switch (socket.receive()) {
        case Received.Datagram datagram -> {
          for (Frame frame : Framing.frames(datagram.bytes())) {
            switch (frame) {
              case Frame.Refused refused -> {
                if (refused.sequence() == mine && first.isEmpty()) {
                  first = Optional.of(failure(refused));
                }
              }
              case Frame.Broken broken -> {
                return new Answer.Failed<>(Failure.of(broken.what()));
              }
              case Frame.Content content when content.sequence() != mine -> {}
              case Frame.Acknowledged done when done.sequence() != mine -> {}
              default -> answers.add(frame);
            }
          }
        }
        case Received.Nothing nothing -> {
          return first.isPresent() ? new Answer.Failed<>(first.get()) : new Answer.Told<>(answers);
        }
        case Received other -> {
          return new Answer.Failed<>(silence(other));
        }
      }
    }
  }

  private static <T> Answer<T> failed(Frame.Refused refused) {
    return new Answer.Failed<>(failure(refused));
  }

  private static Failure failure(Frame.Refused refused) {
    return new Failure(refused.errno(), refused.text());
  }

  private static Failure silence(Received received) {
    return switch (received) {
      case Received.Failed failed -> failed.why();
      case Received.Overrun overrun -> Failure.of(Failure.LOST);
      case Received.TooLong tooLong ->
          Failure.of(Failure.UNREADABLE, "a datagram of " + tooLong.length() + " bytes");
      case Received.Datagram datagram -> Failure.of(Failure.UNREADABLE);
      case Received.Nothing nothing -> Failure.of(Failure.NO_ANSWER);
    };
  }

  /** Never 0, which stands in events. */
  private long next() {
    sequence = sequence == 0xffffffffL ? 1 : sequence + 1;
    return sequence;
  }

  @Override
  public void close() {
    socket.close();
  }
}
