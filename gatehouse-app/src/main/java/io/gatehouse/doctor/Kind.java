package io.gatehouse.doctor;

import java.util.Locale;

/** What can be found. Each has a section in docs/doctor.md. */
public enum Kind {
  NAT_EATS_TUNNEL,
  FORWARDING_OFF,
  FORWARD_DROPPED,
  REPLIES_DROPPED,
  NO_MSS_CLAMP,
  MSS_TOO_LARGE,
  NO_ESP_ARRIVES,
  NO_WAY_BACK,
  IKE_BLOCKED,
  IKE_FORWARDED,
  SPOOFED_SOURCE,
  CLEAR_WHEN_DOWN,
  WRONG_UPLINK,
  MARK_NEVER_SET,
  NO_FWD_POLICY,
  TEMPLATE_MISMATCH,
  POLICY_WITHOUT_SA,
  STALE_CONNECTION,
  SAME_POLICY,
  LAN_LOST,
  NO_SOURCE_ROUTE,
  RP_FILTER_DROPS,
  REDIRECTS,
  REPLAY_WINDOW,
  FLOW_TABLE,
  UPDOWN_RULES,
  MODE_ERROR,
  FOREIGN_NUMBERS,
  PMTU_SOURCE,
  DPD_OFF,
  AH_BEHIND_NAT,
  IKE_MASQUERADED,
  ESP_FORGOTTEN,
  PPTP_WITHOUT_HELPER;

  /** Its name for people and programs. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
