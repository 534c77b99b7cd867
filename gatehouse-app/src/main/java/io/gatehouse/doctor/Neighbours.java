package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What hosts on the LAN make of a tunnel's far side. */
final class Neighbours {
  private Neighbours() {}

  static List<Finding> look(Patient patient, List<String> notJudged) {
    List<Finding> findings = new ArrayList<>();
    Set<String> done = new HashSet<>();
    for (Link link : patient.links()) {
      for (var device : patient.host().devices()) {
        for (var address : device.addresses()) {
          Prefix net = address.link();
          if (net.family() != link.family() || link.far().isAll() || device.name().equals("lo")) {
            continue;
          }
          boolean outer = link.device().filter(device.name()::equals).isPresent();
          boolean larger = net.length() < net.family().bits();
          if (larger
              && net.contains(link.far())
              && !outer
              && done.add("proxy " + device.name() + link.far())) {
            proxy(patient, link, device.name(), net, findings, notJudged);
          }
          if (larger
              && outer
              && net.overlaps(link.near())
              && !patient.isOwn(link.near())
              && done.add("redirect " + device.name() + link.family())) {
            redirect(patient, link, device.name(), findings);
          }
        }
      }
    }
    return findings;
  }

  /** A virtual address out of the LAN's own prefix: who answers when a LAN host asks for it? */
  private static void proxy(
      Patient patient,
      Link link,
      String device,
      Prefix net,
      List<Finding> findings,
      List<String> notJudged) {
    boolean four = link.family() == Family.V4;
    if (!patient.has("ip-neigh-proxy.json")) {
      notJudged.add(
          "whether LAN hosts find the way to " + link.far() + ": proxy entries were not listed");
      return;
    }
    boolean general = four && patient.isSet(link.family(), device, "proxy_arp", false);
    boolean entry =
        Ways.list(patient.text("ip-neigh-proxy.json")).stream()
            .anyMatch(node ->
                Ways.text(node, "dst").equals(java.util.Optional.of(link.far().first().toString()))
                    && Ways.text(node, "dev").equals(java.util.Optional.of(device)));
    if (general || entry) {
      return;
    }
    findings.add(
        new Finding(
            Kind.NO_WAY_BACK,
            Severity.WARNING,
            Certainty.LIKELY,
            "hosts on " + net + " never answer " + link.far(),
            "the address is one of their own link, and nobody answers for it there, unless the IKE"
                + " daemon does (farp)",
            List.of(
                new Evidence(
                    "policy src " + link.near() + " dst " + link.far() + " dir out",
                    link.policy().origin().place()),
                new Evidence(
                    "no proxy neighbour " + link.far().first() + " on " + device,
                    "ip-neigh-proxy.json"),
                four
                    ? new Evidence("net/ipv4/conf/" + device + "/proxy_arp = 0", "sysctl.txt")
                    : new Evidence("device " + device, "ip-addr.json")),
            List.of(
                link.far().length() == link.family().bits()
                    ? Command.of("ip neigh add proxy %s dev %s", link.far().first(), device)
                    : Cure.setting("net/ipv4/conf/" + device + "/proxy_arp", 1))));
  }

  /** What comes in by the device that it leaves by makes the kernel tell of a better way. */
  private static void redirect(Patient patient, Link link, String device, List<Finding> findings) {
    if (link.family() != Family.V4 || !patient.isSet(Family.V4, device, "send_redirects", true)) {
      return;
    }
    String all = patient.setting("net/ipv4/conf/all/send_redirects").orElse("1, not said");
    String own =
        patient.setting("net/ipv4/conf/" + device + "/send_redirects").orElse("1, not said");
    findings.add(
        new Finding(
            Kind.REDIRECTS,
            Severity.WARNING,
            Certainty.CERTAIN,
            "hosts on " + device + " soon send packets for " + link.far() + " past this host",
            "this host tells them by ICMP redirect that another router is nearer",
            List.of(
                new Evidence("net/ipv4/conf/all/send_redirects = " + all, "sysctl.txt"),
                new Evidence("net/ipv4/conf/" + device + "/send_redirects = " + own, "sysctl.txt"),
                new Evidence(
                    "packets for " + link.far() + " come and leave by " + device, "ip-route.json")),
            List.of(
                Cure.setting("net/ipv4/conf/all/send_redirects", 0),
                Cure.setting("net/ipv4/conf/" + device + "/send_redirects", 0))));
  }
}
