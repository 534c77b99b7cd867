package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What nft prints as JSON, read into tables. */
class NftJsonTest {
  private static final String LISTING =
      """
      {"nftables": [
      {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
      {"table": {"family": "ip", "name": "nat", "handle": 1}},
      {"set": {"family": "ip", "name": "lans", "table": "nat", "type": "ipv4_addr", "handle": 2,
        "flags": ["interval"],
        "elem": [{"prefix": {"addr": "10.0.0.0", "len": 8}}, {"range": ["192.168.1.2", "192.168.1.9"]}]}},
      {"map": {"family": "ip", "name": "ports", "table": "nat", "type": ["inet_proto", "inet_service"],
        "handle": 3, "map": "verdict",
        "elem": [[{"concat": ["tcp", 443]}, {"goto": {"target": "web"}}]]}},
      {"chain": {"family": "ip", "table": "nat", "name": "POSTROUTING", "handle": 4, "type": "nat",
        "hook": "postrouting", "prio": 100, "policy": "accept"}},
      {"chain": {"family": "ip", "table": "nat", "name": "web", "handle": 5}},
      {"rule": {"family": "ip", "table": "nat", "chain": "POSTROUTING", "handle": 6, "comment": "spare",
        "expr": [{"match": {"op": "==", "left": {"rt": {"key": "ipsec"}}, "right": true}}, {"accept": null}]}},
      {"rule": {"family": "ip", "table": "nat", "chain": "POSTROUTING", "handle": 7,
        "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}}, "right": "@lans"}},
          {"match": {"op": "!=", "left": {"meta": {"key": "oifname"}}, "right": "tun*"}},
          {"counter": {"packets": 1, "bytes": 2}}, {"masquerade": {"flags": "random"}}]}},
      {"rule": {"family": "ip", "table": "nat", "chain": "web", "handle": 8,
        "expr": [{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}},
          {"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 255]}, "right": 3}},
          {"snat": {"addr": "192.0.2.1", "port": {"range": [1024, 2047]}}}]}}
      ]}
      """;

  @Test
  void aListingBecomesWhatNftPrints() {
    TablesRead read = NftJson.read("nft.json", LISTING);

    assertThat(read.remarks()).isEmpty();
    assertThat(read.tables()).hasSize(1);
    assertThat(NftText.of(read.tables().getFirst()))
        .isEqualTo(
            """
            table ip nat {
            \tset lans {
            \t\ttypeof ip saddr
            \t\tflags interval
            \t\telements = { 10.0.0.0/8, 192.168.1.2-192.168.1.9 }
            \t}

            \tmap ports {
            \t\ttypeof meta l4proto . th dport : verdict
            \t\telements = { tcp . 443 : goto web }
            \t}

            \tchain POSTROUTING {
            \t\ttype nat hook postrouting priority srcnat; policy accept;
            \t\trt ipsec exists accept comment "spare"
            \t\tip saddr @lans oifname != "tun*" counter masquerade random
            \t}

            \tchain web {
            \t\tct state established,related meta mark & 0x000000ff == 0x00000003 snat ip to 192.0.2.1:1024-2047
            \t}
            }
            """);
  }

  private static List<Statement> statements(String expression) {
    String json =
        """
        {"nftables": [{"rule": {"family": "inet", "table": "t", "chain": "c", "expr": [%s]}}]}
        """
            .formatted(expression);
    Table table = NftJson.read("nft.json", json).tables().getFirst();
    return table.chains().getFirst().rules().getFirst().statements();
  }

  private static String spelled(String expression) {
    return NftText.statement(statements(expression).getFirst());
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = "=>",
      quoteCharacter = '`',
      textBlock =
          """
          {"match": {"op": "!", "left": {"payload": {"protocol": "tcp", "field": "flags"}}, "right": ["syn", "rst"]}} => tcp flags ! syn,rst
          {"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, {"|": ["fin", "syn", "rst"]}]}, "right": "syn"}} => tcp flags syn / fin,syn,rst
          {"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr", "iif"]}}, "right": "local"}} => fib daddr . iif type local
          {"match": {"op": "==", "left": {"ipsec": {"key": "reqid", "dir": "in", "spnum": 0}}, "right": 7}} => ipsec in reqid 7
          {"match": {"op": "==", "left": {"meta": {"key": "secpath"}}, "right": false}} => meta ipsec missing
          {"match": {"op": "==", "left": {"payload": {"base": "th", "offset": 16, "len": 16}}, "right": 53}} => @th,16,16 0x35
          {"mangle": {"key": {"ct": {"key": "mark"}}, "value": {"meta": {"key": "mark"}}}} => ct mark set meta mark
          {"vmap": {"key": {"meta": {"key": "iifname"}}, "data": {"set": [["lo", {"accept": null}], ["eth0", {"jump": {"target": "x"}}]]}}} => iifname vmap { "lo" : accept, "eth0" : jump x }
          {"dnat": {"family": "ip", "addr": {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@m"}}}} => dnat to tcp dport map @m
          {"limit": {"rate": 3, "burst": 7, "per": "hour", "inv": true}} => limit rate over 3/hour burst 7 packets
          {"queue": {"num": {"range": [1, 3]}, "flags": ["bypass"]}} => queue flags bypass to 1-3
          {"reject": {"type": "tcp reset"}} => reject with tcp reset
          """)
  void aStatementIsSpelledAsNftDoes(String json, String text) {
    assertThat(spelled(json)).isEqualTo(text);
  }

