package io.gatehouse.cli;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.probe.Probe;
import io.gatehouse.probe.Question;
import io.gatehouse.probe.RawWire;
import io.gatehouse.probe.Report;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse probe HOST}: which VPN protocols reach it, and the hop that stops one. */
final class ProbeHost {
  private static final int HOPS = 20;

  private static final List<Question> QUESTIONS =
      List.of(Question.UDP_500, Question.UDP_4500, Question.ESP, Question.TCP_1723, Question.GRE);

  private ProbeHost() {}

  static CommandSpec spec() {
    CommandSpec spec =
        Subcommand.of(
            "probe",
            "Says which VPN protocols reach a host, and the hop that stops one; needs root.",
            ProbeHost::run);
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("HOST")
            .arity("1")
            .required(true)
            .type(String.class)
            .description("An IPv4 address, or a name that has one.")
            .build());
    for (Question question : QUESTIONS) {
      spec.addOption(
          OptionSpec.builder("--" + question.word())
              .type(boolean.class)
              .description("Only " + question.title() + "; several may be named.")
              .build());
    }
    spec.addOption(
        OptionSpec.builder("--hops")
            .paramLabel("N")
            .type(Integer.class)
            .defaultValue(Integer.toString(HOPS))
            .description("Routers at most that are asked.")
            .build());
    spec.addOption(Subcommand.json());
    spec.usageMessage()
        .footer("", "Ends with 1 where something is blocked or refused, and 0 elsewhere.");
    return spec;
  }

  private static int run(Subcommand.Call call) throws IOException {
    int hops =
        call.option("--hops")
            .filter(text -> text.matches("[1-9][0-9]?"))
            .map(Integer::valueOf)
            .filter(n -> n <= 40)
            .orElseThrow(
                () -> new ParameterException(call.spec().commandLine(), "--hops: 1 to 40"));
    Optional<Inet4Address> host = host(call.positional(0));
    if (host.isEmpty()) {
      return refused(call, "no IPv4 address of " + call.positional(0) + " is known", ExitStatus.NO);
    }
    List<Question> asked =
        QUESTIONS.stream().filter(question -> call.isSet("--" + question.word())).toList();
    Optional<Address> from = own(host.get());
    if (from.isEmpty()) {
      return refused(call, "no way to " + host.get().getHostAddress(), ExitStatus.NO);
    }
    return switch (RawWire.open()) {
      case Answer.Failed<RawWire>(Failure why) ->
          refused(
              call,
              "raw sockets are not to be had (" + why + "): run it as root",
              ExitStatus.LACKING);
      case Answer.Told<RawWire>(RawWire wire) -> {
        try (RawWire open = wire;
            Progress progress = Progress.on(call.err())) {
          Report report =
              Probe.ask(
                  open,
                  from.get(),
                  Address.fromBytes(host.get().getAddress()),
                  asked.isEmpty() ? QUESTIONS : asked,
                  hops,
                  Probe.ROUND,
                  System.nanoTime() * 0x9e3779b97f4a7c15L,
                  progress::step);
          progress.clear();
          call.answer(call.isSet("--json") ? Json.text(json(report)) : text(report));
          yield report.hasBlocks() ? ExitStatus.NO : ExitStatus.FINE;
        }
      }
    };
  }

  private static Optional<Inet4Address> host(String name) {
    try {
      return Arrays.stream(InetAddress.getAllByName(name))
          .filter(Inet4Address.class::isInstance)
          .map(Inet4Address.class::cast)
          .findFirst();
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** The source that the kernel would take; nothing is sent. */
  private static Optional<Address> own(Inet4Address host) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(host, 500));
      return socket.getLocalAddress() instanceof Inet4Address own && !own.isAnyLocalAddress()
          ? Optional.of(Address.fromBytes(own.getAddress()))
          : Optional.empty();
    } catch (IOException | java.io.UncheckedIOException e) {
      return Optional.empty();
    }
  }

  private static int refused(Subcommand.Call call, String why, int status) {
    call.err().println("gatehouse probe: " + Page.harmless(why));
    call.err().flush();
    return status;
  }

  static String text(Report report) {
    StringBuilder text = new StringBuilder();
    Page page = new Page("");
    page.row("way", way(report));
    for (Report.Result result : report.results()) {
      String mark =
          switch (result.verdict()) {
            case ANSWERS -> "✓ ";
            case REFUSED, ENDS -> "✗ ";
            case PASSES, SILENT -> "? ";
          };
      page.row(result.question().word(), mark + result.text());
    }
    text.append(page.text());
    boolean silent =
        report.results().stream()
            .anyMatch(
                r -> r.verdict() == Report.Verdict.PASSES || r.verdict() == Report.Verdict.SILENT);
    if (silent) {
      for (String line :
          Page.wrapped(
              "Silence proves nothing: ESP and GRE have no answer for strangers, and a server may"
                  + " keep quiet. `gatehouse diagnose` with captures from both ends knows more.",
              Described.WIDTH,
              0)) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }

  private static String way(Report report) {
    List<String> hops = new ArrayList<>();
    for (Report.Hop hop : report.way()) {
      hops.add(hop.number() + " " + hop.who().map(Address::toString).orElse("?"));
    }
    hops.add(
        report.host()
            + (report.pings() ? ", which answers a ping" : ", which does not answer a ping"));
    return String.join(", ", hops);
  }

  private static Map<String, Object> json(Report report) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", !report.hasBlocks());
    answer.put("host", report.host().toString());
    answer.put("pings", report.pings());
    answer.put(
        "way",
        report.way().stream().map(hop -> hop.who().map(Address::toString).orElse("")).toList());
    answer.put(
        "results",
        report.results().stream()
            .map(result -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("protocol", result.question().word());
              one.put("verdict", result.verdict().name().toLowerCase(Locale.ROOT));
              one.put("where", result.where().map(Address::toString).orElse(""));
              one.put("text", result.text());
              return one;
            })
            .toList());
    return answer;
  }
}
