package io.gatehouse.daemon;

import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;

/** Events in a few words, for people. */
final class Words {
  private Words() {}

  static String of(TunnelEvent event) {
    return switch (event) {
      case TunnelEvent.IkeUp(IkeSa ike) -> who(ike) + " came";
      case TunnelEvent.IkeDown(IkeSa ike) -> who(ike) + " left";
      case TunnelEvent.IkeRekeyed rekeyed -> who(rekeyed.ike()) + " has new IKE keys";
      case TunnelEvent.Moved moved ->
          who(moved.ike())
              + " moved from "
              + moved.from()
              + moved.ike().remote().map(to -> " to " + to).orElse("");
      case TunnelEvent.ChildUp up -> up.child().name() + " of " + who(up.ike()) + " is up";
      case TunnelEvent.ChildRekeyed rekeyed ->
          rekeyed.child().name() + " of " + who(rekeyed.ike()) + " has new keys";
      case TunnelEvent.ChildDown down ->
          down.child().name() + " of " + who(down.ike()) + " is down";
    };
  }

  /** Whom the IKE daemon knows best. */
  static String who(IkeSa ike) {
    return ike.eapId().or(ike::xauthId).or(ike::remoteId).orElse(ike.connection());
  }
}
