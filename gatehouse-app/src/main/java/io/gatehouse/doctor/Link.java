package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.Policy;
import java.util.Optional;

/**
 * What a tunnel protects on the way out: one policy of it.
 *
 * @param device by which its ESP goes, where that is known
 */
record Link(
    String tunnel,
    Prefix near,
    Prefix far,
    Policy policy,
    Optional<Address> local,
    Optional<Address> remote,
    Optional<String> device) {
  /** Whether no policy of it stands in the kernel. */
  boolean isSupposed() {
    return !policy.origin().file().equals("xfrm-policy.txt");
  }

  /** Its policy, as evidence. */
  Evidence evidence() {
    return new Evidence(
        "policy src " + near + " dst " + far + " dir out (" + tunnel + ")",
        policy.origin().place());
  }

  Family family() {
    return near.family();
  }
}
