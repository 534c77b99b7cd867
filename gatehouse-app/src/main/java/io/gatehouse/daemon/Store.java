package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetId;
import java.util.List;
import java.util.OptionalLong;

/** Where live maps stand. */
interface Store extends AutoCloseable {
  /** All elements of a map. */
  Answer<List<SetElement>> elements(SetId map);

  /** Changes all at once or none. */
  Answer<Boolean> change(List<ElementChange> changes);

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
      public void close() {
        kernel.close();
      }
    };
  }
}
