package io.gatehouse.cli;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.Journey.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A packet in words: {@code tcp 10.0.3.5:40000 -> 10.0.1.20:445 in staff}. Words that are printed
 * can be read again.
 */
final class PacketWords {
  /** What stands for a client's port where nobody says which. */
  private static final int SOME_PORT = 40_000;

  private static final String EXAMPLE = "tcp 10.0.3.5 -> 10.0.1.20:445 in staff";

  /** A device that nothing names. */
  private static final String ANOTHER = "another-device";

  private static final Pattern ENDPOINT =
      Pattern.compile("\\[([^\\[\\]]*)](?::([0-9]+))?|([0-9.]+):([0-9]+)|([0-9A-Fa-f:.]+)");

  private PacketWords() {}

  /** What the words came to. */
  sealed interface Read {
    /**
     * A packet.
     *
     * @param made whether this host makes it
     * @param assumed what the words left open and was chosen, for people
     */
    record Understood(Packet packet, boolean made, List<String> assumed) implements Read {
      public Understood {
        assumed = List.copyOf(assumed);
      }
    }

    /**
     * None.
     *
     * @param column 1-based
     * @param length of the offending word; 0 for a place between two
     */
    record Wrong(int column, int length, String message, String wayOut) implements Read {}
  }

  // ---- printing

  /** The words for a packet. */
  static String of(Packet packet, boolean made) {
    StringBuilder text = new StringBuilder(protocol(packet.protocol()));
    text.append(' ').append(endpoint(packet.protocol(), packet.source(), packet.sourcePort()));
    text.append(" -> ");
    text.append(endpoint(packet.protocol(), packet.destination(), packet.destinationPort()));
    if (isIcmp(packet.protocol())) {
      text.append(" type ").append(packet.icmpType()).append(" code ").append(packet.icmpCode());
    }
    if (packet.connection() != Connection.NEW) {
      text.append(' ').append(packet.connection().name().toLowerCase(Locale.ROOT));
    }
    text.append(packet.reply() ? " reply" : "");
    packet.tunnel().ifPresent(name -> text.append(" in ").append(name));
    String device = packet.device().equals(HeaderSpace.ANOTHER_DEVICE) ? ANOTHER : packet.device();
    return made ? text.toString() : text + " from " + device;
  }

  /** Source and destination as it left. */
  static String ends(Packet packet, Outcome outcome) {
    return endpoint(packet.protocol(), outcome.source(), outcome.sourcePort())
        + " -> "
        + endpoint(packet.protocol(), outcome.destination(), outcome.destinationPort());
  }

  private static String protocol(int number) {
    return number == Protocol.ICMPV6.number()
        ? "icmpv6"
        : Protocol.byNumber(number).map(Protocol::text).orElse(Integer.toString(number));
  }

  private static String endpoint(int protocol, Address address, int port) {
    if (!Protocol.byNumber(protocol).map(Protocol::hasPorts).orElse(false)) {
      return address.toString();
    }
    return (address.family() == Family.V6 ? "[" + address + "]" : address.toString()) + ":" + port;
  }

  private static boolean isIcmp(int protocol) {
    return protocol == Protocol.ICMP.number() || protocol == Protocol.ICMPV6.number();
  }

  // ---- reading

  /** Reads words about a packet that this gateway meets. */
  static Read read(String text, Gateway gateway) {
    return read(text, Whereabouts.of(gateway));
  }

  /** Reads words about a packet that somebody meets there. */
  static Read read(String text, Whereabouts there) {
    try {
      return new Reader(text, there).read();
    } catch (Misread misread) {
      return misread.wrong;
    }
  }

  /** Carries what is wrong out of the reader, no further. */
  private static final class Misread extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient Read.Wrong wrong;

