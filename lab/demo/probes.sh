# Sourced: what the demo tries, each in one word.
# shellcheck shell=bash

# Seconds that an answer may take: many probes at once in emulation need more.
patience=3

# Answers every TCP connection with the address that it came from.
serve_tcp() { # host, port …
  local host=$1 port
  shift
  for port; do
    inside "$host" socat "TCP-LISTEN:$port,fork,reuseaddr" 'SYSTEM:echo $SOCAT_PEERADDR' < /dev/null > /dev/null 2>&1 &
  done
}

# The address that the server saw (-t: nothing is sent, and socat would end half a second after that), or `nothing` when no answer comes.
seen_by() { # host that asks, server's address, port
  local answer
  answer=$(inside "$1" timeout "$patience" socat -t "$patience" -T "$patience" - "TCP:$2:$3,connect-timeout=$patience" < /dev/null 2> /dev/null) || true
  echo "${answer:-nothing}"
}

# `reaches` or `dropped`.
reach() {
  if [ "$(seen_by "$@")" = nothing ]; then echo dropped; else echo reaches; fi
}

# A name that the gateway's DNS knows: `answers` or `dropped`.
resolve() { # host that asks, name server
  if inside "$1" timeout "$patience" host -t A -W "$patience" -R 1 files.office.example "$2" > /dev/null 2>&1; then echo answers; else echo dropped; fi
}

# A megabyte from the file server: `whole`, or `stalls` when nothing comes for some seconds.
transfer() { # host that fetches
  local bytes
  bytes=$(inside "$1" timeout 30 socat -u -T "$patience" "TCP:10.0.1.20:8080,connect-timeout=$patience" - 2> /dev/null | wc -c)
  if [ "$bytes" -eq 1000000 ]; then echo whole; else echo stalls; fi
}

# Sends three datagrams and asks the counter $1 of the host $2 whether one came: `arrives` or `dropped`.
datagrams() { # host that counts, host that sends, source, destination
  local before after i
  before=$(counted "$1")
  for i in 1 2 3; do
    echo "$i" | inside "$2" socat -u - "UDP4-SENDTO:$4:9999,bind=$3" 2> /dev/null || true
  done
  after=$(counted "$1")
  if [ "$after" -gt "$before" ]; then echo arrives; else echo dropped; fi
}

# Counts what the demo looks for: at the office what comes to UDP 9999, on the internet what leaves the gateway in clear.
start_counting() {
  inside office nft -f - <<'N'
table inet witness {
  counter seen { }
  chain in {
    type filter hook input priority 0
    udp dport 9999 counter name seen
    icmp type destination-unreachable drop
  }
}
N
  inside net nft -f - <<'N'
table inet witness {
  counter seen { }
  chain in {
    type filter hook prerouting priority -400
    iifname "gw" ip daddr 10.0.0.0/8 counter name seen
    iifname "gw" ip saddr 10.0.0.0/8 counter name seen
  }
}
N
}

counted() { # host
  inside "$1" nft list counter inet witness seen | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