  @Test
  void translationFromPrefixToPrefixIsOneToOne() {
    // As nft 1.0.6 lists `snat ip prefix to 10.99.1.0/24` and its like.
    String listed =
        "{\"%s\": {\"family\": \"%s\", \"addr\": {\"prefix\": {\"addr\": \"%s\", \"len\": %d}}, \"flags\": \"netmap\", \"type_flags\": \"prefix\"}}";
    assertThat(statements(listed.formatted("snat", "ip", "10.99.1.0", 24)))
        .containsExactly(new Statement.Nat.Prefixed(true, Prefix.of("10.99.1.0/24")));
    assertThat(statements(listed.formatted("dnat", "ip6", "fd00:1::", 64)))
        .containsExactly(new Statement.Nat.Prefixed(false, Prefix.of("fd00:1::/64")));
  }

  @Test
  void aMatchWithoutWordsIsACondition() {
    assertThat(statements("{\"xt\": {\"type\": \"match\", \"name\": \"policy\"}}").getFirst())
        .isInstanceOf(Statement.Match.class);
    assertThat(spelled("{\"quota\": {\"val\": 1}}")).contains("quota");
  }

  /** As nft 1.0.6 lists it, which has no JSON for that. */
  @Test
  void whatRemembersInAMapIsACondition() {
    String update = "update @masq.quoted { @nh,128,32 . esp spi timeout 1h5m : ct zone }";
    assertThat(statements("\"" + update + "\"").getFirst()).isInstanceOf(Statement.Match.class);
    assertThat(statements("\"" + update + " accept\"").getFirst())
        .isInstanceOf(Statement.Opaque.class);
    assertThat(statements("\"fly @masq.quoted { ip saddr }\"").getFirst())
        .isInstanceOf(Statement.Opaque.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"xt": {"type": "target", "name": "MASQUERADE"}}
          {"tproxy": {"port": 1}}
          {"flow": {"op": "add", "flowtable": "@f"}}
          {"snat": {"addr": {"prefix": {"addr": "10.0.0.0", "len": 8}}, "type_flags": "prefix"}}
          {"snat": {"family": "ip", "addr": {"map": {"key": {"payload": {"protocol": "ip", "field": "saddr"}}, "data": {"set": [[{"prefix": {"addr": "10.1.1.0", "len": 24}}, {"prefix": {"addr": "10.98.1.0", "len": 24}}]]}}}, "flags": "netmap", "type_flags": "prefix"}}
          {"unheard-of": 1}
          """)
  void aStatementWithoutWordsIsOpen(String json) {
    assertThat(statements(json).getFirst()).isInstanceOf(Statement.Opaque.class);
  }

  @Test
  void aTableThatSleepsHasNoHooks() {
    Table table =
        NftJson.read(
                "nft.json",
                LISTING.replace(
                    "\"name\": \"nat\", \"handle\": 1",
                    "\"name\": \"nat\", \"flags\": [\"dormant\"]"))
            .tables()
            .getFirst();

    assertThat(table.chains()).allMatch(chain -> chain.base().isEmpty());
  }

  private static boolean anythingMayHappen(TablesRead read) {
    return read.tables().stream()
        .flatMap(t -> t.chains().stream())
        .filter(c -> c.base().isPresent())
        .flatMap(c -> c.rules().stream())
        .flatMap(r -> r.statements().stream())
        .anyMatch(s -> s instanceof Statement.Opaque);
  }

  @Test
  void whereverItIsCutOffItIsOpenAndSaid() {
    String whole = LISTING.strip();
    for (int end = 0; end < whole.length(); end++) {
      TablesRead read = NftJson.read("nft.json", whole.substring(0, end));

      assertThat(anythingMayHappen(read)).as("cut at %d", end).isTrue();
      assertThat(read.remarks()).allMatch(r -> r.kind() == Remark.Kind.UNREADABLE).isNotEmpty();
    }
  }

  @Test
  void whatSomebodyBrokeNeverThrows() {
    Random lot = new Random(4);
    String noise = "{}[]\",:0-x@*e\\ \u0000\uffff";
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder(LISTING);
      for (int n = lot.nextInt(8); n >= 0; n--) {
        int at = lot.nextInt(text.length());
        switch (lot.nextInt(3)) {
          case 0 -> text.setCharAt(at, noise.charAt(lot.nextInt(noise.length())));
          case 1 -> text.insert(at, noise.charAt(lot.nextInt(noise.length())));
          default -> text.delete(at, Math.min(text.length(), at + lot.nextInt(20)));
        }
      }
      assertThat(NftJson.read("nft.json", text.toString()).tables()).isNotNull();
    }
  }

  @Test
  void aDeepOneIsRefused() {
    String deep = "[".repeat(1_000_000);

    assertThat(NftJson.read("nft.json", "{\"nftables\": " + deep).remarks()).hasSize(1);
  }
}
