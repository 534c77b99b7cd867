package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.probe.Question;
import io.gatehouse.probe.Report;
import io.gatehouse.probe.Report.Hop;
import io.gatehouse.probe.Report.Result;
import io.gatehouse.probe.Report.Verdict;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code gatehouse probe}: its page and its mistakes of usage; packets are for ProbeIT. */
class ProbeHostTest {
  @Test
  void itsPage() throws IOException {
    Address host = Address.of("203.0.113.2");
    Address far = Address.of("198.51.100.1");
    String page =
        ProbeHost.text(
            new Report(
                host,
                List.of(
                    new Hop(1, Optional.of(Address.of("10.0.1.1"))),
                    new Hop(2, Optional.empty()),
                    new Hop(3, Optional.of(far))),
                true,
                List.of(
                    new Result(Question.UDP_500, Verdict.ANSWERS, Optional.empty(), "it answers"),
                    new Result(
                        Question.ESP,
                        Verdict.ENDS,
                        Optional.of(far),
                        "ends between hop 1 (10.0.1.1) and hop 3 (198.51.100.1): a ping goes on"),
                    new Result(
                        Question.GRE,
                        Verdict.PASSES,
                        Optional.empty(),
                        "passes each router that answers, up to hop 3 (198.51.100.1); the host is"
                            + " silent"))));

    assertThat(page.lines()).allMatch(line -> line.length() <= 80);
    Golden.same("probe", page);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "probe",
        "probe 192.0.2.1 192.0.2.2",
        "probe --hops 99 192.0.2.1",
        "probe --isdn 192.0.2.1"
      })
  void wrongUsage(String line) {
    Session.Answer answer = new Session(Path.of("."), new BareHost(true)).run(line.split(" ", -1));

    assertThat(answer.status()).isEqualTo(ExitStatus.USAGE);
  }

  @Test
  void whatCannotBeAskedIsSaid() {
    Session session = new Session(Path.of("."), new BareHost(true));

    Session.Answer six = session.run("probe", "--ipv6", "192.0.2.1");
    assertThat(six.status()).isEqualTo(ExitStatus.NO);
    assertThat(six.err()).contains("no address of 192.0.2.1 is known in IPv6");

    Session.Answer link = session.run("probe", "fe80::1");
    assertThat(link.status()).isEqualTo(ExitStatus.NO);
    assertThat(link.err()).contains("fe80::1 is of one link");
  }
}
