package io.gatehouse.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.schema.CoreSchema;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The schema as an editor uses it: with YAML's own numbers and truth values. */
class JsonSchemaTest {
  private static final Path EXAMPLES =
      Path.of(System.getProperty("gatehouse.home", ".."), "examples");

  /**
   * What the reader refuses by its shape and the schema does not: a file without {@code gateway}
   * may be a part of another's, and an editor reads {@code 010} as a number like any other.
   */
  private static final Set<String> BEYOND = Set.of("gateway-missing.yaml", "number-octal.yaml");

  private static final JsonMapper MAPPER = new JsonMapper();

  private static Schema schema() {
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_7)
        .getSchema(MAPPER.valueToTree(Description.schema()));
  }

  /** As an editor's YAML 1.2 reader sees it; nothing where it is none. */
  private static Optional<JsonNode> asAnEditorReads(Path file) throws IOException {
    LoadSettings settings = LoadSettings.builder().setSchema(new CoreSchema()).build();
    try {
      Object tree = new Load(settings).loadFromString(Files.readString(file));
      return Optional.ofNullable(tree).map(t -> MAPPER.<JsonNode>valueToTree(t));
    } catch (YamlEngineException | IOException e) {
      return Optional.empty();
    }
  }

  private static List<Path> yaml(Path directory) throws IOException {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(path -> path.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  /** What {@link Shape} alone says against a text; nothing where that is no tree at all. */
  private static List<Problem> shape(byte[] content) {
    Problems problems = new Problems();
    Problems unreadable = new Problems();
    Optional<Node> root =
        Text.decode("x.yaml", 0, ByteBuffer.wrap(content), unreadable)
            .flatMap(text -> Tree.parse(text, new Tree.Budget(100_000), unreadable));
    if (root.isPresent() && root.get() instanceof Node.Mapping mapping) {
      new Shape(problems).check(mapping, true);
    }
    return problems.sorted();
  }

  /** Places in a tree, outermost first. */
  private static List<JsonPointer> places(JsonNode node, JsonPointer at) {
    List<JsonPointer> all = new ArrayList<>();
    all.add(at);
    if (node instanceof ObjectNode object) {
      object
          .properties()
          .forEach(e -> all.addAll(places(e.getValue(), at.appendProperty(e.getKey()))));
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        all.addAll(places(array.get(i), at.appendIndex(i)));
      }
    }
    return all;
  }

  private static List<ObjectNode> examples() throws IOException {
    List<ObjectNode> examples = new ArrayList<>();
    for (Path file : yaml(EXAMPLES)) {
      ObjectNode example = (ObjectNode) asAnEditorReads(file).orElseThrow();
      if (example.has("gateway")) { // otherwise it is a part that another one includes
        examples.add(example);
      }
    }
    return examples;
  }

  @Test
  void whatIsUnderstoodIsValid() throws IOException {
    Schema schema = schema();
    List<Path> understood = new ArrayList<>(yaml(EXAMPLES));
    understood.addAll(yaml(Directory.fixtures("valid")));
    for (Path file : yaml(Directory.fixtures("mistakes"))) {
      if (file.getFileName().toString().startsWith("warning-")) {
        understood.add(file);
      }
    }
    assertThat(understood).hasSizeGreaterThan(30);
    for (Path file : understood) {
      List<Error> errors = schema.validate(asAnEditorReads(file).orElseThrow());
      assertThat(errors).as(file.toString()).isEmpty();
    }
  }

  @Test
  void mistakesOfShapeAreNot() throws IOException {
    Schema schema = schema();
    Set<String> missed = new TreeSet<>();
    int caught = 0;
    try (Stream<Path> files = Files.list(Directory.fixtures("mistakes"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
        Optional<JsonNode> read = asAnEditorReads(file);
        if (read.isEmpty() || shape(Files.readAllBytes(file)).isEmpty()) {
          continue;
        }
        if (schema.validate(read.get()).isEmpty()) {
          missed.add(file.getFileName().toString());
        } else {
          caught++;
        }
      }
    }
    assertThat(missed).isEqualTo(BEYOND);
    assertThat(caught).isGreaterThan(20);
  }

  @Test
  void aKeyThatNobodyKnowsIsRefusedWherever() throws IOException {
    Schema schema = schema();
    int tried = 0;
    for (ObjectNode example : examples()) {
      for (JsonPointer place : places(example, JsonPointer.empty())) {
        ObjectNode other = example.deepCopy();
        if (other.at(place) instanceof ObjectNode object) {
          object.put("Nobody", 1);
          assertThat(schema.validate(other)).as("%s", place).isNotEmpty();
          tried++;
        }
      }
    }
    assertThat(tried).isGreaterThan(300);
  }

  @Test
  void aMapWhereTextIsTakenIsRefusedWherever() throws IOException {
    Schema schema = schema();
    int tried = 0;
    for (ObjectNode example : examples()) {
      for (JsonPointer place : places(example, JsonPointer.empty())) {
        ObjectNode other = example.deepCopy();
        if (other.at(place).isValueNode()) {
          ObjectNode wrong = MAPPER.createObjectNode().put("Nobody", 1);
          switch (other.at(place.head())) {
            case ObjectNode object -> object.set(place.last().getMatchingProperty(), wrong);
            case ArrayNode array -> array.set(place.last().getMatchingIndex(), wrong);
            default -> throw new AssertionError(place);
          }
          assertThat(schema.validate(other)).as("%s", place).isNotEmpty();
          tried++;
        }
      }
    }
    assertThat(tried).isGreaterThan(500);
  }

  /** Most keys may be missing: both know which. */
  @Test
  void aMissingKeyIsMissedWhereTheReaderMissesIt() throws IOException {
    Schema schema = schema();
    int missed = 0;
    for (ObjectNode example : examples()) {
      for (JsonPointer place : places(example, JsonPointer.empty())) {
        ObjectNode other = example.deepCopy();
        // Keys at the top of a file that includes others may stand there.
        boolean elsewhere = example.has("include") && place.toString().lastIndexOf('/') == 0;
        if (!place.toString().equals("/gateway")
            && !place.toString().isEmpty()
            && !elsewhere
            && other.at(place.head()) instanceof ObjectNode object) {
          object.remove(place.last().getMatchingProperty());
          boolean refused = !shape(MAPPER.writeValueAsBytes(other)).isEmpty();
          assertThat(!schema.validate(other).isEmpty()).as("%s", place).isEqualTo(refused);
          missed += refused ? 1 : 0;
        }
      }
    }
    assertThat(missed).isGreaterThan(200);
  }
}
