package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Protocol;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;

/** What cannot be true: it is dropped before any connection counts. */
final class Evidence {
  private Evidence() {}

  /**
   * Drops what has a far source and was not decrypted.
   *
   * @param own what tells that a packet is IKE's or ESP's own; those of a peer amidst its remote
   *     network come in clear
   */
  static List<Rule> notSpoofed(Draft draft, Statement own) {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      new Ike(draft)
          .amidst(family)
          .ifPresent(peers -> {
            Statement from = Nft.is(Nft.saddr(family), peers);
            Origin origin = Origin.builtIn("peer-amidst-its-network");
            rules.add(
                Nft.rule(
                    "IKE from a peer amidst its network",
                    origin,
                    from,
                    own,
                    Nft.udpDport(Ike.PORTS),
                    Nft.ACCEPT));
            rules.add(
                Nft.rule(
                    "ESP from a peer amidst its network",
                    origin,
                    from,
                    own,
                    Nft.protocol(Protocol.ESP),
                    Nft.ACCEPT));
          });
    }
    rules.addAll(spoofed(draft));
    return rules;
  }

  /** Drops what has a far source and was not decrypted. */
  static List<Rule> spoofed(Draft draft) {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      draft
          .places
          .far(family)
          .ifPresent(far ->
              rules.add(
                  Nft.rule(
                      "source of a tunnel, not decrypted",
                      Origin.builtIn("tunnel-evidence"),
                      Nft.is(Nft.saddr(family), far),
                      Nft.NOT_DECRYPTED,
                      draft.drop("spoofed"))));
    }
    return rules;
  }

  /** Drops what is on its way to a far address and would leave in clear. */
  static List<Rule> towardsFarInClear(Draft draft) {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      draft
          .places
          .far(family)
          .ifPresent(far ->
              rules.add(
                  Nft.rule(
                      "for a tunnel, would leave in clear",
                      Origin.builtIn("tunnel-evidence"),
                      Nft.is(Nft.daddr(family), far),
                      Nft.IN_CLEAR,
                      draft.drop("clear"))));
    }
    return rules;
  }
}
