package io.gatehouse.ruleset;

import java.util.List;
import java.util.stream.Collectors;

/** Kernel settings as lines for sysctl(8), in the order of writing. */
public final class SysctlText {
  private SysctlText() {}

  /** {@code net/ipv4/ip_forward = 1}; slashes keep a dot in a device's name apart. */
  public static String line(Sysctl sysctl) {
    return sysctl.key() + " = " + sysctl.value();
  }

  /** All of them, every line ended, for {@code sysctl -p}. */
  public static String of(List<Sysctl> sysctls) {
    return sysctls.stream().map(sysctl -> line(sysctl) + "\n").collect(Collectors.joining());
  }
}
