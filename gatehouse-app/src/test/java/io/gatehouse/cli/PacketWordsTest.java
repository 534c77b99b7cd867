package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.HeaderSpace.Connection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Packets in words, read and printed. */
class PacketWordsTest {
  private static final Gateway OFFICE = Descriptions.example("office.yaml");

  private static PacketWords.Read.Understood read(String words) {
    return (PacketWords.Read.Understood) PacketWords.read(words, OFFICE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp 10.0.3.5:40000 -> 10.0.1.20:445 in staff from eth0",
        "udp 192.0.2.9:500 -> 203.0.113.2:500 from eth0",
        "icmp 10.0.1.7 -> 10.0.3.5 type 0 code 0 established reply from eth1",
        "esp 192.0.2.2 -> 203.0.113.2 from eth0",
        "99 10.0.1.7 -> 192.0.2.2 invalid from another-device",
        "tcp [2001:db8::5]:1 -> [2001:db8::6]:65535 related from eth0",
        "icmpv6 2001:db8::5 -> 2001:db8::6 type 128 code 0 from eth0",
        "tcp 203.0.113.2:40000 -> 192.0.2.2:443",
      })
  void printsWhatItReads(String words) {
    assertThat(PacketWords.of(read(words).packet(), read(words).made())).isEqualTo(words);
  }

  @Test
  void takesTheDeviceFromTheNetwork() {
    assertThat(read("udp 10.0.1.7 -> 192.0.2.9:53").packet().device()).isEqualTo("eth1");
    assertThat(read("udp 10.0.3.7 -> 10.0.1.9:53 in staff").packet().device()).isEqualTo("eth0");
    assertThat(read("udp 10.0.3.7 -> 10.0.1.9:53 from lan").packet().device()).isEqualTo("eth1");
  }

  @Test
  void knowsWhatThisHostMakes() {
    assertThat(read("udp 10.0.1.1 -> 10.0.1.9:53").made()).isTrue();
    assertThat(read("udp 10.0.1.1 -> 10.0.1.9:53 from eth1").made()).isFalse();
  }

  @Test
  void anAnswerBelongsToAConnection() {
    assertThat(read("udp 10.0.1.7:53 -> 10.0.3.9:40000 reply").packet().connection())
        .isEqualTo(Connection.ESTABLISHED);
  }

  @ParameterizedTest
  @CsvSource({
    "1, ''",
    "1, tpc 10.0.3.5 -> 10.0.1.20:445",
    "1, 256 10.0.3.5 -> 10.0.1.20",
    "1, icmpv6 10.0.3.5 -> 10.0.1.20",
    "4, tcp",
    "5, tcp 10.0.3.500 -> 10.0.1.20:445",
    "5, tcp 10.0.3.5:99999 -> 10.0.1.20:445",
    "5, esp 10.0.3.5:1 -> 10.0.1.20",
    "14, tcp 10.0.3.5 10.0.1.20:445",
    "16, tcp 10.0.3.5 ->",
    "17, tcp 10.0.3.5 -> 10.0.1.20",
    "17, tcp 10.0.3.5 -> [2001:db8::1]:445",
    "34, tcp 10.0.3.5 -> 10.0.1.20:445 in stuff",
    "33, tcp 10.0.3.5 -> 10.0.1.20:445 in",
    "36, tcp 10.0.3.5 -> 10.0.1.20:445 from eth9",
    "31, tcp 10.0.3.5 -> 10.0.1.20:445 through staff",
    "31, tcp 10.0.3.5 -> 10.0.1.20:445 type 8",
    "33, icmp 10.0.3.5 -> 10.0.1.20 type 300",
  })
  void showsWhereItIsWrong(int column, String words) {
    assertThat(PacketWords.read(words, OFFICE))
        .isInstanceOfSatisfying(
            PacketWords.Read.Wrong.class,
            wrong -> {
              assertThat(wrong.column()).isEqualTo(column);
              assertThat(wrong.wayOut()).isNotEmpty();
            });
  }
}
