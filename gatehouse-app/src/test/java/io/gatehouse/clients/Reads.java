package io.gatehouse.clients;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** Readers that know nothing of how the files are written. */
final class Reads {
  private Reads() {}

  /** A property list (plist(5)): dictionaries as maps, arrays as lists, numbers as integers. */
  static Object plist(String text) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
    Element root =
        factory
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))
            .getDocumentElement();
    if (!root.getTagName().equals("plist") || !root.getAttribute("version").equals("1.0")) {
      throw new IllegalArgumentException("no property list");
    }
    List<Element> inside = children(root);
    if (inside.size() != 1) {
      throw new IllegalArgumentException("one value, not " + inside.size());
    }
    return value(inside.getFirst());
  }

  private static Object value(Element element) {
    return switch (element.getTagName()) {
      case "dict" -> {
        Map<String, Object> map = new LinkedHashMap<>();
        List<Element> parts = children(element);
        for (int i = 0; i < parts.size(); i += 2) {
          if (!parts.get(i).getTagName().equals("key") || i + 1 == parts.size()) {
            throw new IllegalArgumentException("a key and a value by turns");
          }
          if (map.put(parts.get(i).getTextContent(), value(parts.get(i + 1))) != null) {
            throw new IllegalArgumentException("twice: " + parts.get(i).getTextContent());
          }
        }
        yield map;
      }
      case "array" -> children(element).stream().map(Reads::value).toList();
      case "string", "data" -> element.getTextContent();
      case "integer" -> Integer.valueOf(element.getTextContent());
      default -> throw new IllegalArgumentException(element.getTagName());
    };
  }

  private static List<Element> children(Element element) {
    List<Element> all = new ArrayList<>();
    for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node instanceof Element inside) {
        all.add(inside);
      } else if (!node.getTextContent().isBlank() && node.getNodeType() == Node.TEXT_NODE) {
        throw new IllegalArgumentException("text between elements: " + node.getTextContent());
      }
    }
    return all;
  }

  /** A key file of GLib: groups of keys. */
  static Map<String, Map<String, String>> keyFile(String text) {
    Map<String, Map<String, String>> groups = new LinkedHashMap<>();
    Map<String, String> group = Map.of();
    for (String line : text.lines().toList()) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("[") && line.endsWith("]")) {
        group = new LinkedHashMap<>();
        if (groups.put(line.substring(1, line.length() - 1), group) != null) {
          throw new IllegalArgumentException("twice: " + line);
        }
      } else {
        int equals = line.indexOf('=');
        if (group.put(line.substring(0, equals), line.substring(equals + 1)) != null) {
          throw new IllegalArgumentException("twice: " + line);
        }
      }
    }
    return groups;
  }

  /** Commands of a PowerShell script, each on one line: its name and parameters. */
  static List<Map<String, String>> powerShell(String script) {
    List<Map<String, String>> commands = new ArrayList<>();
    for (String line : script.replace("`\n", " ").lines().toList()) {
      if (line.matches("[A-Z][a-z]+-[A-Za-z]+ .*")) {
        Map<String, String> command = new LinkedHashMap<>();
        String[] words = line.trim().split(" +(?=([^']*'[^']*')*[^']*$)", -1);
        command.put("", words[0]);
        for (int i = 1; i < words.length; i++) {
          boolean flag = i + 1 == words.length || words[i + 1].startsWith("-");
          if (!words[i].startsWith("-")) {
            throw new IllegalArgumentException("no parameter: " + words[i] + " in " + line);
          }
          command.put(words[i].substring(1), flag ? "" : words[++i].replaceAll("^'|'$", ""));
        }
        commands.add(command);
      }
    }
    return commands;
  }

  /** Option 121 as a client reads it (RFC 3442): each destination with its router. */
  static List<String> classlessRoutes(byte[] value) {
    List<String> routes = new ArrayList<>();
    int at = 0;
    while (at < value.length) {
      int bits = value[at++];
      if (bits < 0 || bits > 32) {
        throw new IllegalArgumentException(bits + " bits");
      }
      int octets = bits == 0 ? 0 : (bits - 1) / 8 + 1;
      StringBuilder net = new StringBuilder();
      for (int i = 0; i < 4; i++) {
        net.append(i == 0 ? "" : ".").append(i < octets ? value[at + i] & 0xff : 0);
      }
      at += octets;
      StringBuilder router = new StringBuilder();
      for (int i = 0; i < 4; i++) {
        router.append(i == 0 ? "" : ".").append(value[at++] & 0xff);
      }
      routes.add(net + "/" + bits + " " + router);
    }
    return routes;
  }
}
