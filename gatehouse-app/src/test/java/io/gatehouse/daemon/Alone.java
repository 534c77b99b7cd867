package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import java.util.List;
import java.util.Set;

/** Nobody around a conductor but its model. */
record Alone(Model model) implements Surroundings {
  @Override
  public void repair(int generation) {}

  @Override
  public void listAgain() {}

  @Override
  public void devicesCame() {}

  @Override
  public Set<Address> outsideBefore() {
    return Set.of();
  }

  @Override
  public void outsideNow(Set<Address> addresses) {}

  @Override
  public void alive() {}

  @Override
  public List<String> troubles() {
    return List.of();
  }
}
