package io.gatehouse.it.diagnose;

import io.gatehouse.diagnose.Kind;
import java.util.Set;

/**
 * One way to break the VPN of {@link Broken}.
 *
 * @param name a word, for scripts and messages
 * @param made what was done, in words
 * @param make commands that do it; {@code at HOST COMMAND…} runs one in a host
 * @param act what is tried while all is captured
 * @param undo commands that end what rules' deletion does not
 * @param kinds what {@code diagnose} may call it, by all four points; empty where nothing is broken
 * @param fewer what it may say in addition where points are missing
 * @param patient the host that the doctor is asked about; empty for none
 * @param doctor what the doctor finds there, and nothing else
 * @param slow whether it is tried with all breaks only
 */
record Break(
    String name,
    String made,
    String make,
    String act,
    String undo,
    Set<Kind> kinds,
    Set<Kind> fewer,
    String patient,
    Set<io.gatehouse.doctor.Kind> doctor,
    boolean slow) {

  /** A session by one connection of the client's, and pings through it. */
  static Break of(String name, String made, Kind... kinds) {
    return new Break(
        name, made, "", Broken.CONNECT, "", Set.of(kinds), Set.of(), "", Set.of(), true);
  }

  boolean isWhole() {
    return kinds.isEmpty();
  }

  Break making(String commands) {
    return new Break(
        name, made, make + commands + "\n", act, undo, kinds, fewer, patient, doctor, slow);
  }

  /** A rule of a chain `forward` of its own in one host. */
  Break dropping(String host, String rule) {
    return making("drop %s forward '%s'".formatted(host, rule));
  }

  /** The client's firewall translates. */
  Break translated() {
    return making("masquerade");
  }

  Break acting(String commands) {
    return new Break(name, made, make, commands, undo, kinds, fewer, patient, doctor, slow);
  }

  Break undoing(String commands) {
    return new Break(name, made, make, act, commands, kinds, fewer, patient, doctor, slow);
  }

  /** What fewer points leave open. */
  Break orByFewer(Kind... more) {
    return new Break(name, made, make, act, undo, kinds, Set.of(more), patient, doctor, slow);
  }

  Break examined(String host, io.gatehouse.doctor.Kind... found) {
    return new Break(name, made, make, act, undo, kinds, fewer, host, Set.of(found), slow);
  }

  Break quick() {
    return new Break(name, made, make, act, undo, kinds, fewer, patient, doctor, false);
  }
}
