package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.daemon.Masqueraded.Wish;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Suspected;
import io.gatehouse.masquerade.Wire;
import io.gatehouse.model.Address;
import io.gatehouse.pptp.Call;
import io.gatehouse.pptp.CallStatus;
import io.gatehouse.pptp.Ruling;
import io.gatehouse.slowpath.SlowPath;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MasqueradedTest {
  private static final Address HOST = Address.of("10.0.1.7");
  private static final Address REMOTE = Address.of("192.0.2.1");

  @Test
  void wishesAreReadAndNothingElse() {
    assertThat(Masqueraded.wish("masquerade-release 10.0.1.7 192.0.2.1"))
        .contains(new Wish.Release(HOST, REMOTE));
    assertThat(Masqueraded.wish("masquerade-register 10.0.1.7 192.0.2.1 0xc0ffee01"))
        .contains(new Wish.Register(HOST, REMOTE, 0xc0ffee01));
    for (String wrong :
        List.of(
            "masquerade-release 10.0.1.7",
            "masquerade-release 10.0.1.7 2001:db8::1",
            "masquerade-release 10.0.1.7 192.0.2.1 0x1",
            "masquerade-register 10.0.1.7 192.0.2.1",
            "masquerade-register 10.0.1.7 192.0.2.1 0",
            "masquerade-register 10.0.1.7 192.0.2.1 0x1ffffffff",
            "masquerade-register 10.0.1.7 192.0.2.1 -1",
            "masquerade-register 10.0.1.7 192.0.2.1 spi")) {
      assertThat(Masqueraded.wish(wrong)).as(wrong).isEmpty();
    }
  }

  private static final CallStatus CALLS =
      new CallStatus(List.of(new Call(HOST, REMOTE, 9, 7)), 2, Map.of(Ruling.Reason.NOT_PPTP, 3L));

  @Test
  void aBindingAndARefusalAreToldWithTheirReasons() {
    Masquerade engine = new Masquerade(Settings.standard(), 0);
    engine.register(HOST, REMOTE, 0xc0ffee01, 1000);
    engine.outbound(Wire.esp(HOST, REMOTE, 0, 1), 2000);

    List<String> lines =
        Masqueraded.lines(
            new SlowPath.Report(
                1,
                0,
                0,
                Optional.of("full"),
                Optional.of(engine.status()),
                Optional.of(CALLS),
                61_000));

    assertThat(lines.getFirst()).contains("what=all&masquerades=yes&hosts=1");
    assertThat(lines).contains("trouble=full");
    assertThat(lines)
        .anyMatch(line ->
            line.startsWith("what=binding&remote=192.0.2.1&spi=0xc0ffee01&host=10.0.1.7")
                && line.contains("evidence=registered"))
        .anyMatch(line ->
            line.startsWith("what=refusal&seconds=59&host=10.0.1.7&remote=192.0.2.1&why=SPI+0"))
        .contains("what=calls&count=1&connections=2")
        .contains("what=call&remote=192.0.2.1&id=9&host=10.0.1.7&own=7")
        .anyMatch(line -> line.contains("no+message+of+PPTP") && line.contains("count=3"));
  }

  @Test
  void aRemoteThatServesOneHostAtATimeIsTold() {
    Status status =
        new Status(
            List.of(),
            List.of(),
            List.of(new Suspected(REMOTE, List.of(HOST, Address.of("10.0.1.8")), 3, 1_000)),
            List.of(),
            Map.of(),
            0,
            0);

    assertThat(
            Masqueraded.lines(
                new SlowPath.Report(
                    2, 2, 0, Optional.empty(), Optional.of(status), Optional.empty(), 61_000)))
        .contains("what=suspected&remote=192.0.2.1&hosts=10.0.1.7+10.0.1.8&times=3&seconds=60");
  }

  @Test
  void withoutAMasqueradeItSaysSo() {
    assertThat(
            Masqueraded.lines(
                new SlowPath.Report(
                    0, 0, 0, Optional.empty(), Optional.empty(), Optional.empty(), 5)))
        .containsExactly("what=all&masquerades=no&hosts=0&ike-sessions=0&waiting=0");
  }
}
