package io.gatehouse.diagnose;

import io.gatehouse.diagnose.Story.Sent;
import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The sessions of a story, a line each. */
final class Sessions {
  private Sessions() {}

  static List<String> of(Story story) {
    List<String> lines = new ArrayList<>();
    for (long cookie : story.cookies()) {
      Map<String, Integer> exchanges = new LinkedHashMap<>();
      int major = 0;
      for (int at = 0; at <= story.last() && exchanges.isEmpty(); at++) {
        for (Sent sent : story.messages(at, cookie)) {
          major = sent.message().major;
          exchanges.merge(name(sent.message()), sent.message().count, Integer::sum);
        }
      }
      lines.add(
          "IKEv%d %016x: %s"
              .formatted(
                  major,
                  cookie,
                  String.join(
                      ", ",
                      exchanges.entrySet().stream()
                          .map(e -> e.getKey() + " " + e.getValue())
                          .toList())));
    }
    for (boolean toServer : new boolean[] {true, false}) {
      Map<String, Sa> sas = new LinkedHashMap<>();
      for (int at = 0; at <= story.last(); at++) {
        story.sas(at, toServer).forEach(sa -> sas.putIfAbsent(sa.channel + "/" + sa.id, sa));
      }
      sas.values()
          .forEach(sa ->
              lines.add(
                  "%s %s %s: %d packets, numbers %d to %d"
                      .formatted(
                          sa.channel.title(),
                          toServer ? "→" : "←",
                          sa.channel == Channel.GRE ? "call " + sa.id : "0x%08x".formatted(sa.id),
                          sa.flow.count,
                          sa.lowest,
                          sa.highest)));
    }
    return lines;
  }

  private static String name(Message message) {
    return switch (message.key.exchange()) {
      case Ike.MAIN_MODE -> "Main Mode";
      case Ike.AGGRESSIVE -> "Aggressive Mode";
      case Ike.QUICK_MODE -> "Quick Mode";
      case Ike.TRANSACTION -> "Transaction";
      case Ike.SA_INIT -> "SA_INIT";
      case Ike.AUTH -> "AUTH";
      case Ike.CREATE_CHILD_SA -> "CREATE_CHILD_SA";
      case Ike.INFORMATIONAL, Ike.INFORMATIONAL_V1 -> "INFORMATIONAL";
      case Ike.INTERMEDIATE -> "INTERMEDIATE";
      default -> "exchange " + message.key.exchange();
    };
  }
}
