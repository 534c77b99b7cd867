package io.gatehouse.apply;

import io.gatehouse.model.Numbers;

/**
 * The numbers by which entries in the kernel are known as ours.
 *
 * @param protocol of rules, routes and proxy neighbours
 * @param backstop the priority of our xfrm policies
 */
record Tags(int protocol, long backstop) {

  static Tags of(Numbers numbers) {
    return new Tags(numbers.routeProtocol(), numbers.backstopPriority());
  }
}
