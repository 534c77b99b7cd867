# Sourced: two VPN clients (libreswan, raw ESP) behind one address and one server, by way of Gatehouse and by way of stock masquerade.
# shellcheck shell=bash disable=SC2154 # `here` is run.sh's

esp_secret='a demo of gatehouse, 32 characters and more'
esp_pings=5

esp_host() { # host, command …
  lab-in "esp-$1" "${@:2}"
}

# What both ends have: nobody encapsulates, whatever is found between them.
esp_common() {
  printf 'config setup\n  uniqueids=no\nconn %%default\n'
  printf '  %s\n' authby=secret ikev2=yes encapsulation=no ike=aes128-sha2_256-dh31 esp=aes128-sha1 esn=no pfs=no \
    leftupdown=%disabled auto=add
}

esp_conn() { # name, then address, identity and inner address of this end and of the other
  printf 'conn %s\n  left=%s\n  leftid=@%s\n  leftsubnet=%s/32\n  right=%s\n  rightid=@%s\n  rightsubnet=%s/32\n' "$@"
}

# Each client has a connection `gw` and a connection `stock`; the server has these of both.
esp_configurations() { # directory
  local client n
  for client in one/11 two/12; do
    n=${client#*/} client=${client%/*}
    {
      esp_common
      esp_conn gw "10.0.1.$n" "$client" "192.168.$n.1" 203.0.113.1 server 192.168.100.1
      esp_conn stock "10.0.1.$n" "$client-stock" "192.168.$n.1" 198.51.100.1 server-stock 192.168.101.1
    } > "$1/$client.conf"
  done
  {
    esp_common
    for client in one/11 two/12; do
      n=${client#*/} client=${client%/*}
      esp_conn "$client" 203.0.113.1 server 192.168.100.1 203.0.113.2 "$client" "192.168.$n.1"
      esp_conn "$client-stock" 198.51.100.1 server-stock 192.168.101.1 198.51.100.2 "$client-stock" "192.168.$n.1"
    done
  } > "$1/server.conf"
}

# Both ways at the same time; each client's answers are in a file of its own. What goes wrong is told on the standard error.
esp_try() { # gatehouse, description, directory
  local client way pid daemon asking=() starting=()
  mkdir -p "$3"
  lab-net up esp "$here/esp.net" || return 1
  # The interpreter alone costs a third less here: what is compiled in emulation is translated once more.
  GATEHOUSE_JAVA_OPTIONS="${GATEHOUSE_JAVA_OPTIONS:-} -XX:TieredStopAtLevel=0" GATEHOUSE_VICI=/run/none \
    lab-in esp-gw "$1" run "$2" > "$3/run.log" 2>&1 < /dev/null &
  daemon=$!
  esp_configurations "$3"
  for client in one two server; do
    esp_host "$client" lab-pluto start "$3/$client.conf" "$esp_secret" > "$3/$client.log" 2>&1 &
    starting+=($!)
  done
  # What everybody has. Nobody gets through by UDP either.
  esp_host stock nft -f - <<< 'table ip nat {
  chain out { type nat hook postrouting priority srcnat; oifname "eth0" masquerade; }
}' || return 1
  esp_host server nft 'add table ip raw; add chain ip raw in { type filter hook input priority 0; }; add rule ip raw in udp dport 4500 drop' || return 1
  for pid in "${starting[@]}"; do wait "$pid" || { cat "$3"/{one,two,server}.log >&2 && return 1; }; done
  follows "$daemon" "$3/run.log" || { tail -n 3 "$3/run.log" >&2 && return 1; }
  for client in one two; do
    for way in gw stock; do esp_ask "$client" "$way" "$3" & asking+=($!); done
  done
  for pid in "${asking[@]}"; do wait "$pid" || return 1; done
  kill "$daemon"
}

# A session, and some pings through it. Whoever lacks an answer goes on asking, so that a slow machine is no loss.
esp_ask() { # client, way, directory
  local inner=192.168.11.1 server=192.168.100.1
  [ "$1" = one ] || inner=192.168.12.1
  [ "$2" = gw ] || server=192.168.101.1
  esp_host "$1" timeout 60 /usr/libexec/ipsec/whack --rundir /run/pluto --name "$2" --initiate > "$3/$1.$2.whack" 2>&1 \
    || { tail -n 3 "$3/$1.$2.whack" >&2 && return 1; }
  esp_host "$1" ping -n -I "$inner" -c "$esp_pings" -i 0.3 -w 10 "$server" > "$3/$1.$2.ping" 2>&1 < /dev/null || true
}

# How many of the first pings of a client were answered.
esp_answers() { # client, way, directory
  local n=0 i
  for ((i = 1; i <= esp_pings; i++)); do
    if grep -qs "icmp_seq=$i " "$3/$1.$2.ping"; then n=$((n + 1)); fi
  done
  echo "$n"
}

# How many clients got all answers, and where one got some: how many these were.
esp_served() { # way, directory
  local client answers served=0 some=
  for client in one two; do
    answers=$(esp_answers "$client" "$1" "$2")
    case $answers in
      "$esp_pings") served=$((served + 1)) ;;
      0) ;;
      *) some+=", $answers of $esp_pings" ;;
    esac
  done
  echo "$served of 2$some"
}
