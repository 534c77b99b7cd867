package io.gatehouse.pptp;

import io.gatehouse.model.Address;

/** What is different from now on. */
public sealed interface Change {
  /** What the remote sends under the call's ID goes to its host, under the host's own. */
  record Begun(Call call) implements Change {}

  /** It does so no longer. */
  record Ended(Call call) implements Change {}

  /** A host may send to a remote under the Call ID that this has chosen. */
  record Allowed(Allowance allowance) implements Change {}

  /** It may no longer. */
  record Forbidden(Allowance allowance) implements Change {}

  /**
   * What a host may send under.
   *
   * @param theirs the remote's own Call ID
   */
  record Allowance(Address host, Address remote, int theirs) {}
}
