package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import java.util.List;
import java.util.Set;

/** What the conductor needs of others. */
interface Surroundings {
  /** What is to stand now. */
  Model model();

  /**
   * Puts the rules of a generation back, which somebody took away. Returns at once; who does it
   * tells {@link Conductor#kernelChanged} when it is done.
   */
  void repair(int generation);

  /** Asks the IKE daemon for everything. */
  void listAgain();

  /** A device of the description came: what waited for it can stand now. Returns at once. */
  void devicesCame();

  /** The outside addresses that were told last, by us or by whoever ran before us. */
  Set<Address> outsideBefore();

  /** The outside addresses that this host has, and those whose connections are not ended yet. */
  void outsideNow(Set<Address> addresses);

  /** It still works. Returns at once. */
  void alive();

  /** What does not work around it, in words. */
  List<String> troubles();
}
