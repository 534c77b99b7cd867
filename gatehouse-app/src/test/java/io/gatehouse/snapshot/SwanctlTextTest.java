package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What of swanctl's files gets into a collection that strangers read. */
class SwanctlTextTest {
  private static final String KEPT = "connections {\n  rw {\n    version = 2\n  }\n}\n";

  /** Each holds the secret TOP, and the connection of {@link #KEPT}. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "secrets {\n ike-1 { secret = \"a}b\" }\n ike-2 { secret = \"TOP\" }\n}\nCONN",
        "secrets {\n ike-1 {\n secret = \"a\\\"}\" }\n ike-2 { secret = \"TOP\" }\n}\nCONN",
        "secrets {\n # it's closed }\n ike { secret = TOP }\n}\nCONN",
        "secrets { ike { secret = x # } }\n } eap { secret = TOP } } CONN",
        "secrets { ike { secret = a{b } eap { secret = TOP } } CONN",
        "CONN secrets { eap-1 { secret = TOP } }",
        "authorities { a { } } secrets { eap-1 { secret = TOP } } CONN",
        "CONNsecrets\n{\n eap-1\n {\n secret = TOP\n }\n}\n",
        "secrets { eap { secret = \"two\n lines } TOP\" } }\nCONN",
        "secrets { eap { secret = \"goes \\\n on } TOP\" } }\nCONN",
        "mysecrets-of-old { eap { secret = TOP } }\nCONN",
        "secrets : of-old { }\nof-old { eap { secret = TOP } }\nCONN",
        "secrets.eap.secret = TOP\nCONN",
        "connections { secret = TOP }\nCONN",
        "connections { rw { local { eap-Password = TOP\n xauth_pin=TOP } } }\nCONN",
        "connections { rw { local { id = \"{ secrets TOP\" } } }\nCONN",
        "include /etc/TOP/*.conf\ninclude \"a } TOP\"\nCONN",
        "CONN# secrets { eap { secret = TOP } }",
      })
  void ofSecretsNothingIsKept(String text) {
    Optional<String> kept = SwanctlText.withoutSecrets(text.replace("CONN", KEPT));

    assertThat(kept.orElseThrow()).doesNotContain("TOP").contains("  rw {\n    version = 2\n");
  }

  /** What stands behind the mistake could be anything. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "CONNsecrets { eap { secret = TOP }",
        "CONNsecrets { eap { secret = \"TOP } }",
        "CONNsecrets { eap { secret = \"TOP\\",
        "secrets { eap { secret = a}TOP } }\nCONN",
        "} CONN",
        "CONN{ secret = TOP }",
        "CONNTOP",
        "CONN TOP\nsecret = x",
        "CONNTOP\n= x",
        "CONN\"TOP\" = x",
        "CONN = TOP",
      })
  void ofAFileThatStrongswanDoesNotReadNothingIsKept(String text) {
    assertThat(SwanctlText.withoutSecrets(text.replace("CONN", KEPT))).isEmpty();
  }

  @Test
  void whatTheDoctorReadsIsKept() {
    assertThat(
            SwanctlText.withoutSecrets(
                """
                connections {
                  site : defaults, others {
                    remote_addrs = "203.0.113.7"   # over there
                    dpd_delay=30s
                    children { net { remote_ts = 10.20.0.0/16, 10.21.0.0/16[tcp/443] } }
                  }
                }
                pools { v4 { addrs = 10.0.3.0/24 } }
                """))
        .contains(
            """
            connections {
              site {
                remote_addrs = 203.0.113.7
                dpd_delay = 30s
                children {
                  net {
                    remote_ts = 10.20.0.0/16, 10.21.0.0/16[tcp/443]
                  }
                }
              }
            }
            pools {
              v4 {
                addrs = 10.0.3.0/24
              }
            }
            """);
    assertThat(SwanctlText.withoutSecrets("")).contains("");
  }

  /** Where a secret stands among its secrets, no damage elsewhere brings it out. */
  @Test
  void damageBringsNoSecretOut() {
    String whole =
        "pools { p { addrs = 10.0.3.0/24 } }\n" + KEPT + "secrets { e { secret = TOP } }\n";
    Random random = new Random(11);
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder(whole);
      for (int change = 0; change < 3; change++) {
        int end = text.indexOf("secrets");
        int from = random.nextInt(end);
        text.replace(
            from,
            Math.min(end, from + random.nextInt(3)),
            "{}=#\"\\\n a".substring(random.nextInt(9)).substring(0, 1));
      }
      Optional<String> kept = SwanctlText.withoutSecrets(text.toString());
      assertThat(kept.orElse("")).as("%s", text).doesNotContain("TOP");
    }
  }

  @Test
  void manyQuotesAndSectionsTakeTimeInProportion() {
    assertThat(SwanctlText.withoutSecrets("{".repeat(1_000_000))).isEmpty();
    assertThat(SwanctlText.withoutSecrets("a{".repeat(1_000_000))).isEmpty();
    assertThat(SwanctlText.withoutSecrets("a \n".repeat(1_000_000))).isEmpty();
    assertThat(SwanctlText.withoutSecrets("a=\"\\\"".repeat(300_000))).isEmpty();
  }

  /** Each file by itself; of the damaged one there is a word. */
  @Test
  void aDamagedFileTakesNoOtherWithIt() {
    Map<String, String> files =
        Map.of(
            "/etc/swanctl/swanctl.conf",
            "include conf.d/*.conf\nsecrets { e { secret = \"TOP",
            "/etc/swanctl/conf.d/a.conf",
            KEPT);
    Collected collected = Collected.of(new Files(files));

    assertThat(collected.texts().get("swanctl.conf"))
        .isEqualTo("# connections and pools of /etc/swanctl/conf.d/a.conf\n" + KEPT);
    assertThat(collected.remarks())
        .extracting(Remark::text)
        .anyMatch(t -> t.startsWith("/etc/swanctl/swanctl.conf: ") && !t.contains("TOP"));
  }

  private record Files(Map<String, String> texts) implements Machine {
    @Override
    public Answer run(List<String> command, String stdin, Duration limit) {
      return new Answer(Answer.NOT_FOUND, "", "");
    }

    @Override
    public Optional<String> read(String path) {
      return Optional.ofNullable(texts.get(path));
    }

    @Override
    public List<String> list(String directory) {
      return directory.equals("/etc/swanctl/conf.d") ? List.of("a.conf") : List.of();
    }

    @Override
    public Optional<String> link(String path) {
      return Optional.empty();
    }
  }
}
