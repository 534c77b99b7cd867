package io.gatehouse.it.masquerade;

import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;

/** {@code lab-pptp}, whose calls stand from one statement to the next. */
final class Played implements AutoCloseable {
  private final Lab lab;
  private final String files;
  private int count;

  private Played(Lab lab, String files) {
    this.lab = lab;
    this.files = files;
  }

  /**
   * Starts it.
   *
   * @param net whose hosts play
   * @param among one of these
   */
  static Played in(Network net, String among) {
    String name = net.host(among).namespace().replaceFirst("-" + among + "$", "");
    Played played = new Played(net.lab(), "/tmp/played-" + name);
    played
        .lab
        .run(
            """
            mkfifo %1$s.in
            setsid lab-pptp <> %1$s.in > %1$s.out 2>&1 &
            echo $! > %1$s.pid
            echo 'net %2$s' > %1$s.in
            """
                .formatted(played.files, name))
        .expected();
    return played;
  }

  /** What comes of a statement; empty of one without a name. */
  String says(String statement) {
    String done = "done" + ++count;
    String answer =
        lab.run(
                """
                before=$(wc -l < %1$s.out)
                printf '%%s\n' '%2$s' '%3$s done' > %1$s.in
                exec 9<> <(:)
                until grep -q '^%3$s done' %1$s.out; do
                  kill -0 $(< %1$s.pid) || { cat %1$s.out; exit 1; }
                  read -r -t 0.05 -u 9
                done
                tail -n +$((before + 1)) %1$s.out | grep -v '^%3$s done'
                true
                """
                    .formatted(files, statement, done))
            .expected()
            .out()
            .strip();
    return answer.contains(" ") ? answer.substring(answer.indexOf(' ') + 1) : answer;
  }

  @Override
  public void close() {
    lab.run("kill $(< %1$s.pid); rm -f %1$s.in %1$s.out %1$s.pid".formatted(files)).expected();
  }
}
