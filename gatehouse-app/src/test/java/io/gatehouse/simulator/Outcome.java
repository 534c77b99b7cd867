package io.gatehouse.simulator;

/**
 * What became of one run.
 *
 * @param sas inbound SPIs under which something came
 * @param wrong of them that were bound to a host that does not own them, at some time
 * @param lasting of these that were still so a minute later
 * @param misled packets that went to a wrong host and not to the right one
 * @param copies packets that went to a wrong host besides the right one
 * @param arrived packets from outside that reached their host
 * @param unreached packets from outside that did not, for another reason than loss on the road
 * @param blocked packets from inside that were dropped by the gateway
 * @param longestBlock milliseconds from the first dropped packet of a host to the next that passed
 * @param longestHold milliseconds that a message of IKE was held, at most
 * @param undecided SPIs that needed copies at some time
 * @param forged bindings of forged SPIs
 * @param asked packets that the gateway's engine had to look at
 * @param delayed packets that passed the gateway later than they came: dropped and sent again, or
 *     messages of IKE that were held
 */
public record Outcome(
    long sas,
    long wrong,
    long lasting,
    long misled,
    long copies,
    long arrived,
    long unreached,
    long blocked,
    long longestBlock,
    long longestHold,
    long undecided,
    long forged,
    long asked,
    long delayed) {

  /** Wrong bindings in per cent of SAs. */
  public double wrongPercent() {
    return sas == 0 ? 0 : 100.0 * wrong / sas;
  }
}
