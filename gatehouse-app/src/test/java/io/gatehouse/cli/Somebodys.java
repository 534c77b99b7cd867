package io.gatehouse.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Somebody's gateway, in the files of a snapshot: an office behind eth1, the world at eth0, one
 * road warrior at 10.0.3.5, and rules by hand.
 */
final class Somebodys {
  static final String RULES =
      """
      *nat
      :PREROUTING ACCEPT [0:0]
      :INPUT ACCEPT [0:0]
      :OUTPUT ACCEPT [0:0]
      :POSTROUTING ACCEPT [0:0]
      -A POSTROUTING -o eth0 -m policy --dir out --pol ipsec -j ACCEPT
      -A POSTROUTING -s 10.0.1.0/24 -o eth0 -j MASQUERADE
      COMMIT
      *filter
      :INPUT DROP [0:0]
      :FORWARD DROP [0:0]
      :OUTPUT ACCEPT [0:0]
      -A INPUT -i lo -j ACCEPT
      -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A INPUT -i eth0 -p udp -m multiport --dports 500,4500 -j ACCEPT
      -A INPUT -i eth0 -p esp -j ACCEPT
      -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A FORWARD -i eth0 -m policy --dir in --pol ipsec -j ACCEPT
      -A FORWARD -i eth1 -s 10.0.1.0/24 -m comment --comment "the office may go out" -j ACCEPT
      COMMIT
      """;

  private Somebodys() {}

  static Map<String, String> files() {
    Map<String, String> files = new HashMap<>();
    files.put("iptables-save.txt", RULES);
    files.put("ip6tables-save.txt", "");
    files.put("nft.json", "{\"nftables\": []}");
    files.put("ip_tables_names.txt", "");
    files.put("ip6_tables_names.txt", "");
    files.put(
        "xfrm-policy.txt",
        """
        src 10.0.1.0/24 dst 10.0.3.5/32
        \tdir out priority 371327 ptype main
        \ttmpl src 203.0.113.1 dst 198.51.100.7
        \t\tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
        src 10.0.3.5/32 dst 10.0.1.0/24
        \tdir fwd priority 371327 ptype main
        \ttmpl src 198.51.100.7 dst 203.0.113.1
        \t\tproto esp reqid 1 mode tunnel
        src 10.0.3.5/32 dst 10.0.1.0/24
        \tdir in priority 371327 ptype main
        \ttmpl src 198.51.100.7 dst 203.0.113.1
        \t\tproto esp reqid 1 mode tunnel
        """);
    files.put(
        "xfrm-state.txt",
        """
        src 203.0.113.1 dst 198.51.100.7
        \tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
        \treplay-window 0 flag af-unspec
        \taead rfc4106(gcm(aes)) <key> 128
        src 198.51.100.7 dst 203.0.113.1
        \tproto esp spi 0xc0ffee02 reqid 1 mode tunnel
        \treplay-window 32 flag af-unspec
        \taead rfc4106(gcm(aes)) <key> 128
        """);
    files.put("xfrm-default.txt", "Default policies:\n in:  accept\n fwd: accept\n out: accept\n");
    files.put("sysctl.txt", "net/ipv4/ip_forward = 1\nnet/ipv6/conf/all/forwarding = 0\n");
    files.put(
        "ip-addr.json",
        """
        [{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
         {"ifname": "eth0", "mtu": 1500, "addr_info": [{"local": "203.0.113.1", "prefixlen": 24}]},
         {"ifname": "eth1", "mtu": 1500, "addr_info": [{"local": "10.0.1.1", "prefixlen": 24}]}]
        """);
    files.put("ip-rule.json", "[]");
    files.put("ip-rule-6.json", "[]");
    files.put(
        "ip-route.json",
        """
        [{"dst": "default", "gateway": "203.0.113.254", "dev": "eth0", "flags": []},
         {"dst": "203.0.113.0/24", "dev": "eth0", "prefsrc": "203.0.113.1", "flags": []},
         {"dst": "10.0.1.0/24", "dev": "eth1", "prefsrc": "10.0.1.1", "flags": []}]
        """);
    files.put("ip-route-6.json", "[]");
    return files;
  }

  /** Writes a snapshot's files. */
  static void write(Map<String, String> files, Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Map.Entry<String, String> file : files.entrySet()) {
      Files.writeString(directory.resolve(file.getKey()), file.getValue());
    }
  }
}
