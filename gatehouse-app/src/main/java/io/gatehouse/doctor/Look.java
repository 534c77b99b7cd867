package io.gatehouse.doctor;

import java.util.function.Consumer;

/** What a walk of the tunnels' packets may show of each of them. */
interface Look {
  void at(Link link, Consumer<? super Finding> found);
}
