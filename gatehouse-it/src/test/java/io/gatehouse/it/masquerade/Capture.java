package io.gatehouse.it.masquerade;

import io.gatehouse.capture.Frame;
import io.gatehouse.capture.FrameStream;
import io.gatehouse.it.lab.Host;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/** ESP and IKE as they pass a device of a host. */
record Capture(Host host, String device) {

  /** A packet: either of ESP or of IKE. */
  record Seen(long nanos, Address from, Address to, Optional<Esp> esp, Optional<Ike> ike) {}

  /** Begins one; it ends with {@link #end}, or with the host. */
  static Capture of(Host host, String device) {
    host.script(
            """
            setsid tcpdump -ni %1$s --immediate-mode -U -Z root -w /var/log/%1$s.pcap \
              'esp or udp port 500' > /dev/null 2> /var/log/tcpdump-%1$s.log < /dev/null &
            echo $! > /run/tcpdump-%1$s.pid
            exec 9<> <(:)
            until grep -qs listening /var/log/tcpdump-%1$s.log; do read -r -t 0.1 -u 9; done
            true
            """
                .formatted(device))
        .expected();
    return new Capture(host, device);
  }

  /** Ends it; all that was seen. */
  List<Seen> end() {
    String text =
        host.script(
                """
                read -r pid < /run/tcpdump-%1$s.pid
                kill $pid
                exec 9<> <(:)
                while kill -0 $pid 2> /dev/null; do read -r -t 0.1 -u 9; done
                base64 -w 0 /var/log/%1$s.pcap
                """
                    .formatted(device))
            .expected()
            .out();
    List<Seen> all = new ArrayList<>();
    try {
      FrameStream.read(
              new ByteArrayInputStream(Base64.getDecoder().decode(text.strip())),
              Integer.MAX_VALUE,
              frame -> seen(frame).ifPresent(all::add))
          .ifPresent(ending -> {
            throw new AssertionError(ending.toString());
          });
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return all;
  }

  private static Optional<Seen> seen(Frame frame) {
    if (!(frame.packet().orElse(null) instanceof Ip packet)) {
      return Optional.empty();
    }
    Optional<Esp> esp = packet.body() instanceof Esp one ? Optional.of(one) : Optional.empty();
    Optional<Ike> ike =
        packet.body() instanceof Udp udp && udp.content() instanceof Ike one
            ? Optional.of(one)
            : Optional.empty();
    return esp.isPresent() || ike.isPresent()
        ? Optional.of(new Seen(frame.time(), packet.source(), packet.destination(), esp, ike))
        : Optional.empty();
  }
}
