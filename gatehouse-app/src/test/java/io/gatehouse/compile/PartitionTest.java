package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.compile.Partition.Span;
import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class PartitionTest {
  private static final Origin HERE = Origin.builtIn("test");

  private static Claim<String> claim(String prefix, String owner) {
    return new Claim<>(Prefix.of(prefix), owner, HERE);
  }

  @Test
  void poolInsideALanIsAHoleInTheLan() {
    List<Claim<String>> parts =
        Partition.cut(List.of(claim("10.0.1.0/24", "lan"), claim("10.0.1.248/29", "pool")));

    assertThat(Partition.spans(parts))
        .containsExactly(
            new Span<>(Address.of("10.0.1.0"), Address.of("10.0.1.247"), "lan", HERE),
            new Span<>(Address.of("10.0.1.248"), Address.of("10.0.1.255"), "pool", HERE));
  }

  @Test
  void theWholeOfAFamilyCanBeCut() {
    List<Claim<String>> parts =
        Partition.cut(List.of(claim("::/0", "far"), claim("2001:db8::/32", "lan")));

    assertThat(Partition.spans(parts)).extracting(Span::owner).containsExactly("far", "lan", "far");
    assertThat(parts).filteredOn(part -> part.owner().equals("far")).hasSize(32);
  }

  @Test
  void lastAddressOfAFamilyDoesNotJoinTheFirst() {
    List<Claim<String>> parts =
        Partition.cut(List.of(claim("0.0.0.0/1", "a"), claim("128.0.0.0/1", "a")));

    assertThat(Partition.spans(parts))
        .singleElement()
        .extracting(Span::prefix)
        .isEqualTo(Optional.of(Prefix.ALL_V4));
  }

  @Property
  void everyAddressBelongsToItsMostSpecificClaim(@ForAll("claims") List<Claim<String>> claims) {
    List<Claim<String>> parts = Partition.cut(claims);
    for (int last = 0; last < 256; last++) {
      Address address = Address.of("10.0.0." + last);
      Optional<String> expected =
          claims.stream()
              .filter(claim -> claim.prefix().contains(address))
              .reduce((a, b) -> b.prefix().length() > a.prefix().length() ? b : a)
              .map(Claim::owner);
      assertThat(owners(parts, address))
          .as("%s in %s", address, claims)
          .isEqualTo(expected.stream().toList());
      assertThat(
              Partition.spans(parts).stream()
                  .filter(span ->
                      span.first().compareTo(address) <= 0 && span.last().compareTo(address) >= 0)
                  .map(Span::owner))
          .isEqualTo(expected.stream().toList());
    }
  }

  private static List<String> owners(List<Claim<String>> parts, Address address) {
    return parts.stream()
        .filter(part -> part.prefix().contains(address))
        .map(Claim::owner)
        .toList();
  }

  @Provide
  Arbitrary<List<Claim<String>>> claims() {
    Arbitrary<Prefix> prefixes =
        Combinators.combine(
                Arbitraries.integers().between(0, 255), Arbitraries.integers().between(24, 32))
            .as((last, length) -> Prefix.masked(Address.of("10.0.0." + last), length));
    return Combinators.combine(prefixes, Arbitraries.of("a", "b", "c"))
        .as((prefix, owner) -> new Claim<>(prefix, owner, HERE))
        .list()
        .ofMaxSize(8);
  }

  @Property
  void whatIsLeftWithoutHolesIsInOrder(@ForAll("claims") List<Claim<String>> claims) {
    List<Prefix> prefixes =
        new ArrayList<>(Partition.cut(claims).stream().map(Claim::prefix).toList());

    assertThat(prefixes).isSortedAccordingTo(Comparator.naturalOrder());
  }
}
