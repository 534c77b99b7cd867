package io.gatehouse.registration;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;

/** Closes a socket after a time, whoever waits on it and whatever trickles in meanwhile. */
final class Deadline {
  private Deadline() {}

  /** Until it is interrupted. */
  static Thread of(Socket socket, Duration limit) {
    return Thread.ofVirtual()
        .start(() -> {
          try {
            Thread.sleep(limit);
            socket.close();
          } catch (InterruptedException | IOException e) {
            // It was quick, or has gone.
          }
        });
  }
}
