package io.gatehouse.it.lab;

import java.util.Locale;

/** What a test needs of a kernel; {@code lab/guest/features} tries each. */
public enum Feature {
  VETH,
  BRIDGE,
  TUN,
  VRF,
  NFT_INET,
  NFT_NAT,
  NFT_IPSEC,
  NFT_QUEUE,
  NFT_LOG,
  CT_ZONES,
  CT_PPTP,
  ESP,
  ESP6,
  XFRM_POLICY,
  XFRM_INTERFACE,
  VTI,
  GRE,
  PPP,
  L2TP,
  NETEM;

  String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
