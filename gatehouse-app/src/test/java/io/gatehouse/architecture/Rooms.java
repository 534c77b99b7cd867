package io.gatehouse.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.NullMarked;

/** The packages of Gatehouse, which other packages each may use, and what each may touch. */
final class Rooms {

  /**
   * Rooms that are functions of values: tested without root, with a clock handed in, and fuzzed.
   */
  private static final List<String> PURE =
      List.of(
          "model",
          "bdd",
          "packet",
          "ruleset",
          "config",
          "compile",
          "masquerade",
          "pptp",
          "path",
          "verify");

  /** Answers for people that are functions of values too. */
  private static final List<String> PURE_ANSWERS = List.of("clients", "diagnose");

  /** Each room, from the bottom, with the rooms it may use. */
  private static final Map<String, Set<String>> MAY_USE = mayUse();

  private final String root;

  /**
   * @param root the package that holds the rooms; the tests of these rules bring their own
   */
  Rooms(String root) {
    this.root = root;
  }

  private static Map<String, Set<String>> mayUse() {
    Map<String, Set<String>> rooms = new LinkedHashMap<>();
    rooms.put("model", Set.of());
    rooms.put("bdd", Set.of());
    rooms.put("packet", Set.of("model"));
    rooms.put("ruleset", Set.of("model"));
    rooms.put("config", Set.of("model"));
    rooms.put("compile", Set.of("ruleset", "model"));
    rooms.put("masquerade", Set.of("packet", "model"));
    rooms.put("pptp", Set.of("packet", "model"));
    rooms.put("path", Set.of("ruleset", "model", "bdd"));
    rooms.put("verify", Set.of("path", "ruleset", "model", "bdd"));
    rooms.put("netlink", Set.of("model"));
    rooms.put("vici", Set.of("model"));
    rooms.put("snapshot", Set.of("path", "ruleset", "model"));
    rooms.put(
        "slowpath",
        Set.of("netlink", "masquerade", "pptp", "compile", "ruleset", "packet", "model"));
    rooms.put("probe", Set.of("netlink", "packet", "model"));
    rooms.put("registration", Set.of("model"));
    // A change is computed from what stands.
    rooms.put("apply", Set.of("snapshot", "path", "ruleset", "model", "bdd"));
    rooms.put("doctor", Set.of("snapshot", "path", "ruleset", "model", "bdd"));
    rooms.put("capture", Set.of("masquerade", "packet", "model"));
    rooms.put("clients", Set.of("compile", "model"));
    rooms.put("diagnose", Set.of("packet", "model"));
    rooms.put(
        "daemon",
        Set.of(
            "slowpath",
            "registration",
            "vici",
            "netlink",
            "masquerade",
            "pptp",
            "compile",
            "ruleset",
            "model"));
    // `gatehouse run` starts the daemon.
    rooms.put(
        "cli",
        Set.of(
            "daemon",
            "doctor",
            "capture",
            "diagnose",
            "clients",
            "apply",
            "snapshot",
            "vici",
            "probe",
            "registration",
            "netlink",
            "verify",
            "path",
            "compile",
            "masquerade",
            "config",
            "ruleset",
            "packet",
            "model"));
    return Map.copyOf(rooms);
  }

  /** Arrows point down only, and every package below the root is a known room. */
  ArchRule useOnlyRoomsBelow() {
    return classes()
        .that()
        .resideInAPackage(root + "..")
        .should(
            new ArchCondition<JavaClass>("use only rooms below their own") {
              @Override
              public void check(JavaClass from, ConditionEvents events) {
                String room = room(from);
                if (room.isEmpty()) {
                  return;
                }
                Set<String> allowed = MAY_USE.get(room);
                if (allowed == null) {
                  events.add(
                      SimpleConditionEvent.violated(
                          from, from.getName() + " is in `" + room + "`, which is no known room"));
                  return;
                }
                from.getDirectDependenciesFromSelf().stream()
                    .filter(d -> inside(d.getTargetClass()))
                    .filter(d -> !room(d.getTargetClass()).equals(room))
                    .filter(d -> !allowed.contains(room(d.getTargetClass())))
                    .forEach(d ->
                        events.add(
                            SimpleConditionEvent.violated(
                                from,
                                "`%s` may not use `%s`: %s"
                                    .formatted(
                                        room, room(d.getTargetClass()), d.getDescription()))));
              }
            });
  }

  /**
   * The arrows that are allowed and that nothing has: the next one that is used by mistake.
   *
   * @return each as {@code `from` → `to`}
   */
  List<String> unused(JavaClasses code) {
    Map<String, Set<String>> used = new HashMap<>();
    for (JavaClass from : code) {
      if (inside(from)) {
        Set<String> rooms = used.computeIfAbsent(room(from), room -> new HashSet<>());
        from.getDirectDependenciesFromSelf().stream()
            .map(Dependency::getTargetClass)
            .filter(this::inside)
            .forEach(to -> rooms.add(room(to)));
      }
    }
    return MAY_USE.entrySet().stream()
        .flatMap(room ->
            room.getValue().stream()
                .filter(to -> !used.getOrDefault(room.getKey(), Set.of()).contains(to))
                .map(to -> "`%s` → `%s`".formatted(room.getKey(), to)))
        .sorted()
        .toList();
  }

