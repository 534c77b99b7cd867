package io.gatehouse.architecture.wrong.path;

import java.lang.foreign.Arena;
import java.net.InetAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Instant;
import picocli.CommandLine;

/** Everything that a pure room must not do. */
public record AsksTheWorld(Arena arena, Socket socket, CommandLine commands) {

  long millis() {
    return System.currentTimeMillis();
  }

  Instant instant() {
    return Instant.now();
  }

  Clock clock() {
    return Clock.systemUTC();
  }

  InetAddress resolve(String name) throws UnknownHostException {
    return InetAddress.getByName(name);
  }

  void print() {
    System.out.println(arena);
  }
}
