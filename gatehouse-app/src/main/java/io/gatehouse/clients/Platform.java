package io.gatehouse.clients;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Whose end of a tunnel is set up. */
public enum Platform {
  /** Windows 10 and 11, by PowerShell. */
  WINDOWS("Windows 10 and 11"),
  /** macOS, iOS and iPadOS, by a configuration profile. */
  APPLE("macOS, iOS and iPadOS"),
  /** Android with the strongSwan app. */
  ANDROID("Android with the strongSwan app"),
  /** Linux, by strongSwan alone or by NetworkManager. */
  LINUX("Linux with strongSwan"),
  /** Whoever has IKEv1 only: what the gateway needs for them, and what they are granted. */
  IKEV1("clients with IKEv1"),
  /** The LAN behind the gateway: the way back, by DHCP or by its router. */
  DHCP("the LAN behind the gateway");

  private final String title;

  Platform(String title) {
    this.title = title;
  }

  /** What people call it. */
  public String title() {
    return title;
  }

  /** Its word on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The platform of a word; nothing where there is none. */
  public static Optional<Platform> of(String word) {
    return Arrays.stream(values()).filter(p -> p.word().equals(word)).findFirst();
  }
}
