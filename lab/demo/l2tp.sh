# Sourced: two clients behind one NAT, both from port 1701 to port 1701 in transport mode, as Windows' L2TP is.
# shellcheck shell=bash

# What the gateway's description has of them, behind the tunnels that it has already.
l2tp_described() {
  printf '  legacy:\n    type: l2tp\n    ike: { connection: legacy }\n    esp: { proposals: aes128-sha1 }\n'
}

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

# A client's, beside its other connection.
l2tp_swan() {
  printf 'connections {\nlegacy {\nversion = 1\nremote_addrs = 203.0.113.2\n%s\nchildren {\nl2tp {\n%s\n}\n}\n}\n}\n' "$l2tp_proof" \
    $'mode = transport\nlocal_ts = dynamic[udp/1701]\nremote_ts = dynamic[udp/1701]\nesp_proposals = aes128-sha1'
}

# The gateway's, as strongSwan's connmark plugin wants it: marks, and nothing of ours that follows them.
connmark_swan() {
  printf 'connections {\nlegacy {\nversion = 1\nlocal_addrs = 203.0.113.2\n%s\nchildren {\nl2tp {\n%s\n}\n}\n}\n}\n' "$l2tp_proof" \
    $'mode = transport\nlocal_ts = dynamic[udp/1701]\nremote_ts = dynamic[udp]\nmark_in = %unique\nmark_out = %unique\nesp_proposals = aes128-sha1'
}

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
    s.sendto(word, ("203.0.113.2", 1701))
    try: print("own" if s.recv(100) == word else "other")
    except TimeoutError: print("nothing")
'

# Brings both up; they have a tunnel beside that, or none.
l2tp_up() {
  local host raising=()
  for host in laptop phone; do
    await 20 inside "$host" swanctl --initiate --child l2tp &
    raising+=($!)
  done
  for host in "${raising[@]}"; do wait "$host" || return 1; done
}

# Each asks once, and the server answers when it has heard both: `to their own`, `mixed up`, or `lost`.
l2tp_answers() { # directory
  local laptop phone pids=()
  inside gw python3 -c "$l2tp_server" > "$1/l2tp.server" 2>&1 < /dev/null &
  pids+=($!)
  await 20 grep -q listens "$1/l2tp.server" || return 1
  inside laptop python3 -c "$l2tp_client" 192.168.1.10 10 > "$1/l2tp.laptop" < /dev/null &
  pids+=($!)
  inside phone python3 -c "$l2tp_client" 192.168.1.11 10 > "$1/l2tp.phone" < /dev/null &
  pids+=($!)
  wait "${pids[@]}"
  laptop=$(< "$1/l2tp.laptop") phone=$(< "$1/l2tp.phone")
  case $laptop/$phone in
    own/own) echo 'to their own' ;;
    *other*) echo 'mixed up' ;;
    *) echo lost ;;
  esac
}

l2tp_zones() {
  [ "$(inside gw nft list map inet gatehouse l2tp.zones | grep -o '0x[0-9a-f]* : ' | wc -l)" -eq 2 ]
}
