package io.gatehouse.it.daemon;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.generated.Sizes;
import io.gatehouse.it.lab.OwnNamespace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Fifty thousand clients in a thousand groups, which reach each their own: `gatehouse run` proves
 * it, lays it and fills it, on the running kernel. That packets then go where they may shows {@code
 * GroupsAtSizeIT}.
 */
@Tag("full")
@Timeout(600)
class ManyGroupsIT {
  private static final int GROUPS = 1000;
  private static final int CLIENTS = 50_000;
  private static final Pattern ELEMENT =
      Pattern.compile("([0-9.]+)(?: timeout \\S+)?(?: expires \\S+)? : goto (\\S+?)[,\\s]");

  private static final String INTERFACES =
      OwnNamespace.TWO_LINKS
          + """
          ip addr add 203.0.113.2/24 dev eth0
          ip addr add 172.16.0.1/16 dev eth1
          """;

  @TempDir Path directory;

  private static String address(int number) {
    return "10.0." + number / 256 + "." + number % 256;
  }

  private static Map<String, String> map(String name) throws Exception {
    Map<String, String> elements = new HashMap<>();
    Matcher matcher = ELEMENT.matcher(sh("nft list map inet gatehouse " + name));
    while (matcher.find()) {
      elements.put(matcher.group(1), matcher.group(2));
    }
    return elements;
  }

  private static void soon(Map<Integer, Integer> groups) {
    for (String prefix : new String[] {"from_staff", "in_staff"}) {
      Map<String, String> expected = new HashMap<>();
      groups.forEach((number, group) -> expected.put(address(number), prefix + ".g" + group));
      await()
          .pollInSameThread() // which is in the namespace
          .pollInterval(Duration.ofSeconds(1))
          .atMost(Duration.ofMinutes(2))
          .until(() -> map(prefix + ".groups4").equals(expected));
    }
  }

  @Test
  void eachClientIsInItsGroupAndChangesIt() {
    OwnNamespace.in(() -> {
      sh(INTERFACES);
      Path file = directory.resolve("groups.yaml");
      Files.writeString(file, Sizes.groups(GROUPS, GROUPS));
      Path vici = directory.resolve("charon.vici");
      Gatehouse gatehouse = new Gatehouse(directory, vici, file);
      try (PlayedCharon charon = new PlayedCharon(vici, ManyGroupsIT::address)) {
        Map<Integer, Integer> groups = new HashMap<>();
        for (int i = 1; i <= CLIENTS; i++) {
          groups.put(i, i % GROUPS);
          charon.comes(i, "somebody@g" + i % GROUPS);
        }
        gatehouse.run();
        soon(groups);
        assertThat(sh("nft list chain inet gatehouse from_staff.g999")).contains("dport 5999");

        charon.leaves(CLIENTS);
        charon.leaves(777);
        charon.comes(777, "somebody@g778");
        groups.remove(CLIENTS);
        groups.put(777, 778);
        soon(groups);
      } finally {
        gatehouse.end();
      }
    });
  }
}
