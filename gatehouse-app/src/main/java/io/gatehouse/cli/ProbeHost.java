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
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
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
            .description("An address, or a name that has one.")
            .build());
    for (Question question : QUESTIONS) {
      spec.addOption(
          OptionSpec.builder("--" + question.word())
              .type(boolean.class)
              .description("Only " + question.title() + "; several may be named.")
              .build());
    }
    spec.addOption(
        OptionSpec.builder("--ipv6")
            .type(boolean.class)
            .description("Of a name's addresses one of IPv6; else one of IPv4, where it has any.")
            .build());
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
    Optional<InetAddress> host = host(call.positional(0), call.isSet("--ipv6"));
    if (host.isEmpty()) {
      return refused(
          call,
          "no address of "
              + call.positional(0)
              + " is known"
              + (call.isSet("--ipv6") ? " in IPv6" : ""),
          ExitStatus.NO);
    }
    if (host.get().isLinkLocalAddress()) {
      return refused(
          call, call.positional(0) + " is of one link: no router lies between", ExitStatus.NO);
    }
    List<Question> asked =
        QUESTIONS.stream().filter(question -> call.isSet("--" + question.word())).toList();
    Address to = Address.fromBytes(host.get().getAddress());
    Optional<Address> from = own(host.get());
    if (from.isEmpty()) {
      return refused(call, "no way to " + to, ExitStatus.NO);
    }
    return switch (RawWire.open(to.family())) {
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
                  to,
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

  private static Optional<InetAddress> host(String name, boolean six) {
    try {
      Comparator<InetAddress> four = Comparator.comparing(Inet4Address.class::isInstance);
      return Arrays.stream(InetAddress.getAllByName(name))
          .filter(address -> !six || address instanceof Inet6Address)
          .max(four);
    } catch (UnknownHostException e) {
      return Optional.empty();
    }
  }

  /** The source that the kernel would take; nothing is sent. */
  private static Optional<Address> own(InetAddress host) {
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.connect(new InetSocketAddress(host, 500));
      InetAddress own = socket.getLocalAddress();
      return own != null && !own.isAnyLocalAddress() && own.getClass() == host.getClass()
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
