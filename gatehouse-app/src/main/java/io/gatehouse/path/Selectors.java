package io.gatehouse.path;

import io.gatehouse.path.Reading.Content;
import io.gatehouse.ruleset.Expression;
import java.util.ArrayList;
import java.util.List;

/** What nftables' selectors read of the packet. */
final class Selectors {
  private final MetaSelector meta;
  private final HeaderSelector headers;
  private final ConnectionSelector connection;
  private final SaSelector associations;
  private final FibSelector fib;
  private final BitOperation bits;
  private final MapValues maps;

  Selectors(
      HeaderSpace space,
      HostState host,
      RoutingModel routing,
      boolean defragments,
      Values values,
      LookUps lookUps) {
    meta = new MetaSelector(space);
    headers = new HeaderSelector(space, defragments);
    connection = new ConnectionSelector(space);
    associations = new SaSelector(space, host);
    fib = new FibSelector(space, routing);
    bits = new BitOperation(space, values);
    maps = new MapValues(space, values, lookUps);
  }

  Reading read(Expression expression, Point at) {
    return switch (expression) {
      case Expression.Meta one -> meta.read(one.key(), at);
      case Expression.Payload payload -> headers.read(payload, at);
      case Expression.RawPayload raw -> headers.read(raw, at);
      case Expression.TcpOption option -> headers.read(option, at);
      case Expression.ExtensionHeader header -> Reading.notUnderstood("exthdr " + header.header());
      case Expression.Ct ct -> connection.read(ct, at);
      case Expression.Rt rt -> associations.read(rt, at);
      case Expression.Ipsec ipsec -> associations.read(ipsec, at);
      case Expression.Fib one -> fib.read(one, at);
      case Expression.Concat concat -> several(concat, at);
      case Expression.Binary binary -> bits.read(binary, one -> read(one, at));
      case Expression.Mapped mapped -> maps.read(mapped, at, one -> read(one, at));
      case Expression.Opaque opaque -> Reading.notUnderstood(opaque.text());
      case Expression.Value value -> Reading.notUnderstood(value);
    };
  }

  private Reading several(Expression.Concat concat, Point at) {
    List<Content> parts = new ArrayList<>();
    for (Expression part : concat.parts()) {
      if (!(read(part, at) instanceof Content content)) {
        return Reading.notUnderstood(concat);
      }
      parts.add(content);
    }
    return new Reading.Several(List.copyOf(parts));
  }
}
