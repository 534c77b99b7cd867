package io.gatehouse.cli;

import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * {@code gatehouse explain RULE|ADDRESS --on FILE}: why a rule exists, or whose an address is, and
 * which line asked for it.
 */
final class Explain {
  private static final Pattern BY_NUMBER =
      Pattern.compile("(?:(?:inet|ip|ip6) )?(?:gatehouse )?(\\S+)(?: rule)? ([0-9]{1,6})");

  /** Rules that are shown where many fit the words. */
  private static final int MOST = 12;

  /** Something said about what was asked. */
  private record Fact(String name, String text, Origin origin) {}

  /** A rule and its place. */
  private record Found(Table table, Chain chain, int number, Rule rule) {
    String place() {
      return chain.name() + " rule " + number;
    }
  }

  private Explain() {}

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "explain",
            "Says why a rule exists, or whose an address is, and which line asked for it.",
            call -> run(call, surroundings));
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("RULE|ADDRESS")
            .arity("1..*")
            .required(true)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description("forward 3, words of a rule's comment, or 10.0.3.5.")
            .build());
    spec.addOption(Subcommand.on());
    spec.addOption(Subcommand.json());
    return spec;
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    String asked = String.join(" ", call.positionals(0)).strip();
    boolean json = call.isSet("--json");
    return Described.read(
        call.option("--on").orElseThrow(),
        new Disk(surroundings.directory()),
        problems -> Described.refuse(problems, call, surroundings.paint()),
        described -> {
          List<Fact> facts = facts(described, asked);
          if (facts.isEmpty()) {
            if (json) {
              call.answer(Json.text(answer(asked, facts)));
            } else {
              Page.wrapped(nothing(described, asked), Described.WIDTH, 0)
                  .forEach(call.err()::println);
              call.err().flush();
            }
            return ExitStatus.NO;
          }
          call.answer(json ? Json.text(answer(asked, facts)) : text(facts));
          return ExitStatus.FINE;
        });
  }

  private static List<Fact> facts(Described described, String asked) {
    Optional<Address> address = Address.parse(asked);
    return address.isPresent()
        ? ofAddress(described, address.get())
        : found(described.compiled().ruleset(), asked).stream()
            .flatMap(found -> ofRule(found).stream())
            .toList();
  }

  private static String nothing(Described described, String asked) {
    return "gatehouse explain: no rule `"
        + Page.harmless(asked)
        + "`, neither by chain and number nor by its comment; chains are "
        + String.join(
            ", ",
            described.compiled().ruleset().tables().stream()
                .flatMap(table -> table.chains().stream())
                .map(chain -> chain.name() + " (" + chain.rules().size() + ")")
                .toList());
  }

  private static String text(List<Fact> facts) {
    Page page = new Page("");
    facts.forEach(fact -> page.row(fact.name(), fact.text(), fact.origin()));
    return page.text();
  }

  private static Map<String, Object> answer(String asked, List<Fact> facts) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", !facts.isEmpty());
    answer.put("asked", asked);
    List<Map<String, Object>> all = new ArrayList<>();
    for (Fact fact : facts) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("name", fact.name());
      map.put("text", fact.text());
      map.put("place", fact.origin().place());
      all.add(map);
    }
    answer.put("facts", all);
    return answer;
  }

  // ---- rules

  private static List<Found> found(Ruleset ruleset, String asked) {
    Matcher byNumber = BY_NUMBER.matcher(asked);
    Optional<String> chainName =
        byNumber.matches() ? Optional.of(byNumber.group(1)) : Optional.empty();
    int wanted = chainName.isPresent() ? Integer.parseInt(byNumber.group(2)) : 0;
    String words = asked.toLowerCase(Locale.ROOT);
    List<Found> all = new ArrayList<>();
    for (Table table : ruleset.tables()) {
      for (Chain chain : table.chains()) {
        for (int i = 0; i < chain.rules().size(); i++) {
          Rule rule = chain.rules().get(i);
          boolean meant =
              chainName.isPresent()
                  ? chain.name().equals(chainName.get()) && i + 1 == wanted
                  : !words.isEmpty() && rule.why().toLowerCase(Locale.ROOT).contains(words);
          if (meant && all.size() < MOST) {
            all.add(new Found(table, chain, i + 1, rule));
          }
        }
      }
    }
    return all;
  }

  private static List<Fact> ofRule(Found found) {
    Origin none = Origin.builtIn("");
    List<Fact> facts = new ArrayList<>();
    Rule rule = found.rule();
    facts.add(new Fact(found.place(), rule.why(), rule.origin()));
    facts.add(
        new Fact(
            "asked by",
            rule.origin().isBuiltIn()
                ? "no line: the design itself (" + rule.origin().path() + ")"
                : rule.origin().path(),
            none));
    facts.add(
        new Fact(
            "does",
            String.join(" ", rule.statements().stream().map(NftText::statement).toList()),
            none));
    String place =
        found
            .chain()
            .base()
            .map(base ->
                ", hook "
                    + base.hook().name().toLowerCase(Locale.ROOT)
                    + ", priority "
                    + base.priority())
            .orElse(", where other chains lead");
    String table = "in " + found.table().family() + " " + found.table().name();
    facts.add(new Fact("stands", table + place, none));
    return facts;
  }

  // ---- addresses

  private static List<Fact> ofAddress(Described described, Address address) {
    List<Fact> facts = whose(described.gateway(), address);
    Ruleset ruleset = described.compiled().ruleset();
    for (Table table : ruleset.tables()) {
      for (NftSet set : table.sets()) {
        for (NftSet.Element element : set.elements()) {
          if (holds(element.key(), address)) {
            facts.add(
                new Fact(
                    "in @" + set.name(),
                    element.verdict().map(Explain::where).orElse("held"),
                    element.origin()));
          }
        }
      }
    }
    Selectors selectors = new Selectors(described.gateway());
    for (Tunnel tunnel : described.gateway().tunnels()) {
      List<Prefix> far = tunnel.farPrefixes().stream().map(Located::value).toList();
      boolean there = far.stream().anyMatch(prefix -> prefix.contains(address));
      boolean here = selectors.local(tunnel).stream().anyMatch(prefix -> prefix.contains(address));
      if (there || here) {
        facts.add(
            new Fact(
                "policy",
                tunnel.name()
                    + " protects what goes between it and "
                    + prefixes(there ? selectors.local(tunnel) : far),
                tunnel.origin()));
      }
    }
    for (XfrmPolicy policy : ruleset.backstop()) {
      if (names(policy.source(), address) || names(policy.destination(), address)) {
        facts.add(
            new Fact(
                "backstop",
                policy.direction().name().toLowerCase(Locale.ROOT)
                    + " "
                    + policy.source()
                    + " → "
                    + policy.destination()
                    + (policy.block() ? ": blocked in clear" : ": let through"),
                policy.origin()));
      }
    }
    return facts;
  }

  /** A selector that means more than half of the world names nobody. */
  private static boolean names(Prefix prefix, Address address) {
    return prefix.length() > 1 && prefix.contains(address);
  }

  private static String prefixes(List<Prefix> prefixes) {
    return String.join(", ", prefixes.stream().map(Prefix::toString).toList());
  }

  private static List<Fact> whose(Gateway gateway, Address address) {
    List<Fact> facts = new ArrayList<>();
    for (Interface at : gateway.interfaces()) {
      for (Located<Interface.InterfaceAddress> own : at.addresses()) {
        if (own.value().address().equals(address)) {
          facts.add(
              new Fact(
                  "is",
                  "this host's own, on " + at.name() + " (" + at.device() + ")",
                  own.origin()));
        } else if (own.value().link().contains(address)) {
          facts.add(
              new Fact(
                  "is", "on the link of " + at.name() + " (" + at.device() + ")", own.origin()));
        }
      }
    }
    for (Identity identity : gateway.identities()) {
      for (Located<Address> own : identity.addresses()) {
        if (own.value().equals(address)) {
          facts.add(new Fact("is", "this host's own, as " + identity.name(), own.origin()));
        }
      }
    }
    for (Network network : gateway.networks()) {
      for (Located<Prefix> prefix : network.prefixes()) {
        if (prefix.value().contains(address)) {
          facts.add(
              new Fact(
                  "is",
                  "in network "
                      + network.name()
                      + (network.connected() ? ", on " : ", behind a router on ")
                      + network.on().device(),
                  prefix.origin()));
        }
      }
    }
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Located<Prefix> far : tunnel.farPrefixes()) {
        if (far.value().contains(address)) {
          String kind = tunnel instanceof Tunnel.RemoteAccess ? "a pool of " : "remote of ";
          facts.add(new Fact("is", "in " + kind + tunnel.name(), far.origin()));
        }
      }
      for (Located<Peer> peer : tunnel.peers()) {
        if (peer.value() instanceof Peer.At there && there.prefix().contains(address)) {
          facts.add(new Fact("is", "a peer of " + tunnel.name(), peer.origin()));
        }
      }
    }
    if (facts.isEmpty()) {
      facts.add(new Fact("is", "in the internet: nothing of ours", Origin.builtIn("")));
    }
    return facts;
  }

  private static String where(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Goto to -> "→ " + to.chain();
      case Verdict.Jump to -> "→ " + to.chain() + ", and back";
      case Verdict.Accept accept -> "→ accept";
      case Verdict.Drop drop -> "→ drop";
      case Verdict.Reject reject -> "→ reject";
      case Verdict.Return back -> "→ return";
      case Verdict.Continue goOn -> "→ goes on";
    };
  }

  private static boolean holds(Expression.Value key, Address address) {
    return switch (key) {
      case Expression.Addr one -> one.address().equals(address);
      case Expression.Net net -> net.prefix().contains(address);
      case Expression.Range(Expression.Addr first, Expression.Addr last) ->
          first.address().family() == address.family()
              && first.address().compareTo(address) <= 0
              && last.address().compareTo(address) >= 0;
      case Expression.AnyOf any -> any.values().stream().anyMatch(v -> holds(v, address));
      case Expression.Tuple tuple -> tuple.parts().stream().anyMatch(v -> holds(v, address));
      default -> false;
    };
  }
}
