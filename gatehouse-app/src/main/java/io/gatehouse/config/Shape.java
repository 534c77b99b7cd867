package io.gatehouse.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Holds a tree against the key tables: unknown, duplicate and missing keys, values of the wrong
 * kind, words and numbers that are not known. What the values mean is the binder's to say; it
 * silently leaves out what was told here.
 */
final class Shape {
  private static final Pattern SECRET =
      Pattern.compile(".*(secret|psk|passw|passphrase|private-?key|pre-?shared).*");

  private static final Pattern IPV6_START = Pattern.compile("[0-9a-fA-F:]*:[0-9a-fA-F:]*");

  private static final Map<String, Boolean> FLAGS = Map.of("true", true, "false", false);

  private static final Map<String, String> OTHER_FLAGS =
      Map.of("yes", "true", "on", "true", "no", "false", "off", "false");

  private static final Map<String, Pattern> PATTERNS = new ConcurrentHashMap<>();

  /** Of a value that a pattern describes. */
  private static final int LONGEST = 256;

  private final Problems problems;

  Shape(Problems problems) {
    this.problems = problems;
  }

  /**
   * Whose value it is.
   *
   * @param name for a message
   * @param spot the key, or the value where it has none of its own
   */
  private record Owner(String name, Spot spot) {}

  /**
   * Checks the merged description.
   *
   * @param complete whether all of it is there; otherwise nothing is missed
   */
  void check(Node.Mapping root, boolean complete) {
    Owner owner = new Owner("the description", root.spot());
    known(root, Language.TOP, owner);
    if (complete) {
      missing(root, Language.TOP, owner);
    }
  }

  /** Checks the value of one key. */
  void check(Node node, Key key) {
    check(node, key.form(), new Owner("`" + key.name() + "`", node.spot()));
  }

  private void check(Node node, Form form, Owner owner) {
    switch (form) {
      case Form.Value value -> value(node, value, owner);
      case Form.Words words -> word(node, words, owner);
      case Form.Whole whole -> whole(node, whole, owner);
      case Form.Flag flag -> flag(node, flag, owner);
      case Form.WordOrWhole either -> wordOrWhole(node, either, owner);
      case Form.Several several -> several(node, several, owner);
      case Form.Fields fields -> {
        if (node instanceof Node.Mapping mapping) {
          fields(mapping, fields.section(), owner);
        } else {
          wrongKind(node, fields, owner);
        }
      }
      case Form.Named named -> named(node, named, owner);
      case Form.Variant variant -> variant(node, variant, owner);
      case Form.Either either -> {
        if (node instanceof Node.Mapping mapping && !isIpv6(mapping)) {
          fields(mapping, either.fields().section(), owner);
        } else {
          check(node, either.value(), owner);
        }
      }
    }
  }

  private Optional<Node.Scalar> scalar(Node node, Form form, Owner owner) {
    if (node instanceof Node.Scalar scalar && !scalar.isMissing()) {
      return Optional.of(scalar);
    }
    wrongKind(node, form, owner);
    return Optional.empty();
  }

  private void wrongKind(Node node, Form form, Owner owner) {
    if (node instanceof Node.Scalar scalar && scalar.isMissing()) {
      problems.error(owner.spot, owner.name + " has no value", "it takes " + form.text());
    } else if (node instanceof Node.Mapping mapping && isIpv6(mapping)) {
      String address = mapping.entries().getFirst().key().text() + ":";
      problems.error(
          mapping.entries().getFirst().key().spot(),
          "an IPv6 address that ends with a colon is a key to YAML",
          "write \"" + Quote.bare(address) + "\", with the quotes");
    } else {
      problems.error(spot(node), owner.name + " takes " + form.text() + ", not " + node.kind());
    }
  }

  /** `fd00::` in a list is read as the key `fd00:` with nothing behind it. */
  private static boolean isIpv6(Node.Mapping mapping) {
    return mapping.entries().size() == 1
        && mapping.entries().getFirst().value() instanceof Node.Scalar value
        && value.isMissing()
        && mapping.entries().getFirst().key().plain()
        && IPV6_START.matcher(mapping.entries().getFirst().key().text()).matches();
  }

