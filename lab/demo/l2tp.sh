# Sourced: two clients behind one NAT, both from port 1701 to port 1701 in transport mode, as Windows' L2TP is.
# shellcheck shell=bash

l2tp_proof='local {
 auth = psk
}
remote {
 auth = psk
}'

# The gateway's, beside the fragment that gatehouse wrote.
l2tp_gateway_swan() {
  printf 'connections {\nlegacy {\n%s\n}\n}\n' "$l2tp_proof"
}

# A client's, beside its other connections.
l2tp_swan() { # name of connection and child, gateway's address
  printf 'connections {\n%s {\nversion = 1\nremote_addrs = %s\n%s\nchildren {\n%s {\n%s\n}\n}\n}\n}\n' "$1" "$2" "$l2tp_proof" "$1" \
    $'mode = transport\nlocal_ts = dynamic[udp/1701]\nremote_ts = dynamic[udp/1701]\nesp_proposals = aes128-sha1'
}

# Both, one to each gateway.
l2tp_clients_swan() {
  l2tp_swan legacy 203.0.113.2
  l2tp_swan connmark 198.18.2.2
}

# Of the other gateway, whose strongSwan has the connmark plugin: marks, and nothing of ours that follows them.
connmark_swan() {
  printf 'connections {\nlegacy {\nversion = 1\n%s\nchildren {\nl2tp {\n%s\n}\n}\n}\n}\n' "$l2tp_proof" \
    $'mode = transport\nlocal_ts = dynamic[udp/1701]\nremote_ts = dynamic[udp]\nmark_in = %unique\nmark_out = %unique\nesp_proposals = aes128-sha1'
}
connmark_plugins='random nonce aes sha1 sha2 hmac kdf gcm openssl kernel-netlink socket-default vici connmark'

# Answers when two have asked, each with its own word; ends with that.
l2tp_server='
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind(("", 1701))
    s.settimeout(20)
    print("listens", flush=True)
    asked = {}
    while len(asked) < 2:
        word, peer = s.recvfrom(100)
        asked[word] = peer
    for word, peer in asked.items():
        try: s.sendto(word, peer)
        except OSError: pass
'
# Asks, and says what came back: `own`, `other`, or `nothing`.
l2tp_client='
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.bind((sys.argv[1], 1701))
    s.settimeout(int(sys.argv[2]))
    word = sys.argv[1].encode()
    s.sendto(word, (sys.argv[3], 1701))
    try: print("own" if s.recv(100) == word else "other")
    except TimeoutError: print("nothing")
'

# Each asks once, and the server answers when it has heard both: `to their own`, `mixed up`, or `lost`.
l2tp_answers() { # gateway, its address, directory
  local laptop phone pids=()
  rm -f "$3/l2tp.server" # an earlier one's word is not this one's
  inside "$1" python3 -c "$l2tp_server" > "$3/l2tp.server" 2>&1 < /dev/null &
  pids+=($!)
  await 20 grep -q listens "$3/l2tp.server" || return 1
  inside laptop python3 -c "$l2tp_client" 192.168.1.10 10 "$2" > "$3/l2tp.laptop" < /dev/null &
  pids+=($!)
  inside phone python3 -c "$l2tp_client" 192.168.1.11 10 "$2" > "$3/l2tp.phone" < /dev/null &
  pids+=($!)
  wait "${pids[@]}"
  laptop=$(< "$3/l2tp.laptop") phone=$(< "$3/l2tp.phone")
  case $laptop/$phone in
    own/own) echo 'to their own' ;;
    *other*) echo 'mixed up' ;;
    *) echo lost ;;
  esac
}

l2tp_zones() {
  [ "$(inside gw nft list map inet gatehouse l2tp.zones | grep -o '0x[0-9a-f]* : ' | wc -l)" -eq 2 ]
}
