package io.gatehouse.it.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Framing;
import io.gatehouse.netlink.Unknown;
import io.gatehouse.netlink.Unreadable;
import io.gatehouse.netlink.XfrmCodec;
import io.gatehouse.netlink.XfrmMessage;
import io.gatehouse.netlink.XfrmMessage.Mark;
import io.gatehouse.netlink.XfrmMessage.Ports;
import io.gatehouse.netlink.XfrmMessage.SaId;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What a kernel with ESP says of real SAs, byte by byte as it came out of its socket, and what we
 * read in it: that they came, moved with their peer, ran out, and went.
 */
class SasIT {
  private static final String US = "203.0.113.2";
  private static final String PEER = "203.0.113.1";
  private static final String MOVED = "203.0.113.9";
  private static final int ESP = 50;

  /**
   * Writes what it hears, a datagram to a line, until it has heard of everything: the mapping, the
   * expiry, the deletion, and the list that it then asks for. The port is that of ESP in UDP.
   */
  private static final String LISTENER =
      """
      import socket, struct, sys
      encapsulated = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      encapsulated.bind(('', 4500))
      encapsulated.setsockopt(17, 100, 2)  # UDP_ENCAP, ESP in UDP
      xfrm = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 6)
      xfrm.bind((0, sum(1 << group - 1 for group in map(int, sys.argv[2].split(',')))))
      open('/run/listens', 'w').close()
      awaited = {0x26: 1, 0x18: 2, 0x11: 1}  # moved; ran out, first softly; gone
      def heard(until):
          while not until(xfrm.recv(65536)): pass
      def seen(datagram):
          print(datagram.hex(), flush=True)
          at = 0
          while at < len(datagram):
              length, kind = struct.unpack_from('=IH', datagram, at)
              if kind in awaited: awaited[kind] -= 1
              if kind == 3: return True  # the list's end
              at += length + 3 & ~3
          return max(awaited.values()) <= 0
      heard(seen)
      awaited[0x26] = 1 << 30
      xfrm.send(bytes.fromhex(sys.argv[1]))
      heard(seen)
      """;

  private static final String KEY =
      "aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128";

  /** As its NAT shows it: first from where the SA has it, then from elsewhere. */
  private static final String SPEAKS =
      """
      set -e
      ip addr add 203.0.113.9/24 dev eth0
      ip xfrm policy add src 203.0.113.0/24 dst 203.0.113.2 proto udp dport 1701 dir out tmpl proto esp reqid 77 mode transport
      speaks() { # from, by this port
        ip xfrm state add src $1 dst 203.0.113.2 proto esp spi 0x1001 reqid 77 mode transport %s encap espinudp $2 4500 0.0.0.0
        python3 -c "
      import socket
      with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
          s.bind(('$1', 1701))
          s.sendto(b'x', ('203.0.113.2', 1701))
      "
      }
      speaks 203.0.113.1 1024
      ip xfrm state delete src 203.0.113.1 dst 203.0.113.2 proto esp spi 0x1001
      speaks 203.0.113.9 2048
      """
          .formatted(KEY);

  /** Listens, and has SAs: a peer's in both directions, one that goes, and one that runs out. */
  private static String gateway() {
    return """
    set -e
    python3 /etc/listener.py %s %s > /run/heard < /dev/null &
    echo $! > /run/listener
    until [ -e /run/listens ]; do kill -0 $!; sleep 0.05; done
    ip -batch - << 'END'
    xfrm state add src 203.0.113.1 dst 203.0.113.2 proto esp spi 0x1001 reqid 77 mode transport %3$s encap espinudp 1024 4500 0.0.0.0
    xfrm state add src 203.0.113.2 dst 203.0.113.1 proto esp spi 0x1002 reqid 77 mode transport mark 0x7 mask 0xffffff output-mark 0x9 mask 0xffff %3$s encap espinudp 4500 1024 0.0.0.0
    xfrm state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0xfffffff3 reqid 78 mode tunnel %3$s
    xfrm state add src 203.0.113.1 dst 203.0.113.2 proto esp spi 0x1004 reqid 79 mode tunnel %3$s limit time-soft 1 limit time-hard 2
    xfrm state delete src 2001:db8::1 dst 2001:db8::2 proto esp spi 0xfffffff3
    END
    """
        .formatted(
            HexFormat.of().formatHex(XfrmCodec.listStates(1).array()),
            "%d,%d,%d"
                .formatted(XfrmCodec.GROUP_EXPIRE, XfrmCodec.GROUP_STATE, XfrmCodec.GROUP_MAPPING),
            KEY);
  }

  @Test
  void whatTheKernelSaysOfThemIsRead() {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP);
    try (Network net = lab.network("wire gw:eth0 203.0.113.2/24 -- peer:eth0 203.0.113.1/24")) {
      Host gateway = net.host("gw");
      gateway.write("/etc/listener.py", LISTENER);
      gateway.script(gateway()).expected();
      net.host("peer").script(SPEAKS).expected();
      List<XfrmMessage> heard =
          gateway
              .script("tail --pid=$(cat /run/listener) -f /dev/null; cat /run/heard")
              .expected()
              .out()
              .lines()
              .flatMap(line -> read(line).stream())
              .toList();

      SaId inbound = new SaId(Address.of(US), 0x1001, ESP);
      Optional<Ports> ports = Optional.of(new Ports(1024, 4500));
      assertThat(heard)
          .contains(
              new XfrmMessage.State(inbound, Address.of(PEER), 77, 0, none(), none(), ports, 0, 0),
              new XfrmMessage.State(
                  new SaId(Address.of(PEER), 0x1002, ESP),
                  Address.of(US),
                  77,
                  0,
                  Optional.of(new Mark(7, 0xffffff)),
                  Optional.of(new Mark(9, 0xffff)),
                  Optional.of(new Ports(4500, 1024)),
                  0,
                  0),
              new XfrmMessage.StateGone(new SaId(Address.of("2001:db8::2"), 0xfffffff3L, ESP)),
              new XfrmMessage.Moved(inbound, 77, Address.of(PEER), 1024, Address.of(MOVED), 2048))
          .noneMatch(message -> message instanceof Unreadable)
          .noneMatch(message -> message instanceof Unknown);
      assertThat(heard)
          .filteredOn(XfrmMessage.Expired.class::isInstance)
          .extracting(message -> ((XfrmMessage.Expired) message).state().id().spi())
          .containsExactly(0x1004L, 0x1004L);
      assertThat(heard)
          .filteredOn(XfrmMessage.Expired.class::isInstance)
          .extracting(message -> ((XfrmMessage.Expired) message).hard())
          .containsExactly(false, true);
      // The list: as it stands, with what has come through it.
      assertThat(heard)
          .anyMatch(message ->
              message instanceof XfrmMessage.State state
                  && state.id().equals(inbound)
                  && state.packets() == 2
                  && state.bytes() > 0);
    }
  }

  private static Optional<Mark> none() {
    return Optional.empty();
  }

  private static List<XfrmMessage> read(String line) {
    return Framing.frames(Bytes.of(HexFormat.of().parseHex(line))).stream()
        .filter(Frame.Content.class::isInstance)
        .map(frame -> XfrmCodec.read((Frame.Content) frame))
        .toList();
  }
}
