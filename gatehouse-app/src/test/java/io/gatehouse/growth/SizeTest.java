package io.gatehouse.growth;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.generated.Sizes;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What grows with a description, and what does not. */
class SizeTest {
  private static Ruleset compiled(String description) {
    Reading reading = Description.read("size.yaml", new Written(description));
    assertThat(reading).as(reading.problems().toString()).isInstanceOf(Reading.Understood.class);
    return Compiler.compile(((Reading.Understood) reading).gateway()).ruleset();
  }

  private static Table table(Ruleset ruleset) {
    return ruleset.tables().getFirst();
  }

  private static <T> List<T> without(List<T> all, List<T> others) {
    List<T> left = new ArrayList<>(all);
    left.removeAll(others);
    return left;
  }

  @Test
  void asManyRulesForThousandsOfPeersAsForTen() {
    Ruleset ten = compiled(Sizes.peers(10));
    Ruleset many = compiled(Sizes.peers(3000));
    assertThat(table(many).chains()).isEqualTo(table(ten).chains());
    assertThat(table(many).sets())
        .extracting(NftSet::name)
        .isEqualTo(table(ten).sets().stream().map(NftSet::name).toList());
    assertThat(many.sysctls()).isEqualTo(ten.sysctls());
    assertThat(many.rules()).isEqualTo(ten.rules());
    assertThat(many.routes()).isEqualTo(ten.routes());
  }

  @Test
  void anotherNetworkOfOnePeerChangesElementsOnly() {
    String before = Sizes.peers(100);
    int line = (int) before.substring(0, before.indexOf("10.0.120.0/24")).lines().count();
    Ruleset old = compiled(before);
    Ruleset now = compiled(before.replace("10.0.120.0/24", "10.99.72.0/24"));
    assertThat(table(now).chains()).isEqualTo(table(old).chains());
    assertThat(now.withTables(List.of()).rules()).isEqualTo(old.rules());
    assertThat(now.routes()).isEqualTo(old.routes());
    assertThat(now.sysctls()).isEqualTo(old.sysctls());
    List<NftSet> sets = table(now).sets();
    assertThat(sets).hasSameSizeAs(table(old).sets());
    int changed = 0;
    for (int i = 0; i < sets.size(); i++) {
      NftSet was = table(old).sets().get(i);
      NftSet is = sets.get(i);
      assertThat(is.name()).isEqualTo(was.name());
      assertThat(is.key()).isEqualTo(was.key());
      assertThat(is.flags()).isEqualTo(was.flags());
      List<NftSet.Element> changes = without(is.elements(), was.elements());
      changes.addAll(without(was.elements(), is.elements()));
      assertThat(changes)
          .as(is.name())
          .hasSizeLessThan(6)
          .allMatch(element -> element.origin().line() == line);
      changed += was.elements().equals(is.elements()) ? 0 : 1;
    }
    assertThat(changed).isPositive();
    // One prefix of many networks in a row is cut where one of them is taken out: six policies for
    // each part of it.
    assertThat(without(old.backstop(), now.backstop())).hasSize(6);
    assertThat(without(now.backstop(), old.backstop())).hasSizeLessThan(6 * 10);
  }

  @Test
  void onePeerMoreChangesElementsOnly() {
    Ruleset old = compiled(Sizes.peers(100));
    Ruleset now = compiled(Sizes.peers(101));
    assertThat(table(now).chains()).isEqualTo(table(old).chains());
    for (int i = 0; i < table(old).sets().size(); i++) {
      assertThat(without(table(old).sets().get(i).elements(), table(now).sets().get(i).elements()))
          .isEmpty();
    }
    assertThat(without(old.backstop(), now.backstop())).hasSizeLessThan(6 * 5);
  }

  @Test
  void aPoolOfManyAddressesIsOneOfFew() {
    Ruleset few = compiled(Sizes.groups(3));
    Ruleset many = compiled(Sizes.groups(3).replace("10.0.0.0/16", "10.0.0.0/24"));
    assertThat(table(many).chains()).isEqualTo(table(few).chains());
    for (int i = 0; i < table(few).sets().size(); i++) {
      assertThat(table(many).sets().get(i).elements())
          .hasSameSizeAs(table(few).sets().get(i).elements());
    }
  }

  @Test
  void rulesOfGroupsGrowWithTheirNumber() {
    int hundred = compiled(Sizes.groups(100)).ruleCount();
    int thousand = compiled(Sizes.groups(1000)).ruleCount();
    int two = compiled(Sizes.groups(2000)).ruleCount();
    assertThat(two - thousand).isEqualTo((thousand - hundred) * 10 / 9);
  }
}
