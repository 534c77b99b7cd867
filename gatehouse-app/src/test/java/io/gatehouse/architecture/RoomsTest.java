package io.gatehouse.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import io.gatehouse.cli.ExitStatus;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The layers of the shipped code, and proof that each rule sees what it forbids. */
class RoomsTest {

  @Nested
  class OfTheShippedCode {
    private static final Rooms ROOMS = new Rooms("io.gatehouse");
    private static final JavaClasses SHIPPED =
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.gatehouse");

    static Stream<ArchRule> rules() {
      return Stream.of(
          ROOMS.useOnlyRoomsBelow(),
          ROOMS.formNoCycle(),
          ROOMS.reachNativeCodeOnlyInNetlink(),
          ROOMS.doNoInputOrOutputWhenPure(),
          ROOMS.askNothingOfTheWorldWhenPure(),
          ROOMS.beNullMarked(),
          ROOMS.keepLibrariesToTheirRoom("picocli", "cli"),
          ROOMS.keepLibrariesToTheirRoom("org.snakeyaml", "config"));
    }

    @ParameterizedTest
    @MethodSource("rules")
    void everyRuleHolds(ArchRule rule) {
      rule.check(SHIPPED);
    }

    @Test
    void everyAllowedArrowExists() {
      assertThat(ROOMS.unused(SHIPPED)).isEmpty();
    }

    @Test
    void theImportFindsTheCode() {
      assertThat(SHIPPED.contain(ExitStatus.class)).isTrue();
    }
  }

  @Nested
  class OfWrongCode {
    private static final Rooms ROOMS = new Rooms("io.gatehouse.architecture.wrong");
    private static final JavaClasses WRONG =
        new ClassFileImporter().importPackages("io.gatehouse.architecture.wrong");

    static Stream<Arguments> rules() {
      return Stream.of(
          Arguments.of(ROOMS.useOnlyRoomsBelow(), "`compile` may not use `config`"),
          Arguments.of(ROOMS.useOnlyRoomsBelow(), "`model` may not use `packet`"),
          Arguments.of(ROOMS.useOnlyRoomsBelow(), "`apply` may not use `vici`"),
          Arguments.of(ROOMS.useOnlyRoomsBelow(), "`cellar`, which is no known room"),
          Arguments.of(ROOMS.formNoCycle(), "Slice model"),
          Arguments.of(ROOMS.reachNativeCodeOnlyInNetlink(), "java.lang.foreign.Arena"),
          Arguments.of(ROOMS.doNoInputOrOutputWhenPure(), "java.nio.file.Path"),
          Arguments.of(ROOMS.doNoInputOrOutputWhenPure(), "java.io.PrintStream"),
          Arguments.of(ROOMS.doNoInputOrOutputWhenPure(), "java.net.Socket"),
          Arguments.of(ROOMS.askNothingOfTheWorldWhenPure(), "System.currentTimeMillis()"),
          Arguments.of(ROOMS.askNothingOfTheWorldWhenPure(), "java.time.Instant.now()"),
          Arguments.of(ROOMS.askNothingOfTheWorldWhenPure(), "Clock.systemUTC()"),
          Arguments.of(ROOMS.askNothingOfTheWorldWhenPure(), "InetAddress.getByName("),
          Arguments.of(ROOMS.beNullMarked(), "wrong.cellar has no package-info.java"),
          Arguments.of(ROOMS.keepLibrariesToTheirRoom("picocli", "cli"), "picocli.CommandLine"));
    }

    @ParameterizedTest
    @MethodSource("rules")
    void everyRuleSeesWhatItForbids(ArchRule rule, String complaint) {
      assertThat(rule.evaluate(WRONG).getFailureReport().toString()).contains(complaint);
    }

    @Test
    void anAllowedArrowThatNothingHasIsSeen() {
      assertThat(ROOMS.unused(WRONG))
          .contains("`verify` → `ruleset`", "`cli` → `daemon`")
          .doesNotContain("`verify` → `path`", "`packet` → `model`");
    }

    @Test
    void whatIsAllowedIsNotBlamed() {
      assertThat(
              Stream.of(
                      ROOMS.useOnlyRoomsBelow(),
                      ROOMS.doNoInputOrOutputWhenPure(),
                      ROOMS.askNothingOfTheWorldWhenPure(),
                      ROOMS.beNullMarked())
                  .map(rule -> rule.evaluate(WRONG).getFailureReport().toString()))
          .isNotEmpty()
          .noneMatch(report -> report.contains("wrong.verify"));
    }
  }
}
