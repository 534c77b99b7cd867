package io.gatehouse.daemon;

import io.gatehouse.masquerade.Binding;
import io.gatehouse.masquerade.Refusal;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Suspected;
import io.gatehouse.masquerade.Undecided;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.pptp.Call;
import io.gatehouse.pptp.CallStatus;
import io.gatehouse.slowpath.SlowPath;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the control socket says and takes about VPN hosts behind this one. */
final class Masqueraded {
  private Masqueraded() {}

  /** What somebody wants changed. */
  sealed interface Wish {
    record Release(Address host, Address remote) implements Wish {}

    record Register(Address host, Address remote, int spi) implements Wish {}
  }

  /** {@code masquerade-release HOST REMOTE}, {@code masquerade-register HOST REMOTE SPI}. */
  static Optional<Wish> wish(String question) {
    List<String> words = List.of(question.split(" ", -1));
    boolean register = words.getFirst().equals("masquerade-register");
    if (words.size() != (register ? 4 : 3)) {
      return Optional.empty();
    }
    Optional<Address> host = address(words.get(1));
    Optional<Address> remote = address(words.get(2));
    if (host.isEmpty() || remote.isEmpty()) {
      return Optional.empty();
    }
    return register
        ? spi(words.get(3)).map(spi -> new Wish.Register(host.get(), remote.get(), spi))
        : Optional.of(new Wish.Release(host.get(), remote.get()));
  }

  private static Optional<Address> address(String text) {
    return Address.parse(text).filter(address -> address.family() == Family.V4);
  }

  private static Optional<Integer> spi(String text) {
    try {
      return Optional.of(Long.decode(text))
          .filter(spi -> spi > 0 && spi <= 0xffffffffL)
          .map(Long::intValue);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** A line for all together, then one for each binding, each open SPI, each refusal. */
  static List<String> lines(SlowPath.Report report) {
    List<String> lines = new ArrayList<>();
    Map<String, String> all = new LinkedHashMap<>();
    all.put("what", "all");
    all.put("masquerades", report.status().isPresent() ? "yes" : "no");
    all.put("hosts", Integer.toString(report.hosts()));
    all.put("ike-sessions", Integer.toString(report.sessions()));
    all.put("waiting", Integer.toString(report.waiting()));
    report
        .status()
        .ifPresent(status -> {
          all.put("revised", Long.toString(status.revised()));
          all.put("collisions", Long.toString(status.collisions()));
        });
    lines.add(Control.form(all));
    report.trouble().ifPresent(trouble -> lines.add(Control.form(Map.of("trouble", trouble))));
    report.status().ifPresent(status -> lines(status, report.at(), lines));
    report.calls().ifPresent(calls -> lines(calls, lines));
    return lines;
  }

  private static void lines(Status status, long at, List<String> lines) {
    for (Binding binding : status.bindings()) {
      Map<String, String> line = new LinkedHashMap<>();
      line.put("what", "binding");
      line.put("remote", binding.remote().toString());
      line.put("spi", "0x%08x".formatted(binding.spi()));
      line.put("host", binding.host().toString());
      line.put("evidence", binding.evidence().name().toLowerCase(Locale.ROOT));
      line.put("why", binding.evidence().words());
      line.put("seconds", seconds(at, binding.since()));
      line.put("idle", seconds(at, binding.seen()));
      lines.add(Control.form(line));
    }
    for (Undecided undecided : status.undecided()) {
      Map<String, String> line = new LinkedHashMap<>();
      line.put("what", "undecided");
      line.put("remote", undecided.remote().toString());
      line.put("spi", "0x%08x".formatted(undecided.spi()));
      line.put("packets", Long.toString(undecided.packets()));
      line.put("seconds", seconds(at, undecided.since()));
      line.put("hosts", words(undecided.hosts()));
      lines.add(Control.form(line));
    }
    for (Suspected suspected : status.suspected()) {
      Map<String, String> line = new LinkedHashMap<>();
      line.put("what", "suspected");
      line.put("remote", suspected.remote().toString());
      line.put("hosts", words(suspected.hosts()));
      line.put("times", Integer.toString(suspected.times()));
      line.put("seconds", seconds(at, suspected.since()));
      lines.add(Control.form(line));
    }
    status
        .refused()
        .forEach((reason, count) ->
            lines.add(
                Control.form(
                    Map.of("what", "refused", "why", reason.words(), "count", count.toString()))));
    for (Refusal refusal : status.refusals()) {
      Map<String, String> line = new LinkedHashMap<>();
      line.put("what", "refusal");
      line.put("seconds", seconds(at, refusal.at()));
      line.put("host", refusal.inside().toString());
      line.put("remote", refusal.remote().toString());
      line.put("why", refusal.reason().words());
      lines.add(Control.form(line));
    }
  }

  private static void lines(CallStatus calls, List<String> lines) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("what", "calls");
    all.put("count", Integer.toString(calls.calls().size()));
    all.put("connections", Integer.toString(calls.connections()));
    lines.add(Control.form(all));
    for (Call call : calls.calls()) {
      Map<String, String> line = new LinkedHashMap<>();
      line.put("what", "call");
      line.put("remote", call.remote().toString());
      line.put("id", Integer.toString(call.id()));
      line.put("host", call.host().toString());
      line.put("own", Integer.toString(call.own()));
      lines.add(Control.form(line));
    }
    calls
        .refused()
        .forEach((reason, count) ->
            lines.add(
                Control.form(
                    Map.of("what", "refused", "why", reason.words(), "count", count.toString()))));
  }

  private static String words(List<Address> hosts) {
    return hosts.stream().map(Address::toString).collect(Collectors.joining(" "));
  }

  private static String seconds(long at, long then) {
    return Long.toString(Math.max(0, at - then) / 1000);
  }
}
