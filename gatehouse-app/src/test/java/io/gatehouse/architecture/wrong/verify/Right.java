package io.gatehouse.architecture.wrong.verify;

import io.gatehouse.architecture.wrong.path.AsksTheWorld;
import java.net.InetAddress;
import java.time.Clock;
import java.time.Instant;

/** What a pure room may do: use rooms below, parse a literal, ask a clock that it was given. */
public record Right(AsksTheWorld below) {

  Instant instant(Clock clock) {
    return Instant.now(clock);
  }

  InetAddress literal(String text) {
    return InetAddress.ofLiteral(text);
  }
}