    Misread(Read.Wrong wrong) {
      super(wrong.message(), null, false, false);
      this.wrong = wrong;
    }
  }

  private record Word(String text, int column) {
    boolean is(String word) {
      return text.equalsIgnoreCase(word);
    }
  }

  private record Endpoint(Address address, OptionalInt port, Word word) {}

  private static final class Reader {
    private final Whereabouts there;
    private final int end;
    private final List<Word> words = new ArrayList<>();
    private final List<String> assumed = new ArrayList<>();
    private int at = 0;

    private Optional<String> device = Optional.empty();
    private Optional<String> tunnel = Optional.empty();
    private Connection connection = Connection.NEW;
    private boolean reply = false;
    private OptionalInt type = OptionalInt.empty();
    private int code = 0;

    Reader(String text, Whereabouts there) {
      this.there = there;
      end = text.length() + 1;
      Matcher matcher = Pattern.compile("[^\\s,]+").matcher(text);
      while (matcher.find()) {
        words.add(new Word(matcher.group(), matcher.start() + 1));
      }
    }

    Read read() {
      int protocol = protocol(next("a protocol", EXAMPLE));
      Endpoint source = endpoint(next("where it comes from", EXAMPLE), protocol);
      Word arrow = next("`->`", EXAMPLE);
      if (!arrow.is("->") && !arrow.is("→")) {
        throw wrong(arrow, "`->` stands between source and destination", EXAMPLE);
      }
      Endpoint destination = endpoint(next("where it goes to", EXAMPLE), protocol);
      Family family = source.address().family();
      if (destination.address().family() != family) {
        throw wrong(
            destination.word(),
            "source and destination are of different families",
            "a packet is IPv4 or IPv6 as a whole");
      }
      fits(protocol, family);
      while (at < words.size()) {
        option(words.get(at++), protocol);
      }
      boolean made = isMade(source.address());
      return new Read.Understood(
          new Packet(
              made ? "lo" : arrival(source.address()),
              tunnel,
              connection,
              reply,
              protocol,
              source.address(),
              destination.address(),
              port(source, protocol, SOME_PORT),
              port(destination, protocol, -1),
              isIcmp(protocol) ? type.orElse(family == Family.V4 ? 8 : 128) : 0,
              code),
          made,
          assumed);
    }

    private Word next(String what, String example) {
      if (at < words.size()) {
        return words.get(at++);
      }
      throw new Misread(new Read.Wrong(end, 0, what + " is missing", "such as: " + example));
    }

    private static Misread wrong(Word word, String message, String wayOut) {
      return new Misread(new Read.Wrong(word.column(), word.text().length(), message, wayOut));
    }

    private static int protocol(Word word) {
      String name = word.text().toLowerCase(Locale.ROOT);
      if (name.equals("icmpv6") || name.equals("icmp6")) {
        return Protocol.ICMPV6.number();
      }
      for (Protocol protocol : Protocol.values()) {
        if (protocol.text().equals(name)) {
          return protocol.number();
        }
      }
      return number(
          word,
          255,
          "`" + word.text() + "` is no protocol",
          "tcp, udp, icmp, icmpv6, esp, ah, gre, sctp, or its number");
    }

    private static int number(Word word, int most, String message, String wayOut) {
      if (!word.text().matches("[0-9]{1,5}") || Integer.parseInt(word.text()) > most) {
        throw wrong(word, message, wayOut);
      }
      return Integer.parseInt(word.text());
    }

    private static Endpoint endpoint(Word word, int protocol) {
      Matcher matcher = ENDPOINT.matcher(word.text());
      Optional<Address> address = Optional.empty();
      Optional<String> port = Optional.empty();
      if (matcher.matches()) {
        address =
            Stream.of(1, 3, 5)
                .flatMap(group -> Optional.ofNullable(matcher.group(group)).stream())
                .findFirst()
                .flatMap(Address::parse);
        port =
            Optional.ofNullable(matcher.group(2)).or(() -> Optional.ofNullable(matcher.group(4)));
      }
      if (address.isEmpty()) {
        throw wrong(
            word,
            "`" + word.text() + "` is no address with or without a port",
            "10.0.3.5, 10.0.3.5:40000, 2001:db8::5, [2001:db8::5]:40000");
      }
      boolean ports = hasPorts(protocol);
      if (port.isPresent() && !ports) {
        throw wrong(word, PacketWords.protocol(protocol) + " has no ports", "leave the port out");
      }
      if (port.isPresent() && (port.get().length() > 5 || Integer.parseInt(port.get()) > 65535)) {
        throw wrong(word, port.get() + " is no port", "a port is at most 65535");
      }
      return new Endpoint(
          address.get(),
          port.map(Integer::parseInt).map(OptionalInt::of).orElse(OptionalInt.empty()),
          word);
    }

    private static boolean hasPorts(int protocol) {
      return Protocol.byNumber(protocol).map(Protocol::hasPorts).orElse(false);
    }

    private void fits(int protocol, Family family) {
      boolean other = protocol == (family == Family.V4 ? Protocol.ICMPV6 : Protocol.ICMP).number();
      if (other) {
        throw wrong(
            words.getFirst(),
            "IPv" + (family == Family.V4 ? "4" : "6") + " has another ICMP",
            family == Family.V4 ? "icmp" : "icmpv6");
      }
    }

    /** A source's port where it is left out; a destination's is part of the question. */
    private int port(Endpoint endpoint, int protocol, int otherwise) {
      if (!hasPorts(protocol)) {
        return 0;
      }
      if (endpoint.port().isEmpty() && otherwise < 0) {
        throw wrong(
            endpoint.word(),
            "which port? " + PacketWords.protocol(protocol) + " has many",
            endpoint.address().family() == Family.V4
                ? endpoint.address() + ":443"
                : "[" + endpoint.address() + "]:443");
      }
      return endpoint.port().orElse(otherwise);
    }

    private void option(Word word, int protocol) {
      switch (word.text().toLowerCase(Locale.ROOT)) {
        case "in" -> tunnel = Optional.of(tunnel(next("the tunnel", "in " + someTunnel())));
        case "from" -> device = Optional.of(device(next("the device", "from eth0")));
        case "new" -> connection = Connection.NEW;
        case "established" -> connection = Connection.ESTABLISHED;
        case "related" -> connection = Connection.RELATED;
        case "invalid" -> connection = Connection.INVALID;
        case "reply" -> {
          reply = true;
          connection = connection == Connection.NEW ? Connection.ESTABLISHED : connection;
        }
        case "type" -> {
          icmp(word, protocol);
          type = OptionalInt.of(icmpNumber(next("ICMP's type", "type 8")));
        }
        case "code" -> {
          icmp(word, protocol);
          code = icmpNumber(next("ICMP's code", "code 4"));
        }
        default ->
            throw wrong(
                word,
                "`" + word.text() + "` says nothing here",
                "in TUNNEL, from DEVICE, established, related, invalid, reply, type N, code N");
      }
    }

    private static void icmp(Word word, int protocol) {
      if (!isIcmp(protocol)) {
        throw wrong(word, "only ICMP has types and codes", "leave it out");
      }
    }

    private static int icmpNumber(Word word) {
      return number(word, 255, "`" + word.text() + "` is no number of ICMP's", "0 to 255");
    }

    private String someTunnel() {
      return there.tunnels().stream().findFirst().orElse("staff");
    }

    /** Names of tunnels that a kernel has are of several words: the longest that fits. */
    private String tunnel(Word word) {
      String name = word.text();
      int behind = at;
      Optional<String> found = Optional.of(name).filter(there.tunnels()::contains);
      for (int i = at; i < words.size() && i < at + 3; i++) {
        name += " " + words.get(i).text();
        if (there.tunnels().contains(name)) {
          found = Optional.of(name);
          behind = i + 1;
        }
      }
      if (found.isEmpty()) {
        throw wrong(
            word,
            "no tunnel `" + word.text() + "`",
            there.tunnels().isEmpty()
                ? there.name() + " has none"
                : "there are " + String.join(", ", there.tunnels()));
      }
      at = behind;
      return found.get();
    }

    /** By its name in the kernel or in a description. */
    private String device(Word word) {
      if (word.text().equals(ANOTHER)) {
        return HeaderSpace.ANOTHER_DEVICE;
      }
      return there
          .device(word.text())
          .orElseThrow(() ->
              wrong(
                  word,
                  "no device `" + word.text() + "`",
                  "there are " + String.join(", ", there.devices())));
    }

    // ---- what the words leave open

    private boolean isMade(Address source) {
      return device.isEmpty() && tunnel.isEmpty() && there.isOwn(source);
    }

    /** The device by which such a packet comes, where the words do not say. */
    private String arrival(Address source) {
      if (device.isPresent()) {
        return device.get();
      }
      String by = there.arrival(source, tunnel);
      if (there.devices().size() > 1) {
        String name = by.equals(HeaderSpace.ANOTHER_DEVICE) ? ANOTHER : by;
        assumed.add("it comes by " + name + "; `from DEVICE` says otherwise");
      }
      return by;
    }
  }
}