  /** A block's own mark has no length: its first key shows better where it is. */
  static Spot spot(Node node) {
    return switch (node) {
      case Node.Mapping mapping when !mapping.entries().isEmpty() ->
          mapping.entries().getFirst().key().spot();
      case Node.Sequence sequence
          when !sequence.items().isEmpty() && sequence.spot().length() == 0 ->
          spot(sequence.items().getFirst());
      default -> node.spot();
    };
  }

  private void value(Node node, Form.Value form, Owner owner) {
    scalar(node, form, owner)
        .filter(scalar -> !fits(scalar, form))
        .ifPresent(scalar ->
            problems.error(
                scalar.spot(), Quote.of(scalar.text()) + " is not " + form.text(), form.rule()));
  }

  /** Whether the text has the form that was asked for. */
  static boolean fits(Node.Scalar scalar, Form.Value form) {
    if (scalar.isMissing()) {
      return false;
    }
    if (form.pattern().isEmpty()) {
      return true;
    }
    // Repeated groups recurse in java.util.regex: a hostile text would overflow the stack.
    return scalar.text().length() <= LONGEST
        && PATTERNS
            .computeIfAbsent(form.pattern(), Pattern::compile)
            .matcher(scalar.text())
            .matches();
  }

  private void word(Node node, Form.Words form, Owner owner) {
    scalar(node, form, owner).ifPresent(scalar -> word(scalar, form, form, owner));
  }

  private void word(Node.Scalar scalar, Form.Words words, Form whole, Owner owner) {
    String text = scalar.text();
    if (words.notYet().contains(text)) {
      notYet(scalar.spot(), text);
    } else if (!words.words().contains(text)) {
      problems.error(
          scalar.spot(),
          owner.name + " cannot be " + Quote.of(text),
          problems
              .didYouMean(text, words.words())
              .or(() -> Optional.of("it takes " + whole.text())));
    }
  }

  private void notYet(Spot spot, String word) {
    problems.error(
        spot,
        "`" + word + "` is not there yet: this version of gatehouse cannot do it",
        "leave it out");
  }

  private void whole(Node node, Form.Whole form, Owner owner) {
    scalar(node, form, owner).ifPresent(scalar -> whole(scalar, form, form, owner));
  }

  private void whole(Node.Scalar scalar, Form.Whole form, Form all, Owner owner) {
    if (number(scalar, form).isEmpty()) {
      problems.error(
          scalar.spot(),
          owner.name + " cannot be " + Quote.of(scalar.text()),
          "it takes " + all.text());
    }
  }

  private void wordOrWhole(Node node, Form.WordOrWhole form, Owner owner) {
    scalar(node, form, owner)
        .ifPresent(scalar -> {
          if (!scalar.text().isEmpty() && Character.isDigit(scalar.text().charAt(0))) {
            whole(scalar, form.whole(), form, owner);
          } else {
            word(scalar, form.words(), form, owner);
          }
        });
  }

  /** The number, within its bounds. A leading zero is refused: some would read it as octal. */
  static Optional<Long> number(Node.Scalar scalar, Form.Whole form) {
    return number(scalar.text()).filter(n -> n >= form.least() && n <= form.most());
  }

  static Optional<Long> number(String text) {
    if (text.matches("0x[0-9a-fA-F]{1,8}")) {
      return Optional.of(Long.parseLong(text.substring(2), 16));
    }
    return text.matches("0|[1-9][0-9]{0,9}") ? Optional.of(Long.parseLong(text)) : Optional.empty();
  }

  private void flag(Node node, Form.Flag form, Owner owner) {
    scalar(node, form, owner)
        .filter(scalar -> flag(scalar).isEmpty())
        .ifPresent(scalar -> {
          String meant = OTHER_FLAGS.get(scalar.text().toLowerCase(Locale.ROOT));
          problems.error(
              scalar.spot(),
              owner.name + " cannot be " + Quote.of(scalar.text()),
              meant == null ? "it takes " + form.text() : "did you mean `" + meant + "`?");
        });
  }

