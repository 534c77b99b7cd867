package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.pptp.Call;
import io.gatehouse.pptp.Change.Allowance;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.NftSet;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Elements of the maps of PPTP's calls as the kernel has them. A host that their contracts do not
 * allow gets none. Each part of a key begins on a multiple of four bytes.
 */
final class CallMaps {
  private static final int ADDRESS = 4;
  private static final int PART = 4;
  private static final int ID = 2;

  private final LiveMaps.OfCalls maps;

  CallMaps(LiveMaps.OfCalls maps) {
    this.maps = maps;
  }

  /** Whether a host may have calls at all. */
  boolean isKnown(Address host) {
    return maps.hosts().contract().orElseThrow().data().stream()
        .anyMatch(value -> value instanceof Net(Prefix net) && net.contains(host));
  }

  /** To whom a call is, and what he calls it: neither without the other. */
  List<ElementChange> add(Call call) {
    return List.of(
        new ElementChange.Add(
            Elements.id(maps.hosts()),
            SetElement.of(key(call), new Data.Value(Bytes.of(call.host().bytes())))),
        new ElementChange.Add(
            Elements.id(maps.ids()), SetElement.of(keyOfId(call), new Data.Value(id(call.own())))));
  }

  List<ElementChange> remove(Call call) {
    return List.of(
        new ElementChange.Remove(Elements.id(maps.hosts()), SetElement.of(key(call))),
        new ElementChange.Remove(Elements.id(maps.ids()), SetElement.of(keyOfId(call))));
  }

  ElementChange add(Allowance allowance) {
    return new ElementChange.Add(Elements.id(maps.allowed()), SetElement.of(key(allowance)));
  }

  ElementChange remove(Allowance allowance) {
    return new ElementChange.Remove(Elements.id(maps.allowed()), SetElement.of(key(allowance)));
  }

  /** What stands and should not. */
  static ElementChange remove(NftSet set, SetElement element) {
    return new ElementChange.Remove(Elements.id(set), SetElement.of(element.key()));
  }

  static Bytes key(Call call) {
    return Bytes.of(
        part(ByteBuffer.allocate(ADDRESS + PART).put(call.remote().bytes()), call.id()).array());
  }

  static Bytes keyOfId(Call call) {
    return Bytes.of(
        part(
                ByteBuffer.allocate(2 * ADDRESS + PART)
                    .put(call.remote().bytes())
                    .put(call.host().bytes()),
                call.id())
            .array());
  }

  static Bytes key(Allowance allowance) {
    return Bytes.of(
        part(
                ByteBuffer.allocate(2 * ADDRESS + PART)
                    .put(allowance.host().bytes())
                    .put(allowance.remote().bytes()),
                allowance.theirs())
            .array());
  }

  private static ByteBuffer part(ByteBuffer key, int id) {
    return key.putShort((short) id).putShort((short) 0);
  }

  private static Bytes id(int number) {
    return Bytes.of(ByteBuffer.allocate(ID).putShort((short) number).array());
  }

  // ---- what the kernel lists

  /** A call, of the element that leads to the host's own ID. */
  static Optional<Call> call(SetElement toId) {
    Bytes key = toId.key();
    if (key.length() != 2 * ADDRESS + PART
        || toId.data().isEmpty()
        || !(toId.data().get() instanceof Data.Value(Bytes own))
        || own.length() < ID) {
      return Optional.empty();
    }
    Address remote = Address.v4((int) key.u32be(0));
    Address host = Address.v4((int) key.u32be(ADDRESS));
    return Optional.of(new Call(host, remote, key.u16be(2 * ADDRESS), own.u16be(0)));
  }

  /** Whether an element leads to a call's host. */
  static boolean leadsTo(SetElement toHost, Call call) {
    return toHost.key().equals(key(call))
        && Elements.hostBack(toHost).filter(call.host()::equals).isPresent();
  }

  static Optional<Allowance> allowance(SetElement element) {
    Bytes key = element.key();
    return key.length() == 2 * ADDRESS + PART
        ? Optional.of(
            new Allowance(
                Address.v4((int) key.u32be(0)),
                Address.v4((int) key.u32be(ADDRESS)),
                key.u16be(2 * ADDRESS)))
        : Optional.empty();
  }
}
