package io.gatehouse.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.IcmpError;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Malformed;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.PptpControl;
import io.gatehouse.packet.PptpGre;
import io.gatehouse.packet.Tcp;
import io.gatehouse.packet.Udp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Real captures: what others have found in them is found. */
class CorpusCapturesTest {

  private static Frames capture(String name) throws IOException {
    String corpus = System.getenv().getOrDefault("GATEHOUSE_CORPUS", "");
    assumeTrue(!corpus.isEmpty(), "needs GATEHOUSE_CORPUS, a directory with captures");
    return Frames.read(Bytes.copyOf(Files.readAllBytes(Path.of(corpus, "captures", name))));
  }

  private static Map<String, Integer> kinds(Frames capture) {
    Map<String, Integer> kinds = new TreeMap<>();
    for (Frame frame : capture.frames()) {
      String kind = frame.packet().map(CorpusCapturesTest::kind).orElse("no IP");
      kinds.merge(kind, 1, Integer::sum);
    }
    System.out.println("corpus: " + kinds + capture.end().map(e -> ", " + e).orElse(""));
    return kinds;
  }

  private static String kind(Packet packet) {
    return switch (packet) {
      case Malformed m -> "malformed: " + m.what();
      case Ip ip ->
          switch (ip.body()) {
            case Udp udp ->
                switch (udp.content()) {
                  case Ike ike -> "IKE " + ike.exchange();
                  case Malformed m -> "malformed in UDP: " + m.what();
                  default -> udp.content().getClass().getSimpleName();
                };
            case Malformed m -> "malformed: " + m.what();
            default -> ip.body().getClass().getSimpleName();
          };
    };
  }

  @Test
  void mainAndQuickMode() throws IOException {
    assertThat(kinds(capture("ISAKMP_sa_setup.pcap"))).containsKeys("IKE 2", "IKE 32");
  }

  @Test
  void natTraversalWithKeepalives() throws IOException {
    assertThat(kinds(capture("isakmp4500.pcap"))).containsKeys("Keepalive").containsKey("Esp");
  }

  @Test
  void espAlone() throws IOException {
    assertThat(kinds(capture("02-sunrise-sunset-esp.pcap"))).containsOnlyKeys("Esp");
    assertThat(kinds(capture("espudp1.pcap"))).containsKey("Esp");
  }

  @Test
  void malformedOnes() throws IOException {
    assertThat(kinds(capture("esp_truncated.pcap"))).isNotEmpty();
    assertThat(kinds(capture("isakmp-pointer-loop.pcap"))).isNotEmpty();
  }

  @Test
  void pptpControlAndData() throws IOException {
    int messages = 0;
    int data = 0;
    for (Frame frame : capture("pptp.pcap").frames()) {
      if (frame.packet().orElse(new Malformed(0, "no IP")) instanceof Ip ip) {
        if (ip.body() instanceof Tcp tcp && tcp.data().length() > 0) {
          assertThat(PptpControl.read(tcp.data())).isInstanceOf(PptpControl.Message.class);
          messages++;
        }
        data += ip.body() instanceof PptpGre ? 1 : 0;
      }
    }
    System.out.printf("corpus: %d PPTP messages, %d packets of its data%n", messages, data);
    assertThat(messages).isPositive();
    assertThat(data).isPositive();
  }

  @Test
  void rawEspBehindAnExchange() throws IOException {
    Frames capture = capture("ikev2-then-raw-esp.pcapng");
    List<String> first = new ArrayList<>();
    long answered = 0;
    long spoke = 0;
    for (Frame frame : capture.frames()) {
      if (!(frame.packet().orElse(new Malformed(0, "no IP")) instanceof Ip ip)) {
        continue;
      }
      if (ip.body() instanceof Esp esp && esp.sequence() == 1) {
        first.add(Integer.toHexString(esp.spi()));
        spoke = spoke == 0 ? frame.time() : spoke;
      }
      if (ip.body() instanceof Udp udp && udp.content() instanceof Ike ike && ike.answers()) {
        answered = spoke == 0 ? frame.time() : answered;
      }
      assertThat(ip.body()).isNotInstanceOf(IcmpError.class);
    }
    kinds(capture);
    assertThat(first).startsWith("2360b0e3", "f0092cb5");
    assertThat((spoke - answered) / 10_000_000).isEqualTo(198);
  }
}