  static Optional<Boolean> flag(Node.Scalar scalar) {
    return Optional.ofNullable(FLAGS.get(scalar.text()));
  }

  private void several(Node node, Form.Several form, Owner owner) {
    if (!(node instanceof Node.Sequence sequence)) {
      check(node, form.item(), owner);
      return;
    }
    if (sequence.items().isEmpty() && form.emptyMeans().isEmpty()) {
      problems.error(
          sequence.spot(),
          owner.name + " is empty, which would say nothing",
          "name one at least, or leave the key out");
    }
    for (Node item : sequence.items()) {
      check(item, form.item(), new Owner("an item of " + owner.name, spot(item)));
    }
  }

  private void named(Node node, Form.Named form, Owner owner) {
    if (!(node instanceof Node.Mapping mapping)) {
      wrongKind(node, form, owner);
      return;
    }
    duplicates(mapping);
    for (Node.Entry entry : mapping.entries()) {
      String name = entry.key().text();
      if (!isName(name)) {
        problems.error(
            entry.key().spot(), Quote.of(name) + " cannot be a name here", Language.NAME_RULE);
      }
      String what = label(form.form());
      check(
          entry.value(),
          form.form(),
          new Owner((what.isEmpty() ? "" : what + " ") + Quote.of(name), entry.key().spot()));
    }
  }

