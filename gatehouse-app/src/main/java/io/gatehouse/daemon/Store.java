package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.RouteCodec;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetId;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What the daemon reads and changes: live maps, proxy neighbours, devices, connections. */
interface Store extends AutoCloseable {
  /** The table of {@link #holdBack}. */
  String KEPT = "gatehouse_kept";

  /** RFC 2661, 8.1. */
  int L2TP = 1701;

  /** All elements of a map. */
  Answer<List<SetElement>> elements(SetId map);

  /** Changes all at once or none. */
  Answer<Boolean> change(List<ElementChange> changes);

  /** All devices, and behind them all their addresses. */
  Answer<List<RouteMessage>> devices();

  /** The addresses of both families for which this host answers. */
  Answer<List<RouteMessage>> proxies();

  /** As {@link Kernel#proxy}. */
  Answer<Boolean> proxy(Address address, int device, int protocol, boolean answers);

  /** As {@link Kernel#connections}. */
  Answer<List<Connection>> connections();

  /** As {@link Kernel#forget}. */
  Answer<Boolean> forget(Connection connection);

  /**
   * Whether L2TP that this host sends in clear is dropped by a table that only this store can take
   * away, and that goes with it.
   */
  Answer<Boolean> holdBack(boolean wanted);

  @Override
  void close();

  /** The kernel's, for one thread. */
  static Store of(Kernel kernel) {
    return new Store() {
      @Override
      public Answer<List<SetElement>> elements(SetId map) {
        return kernel.elements(map);
      }

      @Override
      public Answer<Boolean> change(List<ElementChange> changes) {
        return kernel.change(changes, OptionalLong.empty());
      }

      @Override
      public Answer<List<RouteMessage>> devices() {
        return both(
            kernel.list(RouteCodec.Kind.LINKS), () -> kernel.list(RouteCodec.Kind.ADDRESSES));
      }

      @Override
      public Answer<List<RouteMessage>> proxies() {
        return both(kernel.proxies(Family.V4), () -> kernel.proxies(Family.V6));
      }

      @Override
      public Answer<Boolean> proxy(Address address, int device, int protocol, boolean answers) {
        return kernel.proxy(address, device, protocol, answers);
      }

      @Override
      public Answer<List<Connection>> connections() {
        return kernel.connections();
      }

      @Override
      public Answer<Boolean> forget(Connection connection) {
        return kernel.forget(connection);
      }

      @Override
      public Answer<Boolean> holdBack(boolean wanted) {
        return wanted ? kernel.holdBack(KEPT, L2TP) : kernel.letGo(KEPT);
      }

      @Override
      public void close() {
        kernel.close();
      }
    };
  }

  /** One list behind the other. */
  private static <T> Answer<List<T>> both(Answer<List<T>> first, Supplier<Answer<List<T>>> second) {
    if (!(first instanceof Answer.Told<List<T>>(List<T> some))) {
      return first;
    }
    Answer<List<T>> other = second.get();
    return other instanceof Answer.Told<List<T>>(List<T> more)
        ? new Answer.Told<>(Stream.concat(some.stream(), more.stream()).toList())
        : other;
  }
}
