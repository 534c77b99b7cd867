package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Restriction;
import io.gatehouse.model.Address;
import java.util.BitSet;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The first packets of one connection as they arrive, whole and unmarked. For questions about
 * thousands of connections after one walk of everything: values are put in for variables instead of
 * making a set of each connection.
 */
public final class FirstPackets {
  private final HeaderSpace space;
  private final Restriction values;

  private FirstPackets(HeaderSpace space, Restriction values) {
    this.space = space;
    this.values = values;
  }

  /**
   * What is not given is open.
   *
   * @param device by which they come
   * @param inClear whether no SA has decrypted them; otherwise one may have, or not
   */
  public static FirstPackets of(
      HeaderSpace space,
      Optional<String> device,
      boolean inClear,
      OptionalInt protocol,
      Address source,
      Address destination,
      OptionalInt sourcePort,
      OptionalInt destinationPort) {
    Values packets = new Values(space);
    device.ifPresent(name -> {
      int index = space.devices().indexOf(name);
      packets.put(
          space.iif, index < 0 ? space.devices().indexOf(HeaderSpace.ANOTHER_DEVICE) : index);
    });
    if (inClear) {
      packets.put(space.secpath, 0);
      packets.put(space.own, 0);
    }
    // HeaderSpace.Connection.NEW
    packets.put(space.connection, 0);
    packets.put(space.reply, 0);
    packets.put(space.laterFragment, 0);
    packets.put(space.extensionHeader, 0);
    packets.put(space.mark, 0);
    protocol.ifPresent(number -> packets.put(space.protocol, number));
    packets.put(space.source, source);
    packets.put(space.destination, destination);
    sourcePort.ifPresent(port -> packets.put(space.sourcePort, port));
    destinationPort.ifPresent(port -> packets.put(space.destinationPort, port));
    return new FirstPackets(space, space.bdd().restriction(packets.known, packets.set));
  }

  /** What the packets' variables are known to be. */
  private static final class Values {
    private final HeaderSpace space;
    private final BitSet known = new BitSet();
    private final BitSet set = new BitSet();

    Values(HeaderSpace space) {
      this.space = space;
    }

    void put(int[] bits, long value) {
      put(bits, Field.constantBits(bits.length, 0, value));
    }

    void put(int[] bits, Address address) {
      put(bits, space.addresses().bits(address));
    }

    private void put(int[] bits, int[] values) {
      for (int i = 0; i < bits.length; i++) {
        int variable = space.bdd().top(bits[i]);
        known.set(variable);
        set.set(variable, values[i] == TRUE);
      }
    }
  }

  /** When they are in the set: a function of what is open. */
  public int in(int packets) {
    return space.bdd().restrict(packets, values);
  }

  /** Of a function of what is open, where the field holds the address. */
  int holding(int open, Field field, Address address) {
    return holding(open, field, space.addresses().bits(address));
  }

  int holding(int open, Field field, int value) {
    return holding(open, field, Field.constantBits(field.width(), 0, value));
  }

  private int holding(int open, Field field, int[] wanted) {
    Bdd bdd = space.bdd();
    int all = FALSE;
    for (Field.Case one : field.cases()) {
      int here = bdd.and(open, in(one.guard()));
      for (int i = 0; i < wanted.length && here != FALSE; i++) {
        int bit = in(one.bits()[i]);
        here = wanted[i] == TRUE ? bdd.and(here, bit) : bdd.difference(here, bit);
      }
      all = bdd.or(all, here);
    }
    return all;
  }
}
