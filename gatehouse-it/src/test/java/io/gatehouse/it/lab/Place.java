package io.gatehouse.it.lab;

/**
 * Where a packet was seen in clear. At a host that decrypts, inner packets show as coming in by the
 * outer device: what left is told by {@code out}, or by a host in between.
 */
public record Place(String host, String device, boolean out, String source, String target) {

  /** Reads {@code gw/eth0/out/10.0.1.1>10.0.1.2}. */
  static Place parse(String text) {
    String[] parts = text.split("/", 4);
    String[] ends = parts[3].split(">", 2);
    return new Place(parts[0], parts[1], parts[2].equals("out"), ends[0], ends[1]);
  }
}
