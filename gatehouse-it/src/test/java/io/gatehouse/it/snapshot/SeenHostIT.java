package io.gatehouse.it.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import io.gatehouse.snapshot.Collected;
import io.gatehouse.snapshot.Remark;
import io.gatehouse.snapshot.SeenHost;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What a kernel's tools print for programs is read as what they print for people. */
class SeenHostIT {
  private static final int SEEDS = 40;
  private static final String NEXT = "==== next ====";
  private static final String TEXT = "==== text ====";

  /** nft's JSON has types where its listing and ours have selectors. */
  private static final Pattern TYPE = Pattern.compile("(?m)^\\s*typeof .*$");

  @Test
  void descriptionsDrawnByLotAreReadAsNftListsThem() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC);
    StringBuilder script = new StringBuilder();
    for (int seed = 0; seed < SEEDS; seed++) {
      Ruleset ruleset = Compiler.compile(Descriptions.gateway(seed)).ruleset();
      script
          .append("unshare -n sh -c 'nft -f - && nft -j list ruleset && echo \"")
          .append(TEXT)
          .append("\" && nft -s list ruleset' <<'END'\n");
      script.append(text(ruleset.tables())).append("END\necho '").append(NEXT).append("'\n");
    }
    Answer answer = lab.run(script.toString());

    assertThat(answer.err()).isEmpty();
    List<String> listed =
        Pattern.compile(NEXT, Pattern.LITERAL).splitAsStream(answer.out()).limit(SEEDS).toList();
    assertThat(listed).hasSize(SEEDS);
    for (int seed = 0; seed < SEEDS; seed++) {
      String[] both = listed.get(seed).split(TEXT, -1);
      SeenHost seen = SeenHost.of(new Collected(Map.of("nft.json", both[0].strip()), List.of()));

      assertThat(
              seen.remarks().stream()
                  .filter(r -> r.kind() != Remark.Kind.ASSUMED)
                  .map(Remark::text))
          .as("seed %d", seed)
          .isEmpty();
      assertThat(plain(text(seen.host().tables()))).as("seed %d", seed).isEqualTo(plain(both[1]));
    }
  }

  /** Rules of the nft variant of iptables, which nft's JSON has by name only. */
  @Test
  void whatIptablesSavesIsReadAsItWasWritten() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT);
    Map<String, String> rules = new LinkedHashMap<>();
    rules.put("-s 10.0.0.0/8 ! -o eth0 -j DROP", "ip saddr 10.0.0.0/8 oifname != \"eth0\" drop");
    rules.put(
        "-p udp -m multiport --dports 500,4500 -m policy --dir in --pol ipsec -j ACCEPT",
        "meta l4proto udp udp dport { 500, 4500 } meta ipsec exists accept");
    rules.put(
        "-p tcp --syn -m mark --mark 1/0xff -m comment --comment \"two words\" -j DROP",
        "meta l4proto tcp tcp flags & 23 == syn meta mark & 0x000000ff == 0x00000001" + " drop");
    rules.put(
        "-m conntrack ! --ctstate NEW -m limit --limit 3/min -j MARK --set-mark 2/3",
        "ct state != new limit rate 3/minute meta mark set meta mark & 0xfffffffc ^ 0x00000002");
    StringBuilder script = new StringBuilder("unshare -n sh -e <<'END'\n");
    rules
        .keySet()
        .forEach(rule -> script.append("iptables -t mangle -A FORWARD ").append(rule).append('\n'));
    script.append("iptables-save -t mangle\nEND\n");
    Answer answer = lab.run(script.toString());

    SeenHost seen =
        SeenHost.of(new Collected(Map.of("iptables-save.txt", answer.expected().out()), List.of()));
    List<String> read =
        seen.host().tables().stream()
            .filter(t -> t.name().equals("mangle"))
            .flatMap(t -> t.chains().stream())
            .flatMap(c -> c.rules().stream())
            .map(r ->
                r.statements().stream().map(NftText::statement).collect(Collectors.joining(" ")))
            .toList();
    assertThat(read).containsExactlyElementsOf(rules.values());
  }

  private static String text(List<Table> tables) {
    return tables.stream().map(NftText::of).collect(Collectors.joining());
  }

  /** Without what differs in words only: line breaks and types. */
  private static String plain(String text) {
    return TYPE.matcher(text).replaceAll("").replaceAll("\\s+", " ").strip();
  }
}
