package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An SA, as {@code ip xfrm state} prints it.
 *
 * @param sent its counter of packets that went out through it
 * @param received the highest number that came in through it
 * @param encapsulation its line about UDP encapsulation; nothing where ESP travels by itself
 * @param line 1-based, of its first one
 */
record Sa(
    Address source,
    Address destination,
    String protocol,
    String spi,
    String reqid,
    boolean tunnelMode,
    boolean marked,
    long sent,
    long received,
    Optional<String> encapsulation,
    int overhead,
    int line) {

  /** Every SA that is one: such as wait for an answer of an IKE daemon are none. */
  static List<Sa> all(String text) {
    List<Sa> all = new ArrayList<>();
    List<String> lines = text.lines().toList();
    int begin = 0;
    while (begin < lines.size()) {
      int end = begin + 1;
      while (end < lines.size() && !begins(lines.get(end))) {
        end++;
      }
      of(lines.subList(begin, end), begin + 1).ifPresent(all::add);
      begin = end;
    }
    return List.copyOf(all);
  }

  private static boolean begins(String line) {
    return !line.isEmpty() && !Character.isWhitespace(line.charAt(0));
  }

  private static Optional<Sa> of(List<String> lines, int number) {
    List<String> words =
        lines.stream()
            .flatMap(line -> Stream.of(line.strip().split("[\\s,]+", -1)))
            .filter(word -> !word.isEmpty())
            .toList();
    Optional<Address> source = after(words, "src").flatMap(Address::parse);
    Optional<Address> destination = after(words, "dst").flatMap(Address::parse);
    String spi = bare(after(words, "spi").orElse(""));
    String protocol = after(words, "proto").orElse("");
    String reqid = bare(after(words, "reqid").orElse("0"));
    // One that an IKE daemon has asked a number for, and not filled yet, has no algorithm.
    boolean whole = words.stream().anyMatch(ALGORITHMS::contains);
    if (source.isEmpty()
        || destination.isEmpty()
        || !spi.matches("0x0*[1-9a-f][0-9a-f]*")
        || !protocol.matches("[a-z0-9-]+")
        || !reqid.matches("[0-9]{1,10}")
        || !whole) {
      return Optional.empty();
    }
    Optional<String> encapsulation =
        lines.stream().map(String::strip).filter(l -> l.startsWith("encap type")).findFirst();
    return Optional.of(
        new Sa(
            source.get(),
            destination.get(),
            protocol,
            spi,
            reqid,
            after(words, "mode").filter("transport"::equals).isEmpty(),
            lines.stream().map(String::strip).anyMatch(l -> l.startsWith("mark ")),
            hexadecimal(after(words, "oseq")),
            hexadecimal(seq(words)),
            encapsulation,
            overhead(words),
            number));
  }

  /** With `-s` another one stands before the one that counts. */
  private static Optional<String> seq(List<String> words) {
    int at = words.lastIndexOf("seq");
    return at >= 0 && at + 1 < words.size() ? Optional.of(words.get(at + 1)) : Optional.empty();
  }

  private static Optional<String> after(List<String> words, String word) {
    int at = words.indexOf(word);
    return at >= 0 && at + 1 < words.size() ? Optional.of(words.get(at + 1)) : Optional.empty();
  }

  /** Without the same number in the other base, which `-s` adds. */
  private static String bare(String word) {
    int parenthesis = word.indexOf('(');
    return parenthesis < 0 ? word : word.substring(0, parenthesis);
  }

  private static long hexadecimal(Optional<String> word) {
    return word.filter(w -> w.matches("0x[0-9a-fA-F]{1,15}"))
        .map(w -> Long.parseLong(w.substring(2), 16))
        .orElse(0L);
  }

  private static final Set<String> ALGORITHMS = Set.of("aead", "auth", "auth-trunc", "enc", "comp");

  private record Cost(int iv, int block) {}

  private static final Map<String, Cost> CIPHERS =
      Map.of(
          "rfc4106(gcm(aes))", new Cost(8, 4),
          "rfc7539esp(chacha20,poly1305)", new Cost(8, 4),
          "cbc(aes)", new Cost(16, 16),
          "ecb(cipher_null)", new Cost(0, 4));

  /**
   * Bytes in front and behind, the most that padding may take included (RFC 4303, 2.4); of what we
   * do not know the costliest.
   */
  private static int overhead(List<String> words) {
    String cipher = after(words, "aead").or(() -> after(words, "enc")).orElse("");
    Cost cost = CIPHERS.getOrDefault(cipher, new Cost(16, 16));
    int check = 32;
    String name = words.contains("aead") ? "aead" : "auth-trunc";
    int at = words.indexOf(name);
    if (at >= 0 && at + 3 < words.size() && words.get(at + 3).matches("[0-9]{2,3}")) {
      check = Integer.parseInt(words.get(at + 3)) / 8;
    }
    return 8 + cost.iv + cost.block - 1 + 2 + check;
  }

  /** As ip(8) takes it. */
  String name() {
    return "src " + source + " dst " + destination + " proto " + protocol + " spi " + spi;
  }

  Finding.Evidence evidence(String more) {
    return new Finding.Evidence(name() + " reqid " + reqid + more, "xfrm-state.txt:" + line);
  }
}