  static boolean isName(String text) {
    if (text.isEmpty() || text.length() > 31 || text.charAt(0) < 'a' || text.charAt(0) > 'z') {
      return false;
    }
    return text.chars().allMatch(c -> (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
  }

  private static String label(Form form) {
    return switch (form) {
      case Form.Fields fields -> fields.section().label();
      case Form.Variant variant -> variant.sections().values().iterator().next().label();
      default -> "service";
    };
  }

  private void variant(Node node, Form.Variant form, Owner owner) {
    if (!(node instanceof Node.Mapping mapping)) {
      wrongKind(node, form, owner);
      return;
    }
    Optional<Node.Entry> chosen = mapping.find(form.key());
    if (chosen.isEmpty()) {
      problems.error(
          owner.spot, "`" + form.key() + "` is missing in " + owner.name, "one of " + known(form));
      return;
    }
    if (!(chosen.get().value() instanceof Node.Scalar word) || word.isMissing()) {
      wrongKind(
          chosen.get().value(),
          new Form.Words(List.copyOf(form.sections().keySet()), List.of()),
          new Owner("`" + form.key() + "`", chosen.get().key().spot()));
      return;
    }
    if (form.notYet().contains(word.text())) {
      problems.error(
          word.spot(),
          "type `" + word.text() + "` is not there yet: this version of gatehouse cannot do it",
          "there are " + known(form));
      return;
    }
    Section section = form.sections().get(word.text());
    if (section == null) {
      problems.error(
          word.spot(),
          "unknown " + form.key() + " " + Quote.of(word.text()) + " of " + owner.name,
          problems
              .didYouMean(word.text(), form.sections().keySet())
              .or(() -> Optional.of("there are " + known(form))));
      return;
    }
    fields(mapping, section, owner);
  }

  private static String known(Form.Variant form) {
    return form.sections().keySet().stream()
        .map(w -> "`" + w + "`")
        .collect(Collectors.joining(", "));
  }

  private void fields(Node.Mapping mapping, Section section, Owner owner) {
    duplicates(mapping);
    known(mapping, section, owner);
    missing(mapping, section, owner);
  }

  private void known(Node.Mapping mapping, Section section, Owner owner) {
    for (Node.Entry entry : mapping.entries()) {
      String name = entry.key().text();
      Optional<Key> key = section.key(name);
      if (key.isEmpty()) {
        unknown(entry.key(), section, owner);
      } else if (key.get().presence() == Key.Presence.NOT_YET) {
        notYet(entry, key.get(), section);
      } else if (!isEmptySection(entry, section)) {
        check(entry.value(), key.get().form(), new Owner("`" + name + "`", entry.key().spot()));
      }
    }
  }

  /** `tunnels:` with all of its tunnels commented out is a common sight. */
  private static boolean isEmptySection(Node.Entry entry, Section section) {
    return section.path().isEmpty()
        && entry.value() instanceof Node.Scalar scalar
        && scalar.isMissing()
        && section
            .key(entry.key().text())
            .filter(k -> k.form() instanceof Form.Named || k.form() instanceof Form.Fields)
            .isPresent();
  }

  private void missing(Node.Mapping mapping, Section section, Owner owner) {
    for (Key key : section.keys()) {
      if (key.presence() == Key.Presence.REQUIRED && mapping.find(key.name()).isEmpty()) {
        problems.error(
            owner.spot,
            "`" + key.name() + "` is missing in " + owner.name,
            "such as `" + key.name() + ": " + key.example() + "`");
      }
    }
  }

  private void notYet(Node.Entry entry, Key key, Section section) {
    boolean word =
        key.form() instanceof Form.Words words
            && entry.value() instanceof Node.Scalar scalar
            && !words.words().contains(scalar.text());
    Optional<String> near = word ? Nearest.to(key.name(), names(section, key)) : Optional.empty();
    if (near.isPresent()) {
      problems.error(
          entry.key().spot(),
          "`" + key.name() + "` is not a key here",
          "did you mean `" + near.get() + "`?");
    } else {
      String shown =
          key.form() instanceof Form.Words words
              ? key.name() + ": " + words.words().getFirst()
              : key.name();
      notYet(entry.key().spot(), shown);
    }
  }

  private static List<String> names(Section section, Key except) {
    return section.keys().stream()
        .map(Key::name)
        .filter(name -> !name.equals(except.name()))
        .toList();
  }

  private void unknown(Node.Scalar key, Section section, Owner owner) {
    String name = key.text();
    if (looksSecret(name)) {
      problems.error(
          key.spot(),
          Quote.of(name) + " looks like a secret, and secrets never stand in a description",
          "they belong to the IKE daemon: `secrets` in swanctl.conf");
      return;
    }
    List<String> known = new ArrayList<>();
    for (Key k : section.keys()) {
      if (k.presence() != Key.Presence.NOT_YET) {
        known.add(k.name());
      }
    }
    Optional<String> type = typeWithout(name, section);
    if (type.isPresent()) {
      problems.error(
          key.spot(),
          "tunnels of type `" + type.get() + "` have no " + Quote.of(name),
          "known keys: " + String.join(", ", known));
      return;
    }
    String where = section.path().isEmpty() ? "at the top of " + owner.name : "in " + owner.name;
    problems.error(
        key.spot(),
        "unknown key " + Quote.of(name) + " " + where,
        problems
            .didYouMean(name, known)
            .or(() -> Optional.of("known keys: " + String.join(", ", known))));
  }

  /** The type of a tunnel's section, where the key is one of another type. */
  private static Optional<String> typeWithout(String key, Section section) {
    Map<String, Section> all = Language.tunnels();
    return all.values().stream().anyMatch(other -> other.key(key).isPresent())
        ? all.entrySet().stream()
            .filter(e -> e.getValue().path().equals(section.path()))
            .map(Map.Entry::getKey)
            .findFirst()
        : Optional.empty();
  }

  static boolean looksSecret(String key) {
    return SECRET.matcher(key.toLowerCase(Locale.ROOT).replace('_', '-')).matches();
  }

  /** Tells of keys that come twice, with the first one's place. */
  void duplicates(Node.Mapping mapping) {
    Map<String, Spot> seen = HashMap.newHashMap(mapping.entries().size());
    for (Node.Entry entry : mapping.entries()) {
      Spot first = seen.putIfAbsent(entry.key().text(), entry.key().spot());
      if (first != null) {
        problems.error(
            entry.key().spot(),
            Quote.of(entry.key().text()) + " comes twice",
            "it stands at " + first.seenFrom(entry.key().spot()) + " already");
      }
    }
  }
}
