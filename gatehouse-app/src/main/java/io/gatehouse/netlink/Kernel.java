package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * The kernel of the thread's network namespace, to be asked and changed. One thread uses it; it
 * needs CAP_NET_ADMIN for all but links, addresses, routes, rules and neighbours.
 */
public final class Kernel implements AutoCloseable {
  /** Room for a batch of some 200,000 elements; only a limit. */
  private static final int BUFFER = 32 * 1024 * 1024;

  /** Times that a set is read while its table grows, which takes the kernel some milliseconds. */
  private static final int ATTEMPTS = 20;

  private final Conversation nftables;
  private final Conversation routing;
  private final Conversation xfrm;

  private Kernel(Conversation nftables, Conversation routing, Conversation xfrm) {
    this.nftables = nftables;
    this.routing = routing;
    this.xfrm = xfrm;
  }

  /** Opens its three sockets. */
  public static Answer<Kernel> open() {
    List<Conversation> open = new ArrayList<>();
    for (int protocol : new int[] {Wire.NETFILTER, Wire.ROUTE, Wire.XFRM}) {
      switch (NetlinkSocket.open(protocol, BUFFER)) {
        case Answer.Told<NetlinkSocket>(NetlinkSocket socket) -> open.add(new Conversation(socket));
        case Answer.Failed<NetlinkSocket>(Failure why) -> {
          open.forEach(Conversation::close);
          return new Answer.Failed<>(why);
        }
      }
    }
    return new Answer.Told<>(new Kernel(open.get(0), open.get(1), open.get(2)));
  }

  /** All elements of a set or map; ENOENT where there is none of that name. */
  public Answer<List<SetElement>> elements(SetId set) {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      switch (elementsOnce(set)) {
        case Answer.Failed<List<SetElement>> failed -> {
          return failed;
        }
        case Answer.Told<List<SetElement>> told -> {
          if (!SetElement.isTorn(told.value())) {
            return told;
          }
        }
      }
    }
    return new Answer.Failed<>(Failure.of(Failure.AGAIN, "its table grows while it is read"));
  }

  private Answer<List<SetElement>> elementsOnce(SetId set) {
    Answer<List<NftMessage>> messages =
        read(nftables.list(sequence -> NftCodec.list(set, sequence)), NftCodec::read);
    return switch (messages) {
      case Answer.Failed<List<NftMessage>>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<List<NftMessage>>(List<NftMessage> told) -> {
        List<SetElement> all = new ArrayList<>();
        for (NftMessage message : told) {
          if (message instanceof NftMessage.Elements elements) {
            all.addAll(elements.elements());
          }
        }
        yield new Answer.Told<>(all);
      }
    };
  }

  /** How many transactions nftables has seen, for {@link #change}. */
  public Answer<Long> generation() {
    return switch (nftables.ask(NftCodec::generation)) {
      case Answer.Failed<Frame.Content>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<Frame.Content>(Frame.Content content) ->
          switch (NftCodec.read(content)) {
            case NftMessage.Generation generation -> new Answer.Told<>(generation.number());
            case Unreadable unreadable -> new Answer.Failed<>(Failure.of(unreadable));
            case NftMessage other -> new Answer.Failed<>(Failure.of(Failure.UNREADABLE));
          };
    };
  }

  /**
   * Changes elements, all at once or none.
   *
   * @param changes nothing is asked of the kernel where there are none
   * @param generation if given, none where another generation stands ({@link
   *     Failure#OTHER_GENERATION})
   */
  public Answer<Boolean> change(List<? extends ElementChange> changes, OptionalLong generation) {
    return changes.isEmpty()
        ? new Answer.Told<>(true)
        : nftables.change(sequence -> NftCodec.batch(changes, generation, sequence));
  }

  /**
   * Makes a table of nftables that drops what this host sends in clear from a UDP port, and that
   * nobody but this object can take away; it goes with {@link #close}, and with the process. A
   * kernel before 5.12 refuses it.
   *
   * @param table its name, in the family inet
   */
  public Answer<Boolean> holdBack(String table, int sourcePort) {
    return nftables.change(sequence -> KeptTable.made(table, sourcePort, sequence));
  }

  /** Takes such a table away; ENOENT where there is none. */
  public Answer<Boolean> letGo(String table) {
    return nftables.change(sequence -> KeptTable.taken(table, sequence));
  }

  /** All links, addresses, routes, neighbours or rules. */
  public Answer<List<RouteMessage>> list(RouteCodec.Kind kind) {
    return read(routing.list(sequence -> RouteCodec.list(kind, sequence)), RouteCodec::read);
  }

  /** The addresses of a family for which this host answers on a link. */
  public Answer<List<RouteMessage>> proxies(Family family) {
    return read(
        routing.list(sequence -> RouteCodec.listProxies(family, sequence)), RouteCodec::read);
  }

  /** As {@link RouteCodec#proxy}. */
  public Answer<Boolean> proxy(Address address, int device, int protocol, boolean answers) {
    return routing.change(
        sequence -> RouteCodec.proxy(address, device, protocol, answers, sequence));
  }

  /** All connections that conntrack knows. */
  public Answer<List<Connection>> connections() {
    return switch (nftables.list(ConntrackCodec::list)) {
      case Answer.Failed<List<Frame.Content>>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<List<Frame.Content>>(List<Frame.Content> frames) ->
          new Answer.Told<>(
              frames.stream().flatMap(frame -> ConntrackCodec.read(frame).stream()).toList());
    };
  }

  /** Forgets a connection; ENOENT where it has ended by itself. */
  public Answer<Boolean> forget(Connection connection) {
    return nftables.change(sequence -> ConntrackCodec.delete(connection, sequence));
  }

  /** All SAs. */
  public Answer<List<XfrmMessage>> states() {
    return read(xfrm.list(XfrmCodec::listStates), XfrmCodec::read);
  }

  /** All policies but those of sockets, which come as {@link Unknown}. */
  public Answer<List<XfrmMessage>> policies() {
    return read(xfrm.list(XfrmCodec::listPolicies), XfrmCodec::read);
  }

  /** A list with something that cannot be read is none. */
  private static <M> Answer<List<M>> read(
      Answer<List<Frame.Content>> frames, Function<Frame.Content, M> reader) {
    return switch (frames) {
      case Answer.Failed<List<Frame.Content>>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<List<Frame.Content>>(List<Frame.Content> contents) -> {
        List<M> messages = new ArrayList<>();
        for (Frame.Content content : contents) {
          M message = reader.apply(content);
          if (message instanceof Unreadable unreadable) {
            yield new Answer.Failed<>(Failure.of(unreadable));
          }
          messages.add(message);
        }
        yield new Answer.Told<>(messages);
      }
    };
  }

  @Override
  public void close() {
    nftables.close();
    routing.close();
    xfrm.close();
  }
}
