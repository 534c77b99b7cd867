package io.gatehouse.cli;

import io.gatehouse.capture.FrameStream;
import io.gatehouse.diagnose.Channel;
import io.gatehouse.diagnose.Diagnosis;
import io.gatehouse.diagnose.Finding;
import io.gatehouse.diagnose.Point;
import io.gatehouse.diagnose.Watch;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.PacketTap;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Packet;
import java.io.IOException;
import java.io.InputStream;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse diagnose CAPTURE...}: where a VPN session breaks. */
final class Diagnose {
  /** Bytes of a frame that are looked at: headers, and the clear part of IKE. */
  private static final int KEPT = 2048;

  /** Stories that have a table; the others are counted. */
  private static final int TABLES = 3;

  private static final int COLUMN = 14;

  /** How long a capture on the live host takes where nobody says. */
  private static final int SECONDS = 30;

  private final Subcommand.Call call;
  private final Surroundings surroundings;
  private final List<String> remarks = new ArrayList<>();

  /** A capture and its point, where it is named. */
  record Source(Optional<Point> point, String file) {}

  private Diagnose(Subcommand.Call call, Surroundings surroundings) {
    this.call = call;
    this.surroundings = surroundings;
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "diagnose",
            "Says where a VPN session breaks, by captures from one to four points.",
            call -> new Diagnose(call, surroundings).run());
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("[POINT=]CAPTURE")
            .arity("0..4")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description(
                "A capture, pcap or pcapng, also in gzip, and where it was taken: client-lan"
                    + " (inside), client-isp (outside), server-isp or server-dmz (dmz); guessed"
                    + " where it is not said.")
            .build());
    spec.addOption(
        OptionSpec.builder("--live")
            .paramLabel("[POINT=]DEVICE")
            .arity("1")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description(
                "Captures on this host's own devices instead, for a time; may be repeated. Needs"
                    + " root.")
            .build());
    spec.addOption(
        OptionSpec.builder("--seconds")
            .paramLabel("N")
            .type(Integer.class)
            .defaultValue(Integer.toString(SECONDS))
            .description("How long --live captures.")
            .build());
    spec.addOption(
        OptionSpec.builder("--sessions")
            .description("With each session and SA that was seen.")
            .type(boolean.class)
            .build());
    spec.addOption(Subcommand.json());
    spec.usageMessage().footer("", "Ends with 1 where something is wrong, and 0 elsewhere.");
    return spec;
  }

  private int run() {
    boolean live = !call.options("--live").isEmpty();
    List<String> words = live ? call.options("--live") : call.positionals(0);
    if (words.isEmpty() || (live && !call.positionals(0).isEmpty())) {
      throw wrong("captures, or --live and devices");
    }
    List<Source> sources = words.stream().map(Diagnose::source).toList();
    long named = sources.stream().filter(source -> source.point().isPresent()).count();
    if (sources.stream().map(Source::point).flatMap(Optional::stream).distinct().count() < named) {
      throw wrong("two captures of one point");
    }
    if (sources.size() > Point.values().length) {
      throw wrong("there are four points at most");
    }
    if (named > 0 && named < sources.size()) {
      throw wrong("name the point of each capture, or of none");
    }
    List<Watch> watches = new ArrayList<>();
    try (Progress progress = Progress.on(call.err())) {
      if (live) {
        OptionalInt status = listen(sources, watches, progress);
        if (status.isPresent()) {
          return status.getAsInt();
        }
      } else {
        for (Source source : sources) {
          progress.step("reading " + source.file());
          Optional<Watch> watch = read(source.file(), progress);
          if (watch.isEmpty()) {
            return ExitStatus.NO;
          }
          watches.add(watch.get());
        }
      }
    }
    List<Point> points;
    if (named > 0) {
      points = sources.stream().map(source -> source.point().orElseThrow()).toList();
    } else {
      Optional<List<Point>> guessed = Diagnosis.guess(watches);
      boolean silent = watches.stream().allMatch(watch -> watch.vpnPackets() == 0);
      if (guessed.isEmpty() && !silent && watches.size() > 1) {
        return refused(
            "the packets do not tell where these were captured: name the points, such as"
                + " client-lan="
                + sources.getFirst().file());
      }
      points = guessed.orElseGet(() -> List.of(Point.values()).subList(0, watches.size()));
      for (int i = 0; i < sources.size() && guessed.isPresent(); i++) {
        remarks.add(
            sources.get(i).file() + ": taken at the " + points.get(i).title() + ", by its packets");
      }
    }
    return answer(watches, Diagnosis.of(watches, points));
  }

  static Source source(String word) {
    int equals = word.indexOf('=');
    Optional<Point> point = equals > 0 ? Point.of(word.substring(0, equals)) : Optional.empty();
    return new Source(point, point.isPresent() ? word.substring(equals + 1) : word);
  }

  private Optional<Watch> read(String name, Progress progress) {
    Watch watch = new Watch();
    Optional<FrameStream.Ending> end;
    try (InputStream in = Files.newInputStream(surroundings.directory().resolve(name))) {
      end =
          FrameStream.read(
              in,
              KEPT,
              frame -> {
                frame
                    .packet()
                    .ifPresentOrElse(
                        packet -> watch.packet(frame.time(), packet),
                        () -> watch.other(frame.time()));
                if (watch.frames() % 1_000_000 == 0) {
                  progress.step("reading " + name + ", " + watch.frames() + " packets");
                }
              });
    } catch (IOException | InvalidPathException e) {
      refused("cannot read " + name);
      return Optional.empty();
    }
    if (end.isPresent() && watch.frames() == 0) {
      refused(name + ": " + end.get().what());
      return Optional.empty();
    }
    end.ifPresent(e ->
        remarks.add(
            "%s ends early, at byte %d: %s; the packets before count"
                .formatted(name, e.offset(), e.what())));
    if (watch.malformed() > 0) {
      remarks.add(name + ": " + watch.malformed() + " packets cannot be read, and are left out");
    }
    if (watch.ignored() > 0) {
      remarks.add(name + ": " + watch.ignored() + " packets of too many hosts are left out");
    }
    return Optional.of(watch);
  }

  /** Captures for a time; answers an exit status where that is not possible. */
  private OptionalInt listen(List<Source> sources, List<Watch> watches, Progress progress) {
    int seconds =
        call.option("--seconds")
            .filter(text -> text.matches("[1-9][0-9]{0,3}"))
            .map(Integer::valueOf)
            .orElseThrow(() -> wrong("--seconds: 1 to 9999"));
    Map<Integer, Watch> byDevice = new LinkedHashMap<>();
    for (Source source : sources) {
      Watch watch = new Watch();
      watches.add(watch);
      Optional<Integer> index = index(source.file());
      if (index.isEmpty()) {
        return OptionalInt.of(refused("there is no device " + source.file()));
      }
      byDevice.put(index.get(), watch);
    }
    switch (PacketTap.open(0, KEPT)) {
      case Answer.Failed<PacketTap>(Failure why) -> {
        refused("raw sockets are not to be had (" + why + "): run it as root");
        return OptionalInt.of(ExitStatus.LACKING);
      }
      case Answer.Told<PacketTap>(PacketTap tap) -> {
        progress.step("capturing for " + seconds + " s");
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        try (PacketTap open = tap) {
          for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            open.receive(Duration.ofNanos(left)).ifPresent(seen -> see(byDevice, seen));
          }
        }
        return OptionalInt.empty();
      }
    }
  }

  private static void see(Map<Integer, Watch> byDevice, PacketTap.Seen seen) {
    Watch watch = byDevice.get(seen.index());
    if (watch != null) {
      Bytes bytes = Bytes.taking(seen.bytes().array());
      watch.packet(
          System.nanoTime(),
          bytes.length() < seen.length() ? Packet.parseBeginning(bytes) : Packet.parse(bytes));
    }
  }

  private static Optional<Integer> index(String device) {
    try {
      return Optional.ofNullable(NetworkInterface.getByName(device))
          .map(NetworkInterface::getIndex);
    } catch (SocketException e) {
      return Optional.empty();
    }
  }

  private ParameterException wrong(String text) {
    return new ParameterException(call.spec().commandLine(), text);
  }

  private int refused(String why) {
    Page.wrapped("gatehouse diagnose: " + Page.harmless(why), Described.WIDTH, 0)
        .forEach(call.err()::println);
    call.err().flush();
    return ExitStatus.NO;
  }

  // ---- in words

  private int answer(List<Watch> watches, Diagnosis diagnosis) {
    call.answer(
        call.isSet("--json")
            ? Json.text(json(watches, diagnosis))
            : surroundings.paint().page(text(diagnosis)));
    return diagnosis.findings().isEmpty() ? ExitStatus.FINE : ExitStatus.NO;
  }

  private String text(Diagnosis diagnosis) {
    StringBuilder text = new StringBuilder();
    remarks.forEach(remark -> wrapped(text, "- ", remark));
    int shown = 0;
    for (Diagnosis.Table table : diagnosis.tables()) {
      if (shown++ >= TABLES) {
        break;
      }
      picture(text, diagnosis.points(), table);
      table.findings().forEach(finding -> finding(text, finding));
    }
    if (diagnosis.tables().isEmpty()) {
      diagnosis.findings().forEach(finding -> finding(text, finding));
    }
    int more = diagnosis.tables().size() - TABLES;
    if (more > 0) {
      wrapped(text, "- ", "%d more pairs of hosts talk; --json has them all".formatted(more));
    }
    text.append(
        diagnosis.findings().isEmpty()
            ? "✓ nothing is wrong in what was captured\n"
            : "✗ " + Page.counted(diagnosis.findings().size(), "finding") + "\n");
    return text.toString();
  }

  private void picture(StringBuilder text, List<Point> points, Diagnosis.Table table) {
    wrapped(text, "", String.join(", ", table.clients()) + " → " + table.server());
    StringBuilder head = new StringBuilder(" ".repeat(18));
    for (Point point : Point.values()) {
      head.append(padded(point.title()));
    }
    text.append(head.toString().stripTrailing()).append('\n');
    for (Diagnosis.Row row : table.rows()) {
      line(text, row.channel().title(), "→", points, row.toServer(), true);
      line(text, "", "←", points, row.toClient(), false);
    }
    if (call.isSet("--sessions")) {
      table.sessions().forEach(line -> wrapped(text, "  ", line));
    }
  }

  private static void line(
      StringBuilder text,
      String name,
      String arrow,
      List<Point> points,
      List<Long> counts,
      boolean toServer) {
    StringBuilder line = new StringBuilder("  ").append(name);
    line.repeat(' ', 14 - line.length()).append(arrow).append("   ");
    for (Point point : Point.values()) {
      int at = points.indexOf(point);
      if (at < 0) {
        line.append(padded(toServer && !name.isEmpty() ? "no capture" : ""));
        continue;
      }
      int before = toServer ? at - 1 : at + 1;
      boolean vanished =
          counts.get(at) == 0 && before >= 0 && before < counts.size() && counts.get(before) >= 2;
      line.append(padded(counts.get(at) + (vanished ? " ✗" : "")));
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }

  private static String padded(String cell) {
    return cell + " ".repeat(Math.max(1, COLUMN - cell.length()));
  }

  private static void finding(StringBuilder text, Finding finding) {
    wrapped(
        text,
        "✗ ",
        finding.text()
            + " ("
            + finding.kind().word()
            + (finding.suggestive() ? ", likely" : "")
            + ")");
    for (int i = 0; i < finding.next().size(); i++) {
      wrapped(text, i == 0 ? "  next: " : "        ", finding.next().get(i));
    }
  }

  private static void wrapped(StringBuilder text, String mark, String words) {
    List<String> lines = Page.wrapped(Page.harmless(words), Described.WIDTH - mark.length(), 0);
    for (int i = 0; i < lines.size(); i++) {
      text.append(i == 0 ? mark : " ".repeat(mark.length())).append(lines.get(i)).append('\n');
    }
  }

  // ---- for programs

  private Map<String, Object> json(List<Watch> watches, Diagnosis diagnosis) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", diagnosis.findings().isEmpty());
    answer.put("points", diagnosis.points().stream().map(Point::word).toList());
    answer.put("packets", watches.stream().map(Watch::frames).toList());
    List<Map<String, Object>> stories = new ArrayList<>();
    for (Diagnosis.Table table : diagnosis.tables()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("clients", table.clients());
      one.put("server", table.server());
      List<Map<String, Object>> rows = new ArrayList<>();
      for (Diagnosis.Row row : table.rows()) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("channel", row.channel().word());
        line.put("toServer", row.toServer());
        line.put("toClient", row.toClient());
        rows.add(line);
      }
      one.put("rows", rows);
      one.put("sessions", table.sessions());
      one.put("findings", table.findings().stream().map(Diagnose::json).toList());
      stories.add(one);
    }
    answer.put("stories", stories);
    answer.put("findings", diagnosis.findings().stream().map(Diagnose::json).toList());
    answer.put("remarks", remarks);
    return answer;
  }

  private static Map<String, Object> json(Finding finding) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("finding", finding.kind().word());
    one.put("channel", finding.channel().map(Channel::word).orElse(""));
    one.put("from", finding.from().map(Point::word).orElse(""));
    one.put("to", finding.to().map(Point::word).orElse(""));
    one.put("likely", finding.suggestive());
    one.put("text", finding.text());
    one.put("next", finding.next());
    return one;
  }
}