  /** No two packages need each other, nested ones included. */
  ArchRule formNoCycle() {
    return slices().matching(root + ".(**)").should().beFreeOfCycles().allowEmptyShould(true);
  }

  /** The native world stands behind one door. */
  ArchRule reachNativeCodeOnlyInNetlink() {
    return noClasses()
        .that()
        .resideInAPackage(root + "..")
        .and()
        .resideOutsideOfPackage(root + ".netlink..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("java.lang.foreign..");
  }

  /** Pure rooms do no I/O. */
  ArchRule doNoInputOrOutputWhenPure() {
    return noClasses()
        .that(arePure())
        .should()
        .dependOnClassesThat(
            describe(
                "do I/O",
                c -> {
                  String p = c.getPackageName();
                  return (p.equals("java.io") && !c.getSimpleName().matches(MEMORY))
                      || p.startsWith("java.nio.file")
                      || p.startsWith("java.nio.channels")
                      || p.startsWith("java.net.")
                      || (p.equals("java.net") && !c.getSimpleName().matches(ADDRESSES))
                      || p.startsWith("java.util.logging")
                      || c.isEquivalentTo(ProcessBuilder.class)
                      || c.isEquivalentTo(Process.class)
                      || c.isEquivalentTo(Runtime.class)
                      || c.isEquivalentTo(Thread.class);
                }))
        .allowEmptyShould(true);
  }

  /** Buffers in memory, which bear the name of I/O only. */
  private static final String MEMORY = "ByteArrayOutputStream|StringWriter|Serializable";

  private static final String ADDRESSES =
      "InetAddress|Inet4Address|Inet6Address|UnknownHostException";

  /** Pure rooms give the same answer every time: no clock, no chance, no environment, no names. */
  ArchRule askNothingOfTheWorldWhenPure() {
    return noClasses()
        .that(arePure())
        .should()
        .accessTargetWhere(
            DescribedPredicate.describe("the answer differs from run to run", Rooms::differs))
        .allowEmptyShould(true);
  }

  private static boolean differs(JavaAccess<?> access) {
    String owner = access.getTargetOwner().getName();
    String name = access.getName();
    return switch (owner) {
      case "java.lang.System" ->
          !Set.of("arraycopy", "identityHashCode", "lineSeparator").contains(name);
      case "java.lang.Math" -> name.equals("random");
      case "java.util.UUID" -> name.equals("randomUUID");
      case "java.util.Random",
          "java.util.SplittableRandom",
          "java.util.concurrent.ThreadLocalRandom",
          "java.security.SecureRandom" ->
          name.equals("<init>") || name.equals("current");
      case "java.util.Date" -> name.equals("<init>");
      // Whatever is not a literal goes to DNS; `ofLiteral` never does.
      case "java.net.InetAddress", "java.net.Inet4Address", "java.net.Inet6Address" ->
          Set.of(
                  "getByName",
                  "getAllByName",
                  "getLocalHost",
                  "getHostName",
                  "getCanonicalHostName",
                  "isReachable")
              .contains(name);
      case "java.time.Clock" -> name.startsWith("system") || name.startsWith("tick");
      default ->
          owner.startsWith("java.time.")
              && name.equals("now")
              && access.getTarget().getFullName().matches(".*\\.now\\((java\\.time\\.ZoneId)?\\)");
    };
  }

  /** Every package says that null stands in none of its signatures. */
  ArchRule beNullMarked() {
    return classes()
        .that()
        .resideInAPackage(root + "..")
        .should(
            new ArchCondition<JavaClass>("reside in a @NullMarked package") {
              @Override
              public void check(JavaClass type, ConditionEvents events) {
                boolean marked =
                    type.getPackage()
                        .tryGetPackageInfo()
                        .map(info -> info.isAnnotatedWith(NullMarked.class))
                        .orElse(false);
                if (!marked) {
                  events.add(
                      SimpleConditionEvent.violated(
                          type,
                          "%s has no package-info.java with @NullMarked (seen at %s)"
                              .formatted(type.getPackageName(), type.getName())));
                }
              }
            });
  }

  /** Libraries that one room hides from the others. */
  ArchRule keepLibrariesToTheirRoom(String library, String room) {
    return noClasses()
        .that()
        .resideInAPackage(root + "..")
        .and()
        .resideOutsideOfPackage(root + "." + room + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(library + "..");
  }

  private DescribedPredicate<JavaClass> arePure() {
    return describe(
        "are pure", c -> inside(c) && (PURE.contains(room(c)) || PURE_ANSWERS.contains(room(c))));
  }

  private static DescribedPredicate<JavaClass> describe(
      String what, java.util.function.Predicate<JavaClass> predicate) {
    return DescribedPredicate.describe(what, predicate);
  }

  private boolean inside(JavaClass type) {
    String name = type.getPackageName();
    return name.equals(root) || name.startsWith(root + ".");
  }

  /** The first package name below the root; empty for the root itself. */
  private String room(JavaClass type) {
    String name = type.getPackageName();
    if (name.equals(root)) {
      return "";
    }
    String below = name.substring(root.length() + 1);
    int dot = below.indexOf('.');
    return dot < 0 ? below : below.substring(0, dot);
  }
}
