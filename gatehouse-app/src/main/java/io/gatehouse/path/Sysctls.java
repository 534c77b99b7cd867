package io.gatehouse.path;

import io.gatehouse.model.Family;
import java.util.Map;

/**
 * A host's sysctls of one family, read as the kernel does where `all` and a device both have one.
 */
final class Sysctls {
  private final Map<String, String> values;
  private final String base;

  Sysctls(HostState host, Family family) {
    values = host.sysctls();
    base = "net/" + (family == Family.V4 ? "ipv4" : "ipv6") + "/conf/";
  }

  /** One that is a number. */
  int number(String key, int otherwise) {
    String value = values.getOrDefault(key, Integer.toString(otherwise)).trim();
    return value.matches("-?[0-9]{1,9}") ? Integer.parseInt(value) : otherwise;
  }

  /** A setting of a device; that of `default` for one that has none of its own. */
  int ofDevice(String device, String name, int otherwise) {
    return number(base + device + "/" + name, number(base + "default/" + name, otherwise));
  }

  int ofAll(String name, int otherwise) {
    return number(base + "all/" + name, otherwise);
  }

  /** Whether it is on for the device or for all (IN_DEV_ORCONF). */
  boolean either(String device, String name, int otherwise) {
    return ofDevice(device, name, otherwise) != 0 || ofAll(name, otherwise) != 0;
  }

  /** The larger of the device's and that of all (IN_DEV_MAXCONF); 0 where neither is set. */
  int most(String device, String name) {
    return Math.max(ofDevice(device, name, 0), ofAll(name, 0));
  }
}
