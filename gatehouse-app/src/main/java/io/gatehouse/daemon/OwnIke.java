package io.gatehouse.daemon;

import io.gatehouse.model.Family;
import io.gatehouse.slowpath.SlowPath;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * By which cookies messages of IKE are this host's own, as charon tells: those of a new IKE SA
 * before anybody has sent under them, and after a restart. Hooks tell no cookies.
 */
final class OwnIke {
  private final Map<Long, SlowPath.OwnIke> known = new HashMap<>();

  /** All of them, where the news may change that. */
  Optional<Set<SlowPath.OwnIke>> heard(CharonNews news) {
    switch (news) {
      case CharonNews.Listed listed -> {
        known.clear();
        listed.all().forEach(this::know);
      }
      case CharonNews.Stands(IkeSa ike) -> know(ike);
      case CharonNews.Happened(TunnelEvent.IkeDown(IkeSa ike)) -> known.remove(ike.id());
      case CharonNews.Happened(TunnelEvent.IkeRekeyed(IkeSa old, IkeSa ike)) -> {
        // The old one's deletion comes yet, under cookies that the kernel has learned.
        known.remove(old.id());
        know(ike);
      }
      case CharonNews.Happened(TunnelEvent event) -> know(event.ike());
      // It may be gone for a moment only, and lists anew then.
      case CharonNews.Unreachable gone -> {
        return Optional.empty();
      }
      case CharonNews.Hooked hooked -> {
        return Optional.empty();
      }
    }
    return Optional.of(Set.copyOf(known.values()));
  }

  private void know(IkeSa ike) {
    ike.remote()
        .map(IkeSa.Endpoint::address)
        .filter(remote -> remote.family() == Family.V4)
        .ifPresent(remote ->
            ike.cookie()
                .ifPresent(cookie -> known.put(ike.id(), new SlowPath.OwnIke(remote, cookie))));
  }
}
