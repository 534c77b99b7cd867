# Sourced: the tunnels of the demo, on real strongSwan.
# shellcheck shell=bash

# How both ends prove who they are. Secrets stand in a file of their own.
proof() { # local identity, remote identity
  printf 'local {\n auth = psk\n id = %s\n}\nremote {\n auth = psk\n id = %s\n}\n' "$1" "$2"
}
secret='secrets {
  ike-demo {
    secret = a demo of gatehouse
  }
}'

# The gateway's: the fragments that gatehouse wrote, and beside them how clients prove who they are.
gateway_swan() { # file with the fragments
  cat "$1"
  printf 'connections {\nstaff {\n%s\n}\nroaming {\n%s\n}\nbranch {\n%s\n}\n}\n' \
    "$(proof gateway@office '*@staff')" "$(proof gateway@office '*@roaming')" "$(proof gateway@office gateway@branch)"
  echo "$secret"
}

# A client or a branch, as somebody else's administrator would write it.
peer_swan() { # identity, lines of the connection, lines of the child
  printf 'connections {\noffice {\nversion = 2\nremote_addrs = 203.0.113.2\n%s\n%s\nchildren {\noffice {\n%s\nesp_proposals = aes128gcm16\n}\n}\n}\n}\n%s\n' \
    "$2" "$(proof "$1" gateway@office)" "$3" "$secret"
}

client_swan() { # identity
  peer_swan "$1" 'vips = 0.0.0.0' 'remote_ts = 0.0.0.0/0'
}

branch_swan() {
  peer_swan gateway@branch 'local_addrs = 192.0.2.2' $'local_ts = 10.20.0.0/16\nremote_ts = 10.0.1.0/24'
}
