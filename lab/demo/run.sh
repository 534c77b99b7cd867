#!/usr/bin/env bash
# The demo, inside the lab: builds a world of network namespaces, applies a description with `gatehouse` itself, tries
# what a gateway has to do, and each time what happens without the rule that does it.
#
#   run.sh GATEHOUSE DESCRIPTION FRAGMENTS BEHIND
#
# FRAGMENTS come from `gatehouse plan DESCRIPTION --format swanctl`; BEHIND describes a gateway with VPN clients behind it.
#
# Prints events for whoever draws the table, one to a line, fields parted by tabs:
#   step TEXT                                           what it is doing
#   row NAME  WANTED  SEEN  WANTED-WITHOUT  SEEN-WITHOUT  TAKEN-AWAY     a row, with its control
#   fail TEXT                                           it cannot go on
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
. "$here/tunnels.sh"
. "$here/probes.sh"
. "$here/controls.sh"
. "$here/l2tp.sh"
. "$here/esp.sh"
gatehouse=$1 description=$2 fragments=$3 behind=$4
world=/lab/demo
mkdir -p "$world"
export GATEHOUSE_BUILD=never # whoever started this has built it

inside() { # host, command …
  lab-in "demo-$1" "${@:2}"
}

# Starting a process is what costs most in emulation; this starts none.
exec 9<> <(:)
nap() { read -r -t 0.1 -u 9 || true; }

await() { # seconds, command …: until it succeeds
  local until=$((SECONDS + $1))
  shift
  until "$@" > /dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || return 1
    nap
  done
}

# Does the daemon follow the tunnels? Fails as soon as it has ended.
follows() { # daemon's process, its log
  until [[ $'\n'$(< "$2") == *$'\nfollows'* ]]; do
    kill -0 "$1" 2> /dev/null || return 1
    nap
  done
}

event() {
  local IFS=$'\t'
  printf '%s\n' "$*"
}
step() { event step "$1"; }
fail() {
  event fail "$1"
  exit 1
}

# A row to try; its control is what is taken away.
row() { # name, wanted, wanted without, control, probe …
  rows+=("$1") wanted+=("$2") wanted_without+=("$3") control+=("$4") probe+=("${*:5}")
}

# Runs the probes of some rows at the same time; what each saw is in a file of its own.
ask() { # with or without, numbers of rows …
  local which=$1 i asking=() usual=$patience
  shift
  for i; do
    patience=$usual
    # What shall not come is not waited for longer than usual.
    case $which/${wanted[i]}/${wanted_without[i]} in
      with/dropped/* | with/nothing/* | without/*/dropped | without/*/nothing | without/*/stalls) patience=3 ;;
    esac
    # shellcheck disable=SC2086 # a probe is several words
    ${probe[i]} > "$world/$which.$i" &
    asking+=($!)
  done
  wait "${asking[@]}"
}

# Where something should have come and nothing did, it may only have been slow: once more, alone and with patience. What came
# and should not have is never asked again.
ask_again() { # with or without, what is wanted: name of an array, numbers of rows …
  local which=$1 i
  local -n wants=$2
  shift 2
  for i; do
    case $(< "$world/$which.$i")/${wants[i]} in
      dropped/dropped | nothing/nothing | stalls/stalls) ;;
      dropped/* | nothing/* | stalls/*) patience=20 ask "$which" "$i" ;;
    esac
  done
}

# Tries all rows: with everything of ours in place, then for each control without that, then everything as it was.
try() {
  local i taken some less=
  patience=8 ask with "${!rows[@]}"
  ask_again with wanted "${!rows[@]}"
  for taken in "${takeaways[@]}"; do
    some=()
    for i in "${!rows[@]}"; do [ "${control[i]}" = "$taken" ] && some+=("$i"); done
    [ ${#some[@]} -gt 0 ] || continue
    step "trying without $taken"
    # Whoever loads our table without a rule loads the others anew.
    case ${less:+${away[$taken]}} in
      '' | without_rules*) ;;
      *) with_rules ;;
    esac
    less=
    if ${away[$taken]}; then
      ask without "${some[@]}"
      ask_again without wanted_without "${some[@]}"
    fi
    if [ "${back[$taken]}" = with_rules ]; then less=1; else ${back[$taken]}; fi
  done
  [ -z "$less" ] || with_rules
  for i in "${!rows[@]}"; do
    event row "${rows[i]}" "${wanted[i]}" "$(< "$world/with.$i")" "${wanted_without[i]}" \
      "$(cat "$world/without.$i" 2> /dev/null || echo '(no such rule)')" "${control[i]}"
  done
  rows=() wanted=() wanted_without=() control=() probe=()
  rm -f "$world"/with.* "$world"/without.*
}
rows=() wanted=() wanted_without=() control=() probe=()

ours_gone() { inside gw nft delete table inet gatehouse && without_backstop; }
ours_back() { with_rules && with_backstop; }
forged() { datagrams office outsider 10.0.3.9 10.0.1.20; }
in_clear() { datagrams net office 10.0.1.20 10.0.3.1; }
all_open() { without_rules 'input|in_staff' drop && inside gw nft add chain inet gatehouse input '{ policy accept; }'; }

# The same tunnel as one often finds it: everything goes through, also what the gateway will not forward.
full_selectors() { # file with what the gateway's charon knows
  inside gw bash -c 'cat > /etc/swanctl/swanctl.conf && swanctl --load-conns' < "$1" > /dev/null 2>&1 \
    && inside laptop swanctl --terminate --ike office > /dev/null 2>&1 \
    && await 20 inside laptop swanctl --initiate --child office
}
no_split() {
  sed '0,/local_ts = /s/local_ts = .*/local_ts = 0.0.0.0\/0/' "$world/gw.conf" > "$world/full.conf"
  full_selectors "$world/full.conf"
}

# What rows may be tried without: how it is taken away, and how it is put back.
declare -A away back
takeaways=()
takeaway() { # name, how, and back again
  takeaways+=("$1") away[$1]=$2 back[$1]=$3
}
# Of what touches different rows, several go at the same time.
takeaway 'rules, services for staff; rules for branch' 'without_rules from_staff|from_branch|in_staff accept' with_rules
takeaway 'masquerade; MSS clamp' 'without_rules nat_out masquerade mss.* maxseg' with_rules
takeaway 'final drops' all_open with_rules
takeaway 'a plain masquerade' plain_nat with_rules
takeaway 'spoof drop, backstop' ours_gone ours_back
takeaway 'guard, backstop' ours_gone ours_back
takeaway backstop without_backstop ours_back
takeaway 'split selectors' no_split true # the laptop's tunnel ends after this

no_policy() { # virtual IP
  ! inside gw ip xfrm policy list | grep -q "dst $1/32"
}

# Our NAT replaced by what one finds in forums.
plain_nat() {
  without_rules nat_out . && inside gw nft add rule inet gatehouse nat_out oifname eth0 counter masquerade
}

as_before() { # name of what is seen
  fingerprint > "$world/$1"
  if diff "$world/before" "$world/$1" > "$world/diff"; then echo 'as before'; else echo different; fi
}

# What `remove` has to give back.
fingerprint() {
  inside gw nft -s list ruleset
  inside gw ip rule
  inside gw ip -6 rule
  inside gw ip route show table all
  inside gw ip neigh show proxy
  # A policy to a line; their order is that of their making.
  inside gw ip xfrm policy list | sed ':a; N; $!ba; s/\n\t */ /g' | sort
  inside gw bash -c 'cd /proc/sys/net && grep -rs . ipv4/conf ipv6/conf ipv4/ip_forward 2> /dev/null' \
    | grep -v -e stable_secret -e mtu | sort
}

step 'a world of fourteen hosts'
lab-net up demo "$here/world.net" || fail 'the world cannot be built'
echo 'add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; add rule ip nat out oifname eth0 masquerade' \
  | inside home nft -f -
serve_tcp office 445
serve_tcp storage 445
serve_tcp shop 80
serve_tcp web 80
serve_tcp gw 22 8443
head -c 1000000 /dev/zero > "$world/file"
inside office socat TCP-LISTEN:8080,fork,reuseaddr "SYSTEM:cat $world/file" > /dev/null 2>&1 < /dev/null &
# Whoever forges an address answers for it too.
ip -n demo-outsider addr add 10.0.3.9/32 dev lo

step 'strongSwan at the gateway'
swan() { # host: with its configuration
  inside "$1" lab-charon start "$world/$1.conf" > "$world/$1.log" 2>&1 || fail "strongSwan does not start: $(cat "$world/$1.log")"
}
{ gateway_swan "$fragments" && l2tp_gateway_swan; } > "$world/gw.conf"
{ client_swan laptop@staff && l2tp_clients_swan; } > "$world/laptop.conf"
{ client_swan phone@roaming && l2tp_clients_swan; } > "$world/phone.conf"
{ connmark_swan && echo "$secret"; } > "$world/connmark.conf"
branch_swan > "$world/branch.conf"
swan gw
fingerprint > "$world/before"

step 'gatehouse run: it applies, and follows the tunnels; strongSwan at the branch, two road warriors'
# shellcheck disable=SC2016 # that shell's own
inside gw env GATEHOUSE_VICI=/run/charon.vici GATEHOUSE_JAVA_OPTIONS="${GATEHOUSE_JAVA_OPTIONS:-} -XX:TieredStopAtLevel=1" bash -c 'echo $$ > /run/daemon; exec "$0" run "$1"' \
  "$gatehouse" "$description" > "$world/run.log" 2>&1 < /dev/null &
daemon=$!
for host in laptop phone branch; do swan "$host"; done
modprobe -qa ip_tables iptable_mangle # the plugin loads none
CHARON_PLUGINS=$connmark_plugins swan connmark
follows "$daemon" "$world/run.log" || fail "run: $(tail -n 3 "$world/run.log")"
save_ours "$world"
start_counting
inside gw dnsmasq --keep-in-foreground --user=root --pid-file= --no-resolv --no-hosts --address=/office.example/10.0.1.20 \
  > "$world/dns.log" 2>&1 < /dev/null &

step 'bringing tunnels up: laptop, phone, branch; laptop and phone by L2TP too'
raising=()
raise() { # host, child
  await 20 inside "$1" swanctl --initiate --child "$2" &
  raising+=($!)
}
for host in laptop phone branch; do raise "$host" office; done
for host in laptop phone; do raise "$host" legacy && raise "$host" connmark; done
for pid in "${raising[@]}"; do wait "$pid" || fail "a tunnel does not rise: $(inside gw tail -n 3 /var/log/charon.log)"; done
await 20 l2tp_zones || fail "no L2TP: $(inside gw tail -n 3 /var/log/charon.log)"

step 'two L2TP clients behind one NAT'
with_zones=$(l2tp_answers gw 203.0.113.2 "$world")
l2tp_answers connmark 198.18.2.2 "$world" > "$world/connmark.answers" &
comparing=$!
# It would put back what is taken away below; what it has written stays.
inside gw bash -c 'read -r pid < /run/daemon && kill "$pid"'
wait "$daemon"

# Slow, and all by itself: it goes on while the rows below wait for what shall not come.
esp_try "$gatehouse" "$behind" "$world/esp" &
esp=$!

step 'trying'
row 'laptop → file server, through staff' reaches dropped 'rules, services for staff; rules for branch' reach laptop 10.0.1.20 445
row 'laptop → storage, behind a router of the LAN' reaches dropped 'rules, services for staff; rules for branch' reach laptop 192.168.88.10 445
row 'laptop → internet, split tunnel: seen as' 198.51.100.2 nothing 'split selectors' seen_by laptop 198.18.0.10 80
row 'phone → internet, through the tunnel: seen as' 203.0.113.2 nothing 'masquerade; MSS clamp' seen_by phone 198.18.0.10 80
row 'laptop → DNS on the gateway' answers dropped 'rules, services for staff; rules for branch' resolve laptop 10.0.1.1
row 'laptop → ssh on the gateway, not described' dropped reaches 'final drops' reach laptop 10.0.1.1 22
row 'outsider → ssh on the gateway' dropped reaches 'final drops' reach outsider 203.0.113.2 22
row 'office → internet: seen as' 203.0.113.2 nothing 'masquerade; MSS clamp' seen_by office 198.18.0.10 80
row 'office → branch, no NAT: seen as' 10.0.1.20 nothing 'a plain masquerade' seen_by office 10.20.0.10 80
row 'branch → file server' reaches dropped 'rules, services for staff; rules for branch' reach shop 10.0.1.20 445
row 'a megabyte to the laptop, ICMP lost on the way' whole stalls 'masquerade; MSS clamp' transfer laptop
row 'outsider as 10.0.3.9 → file server' dropped arrives 'spoof drop, backstop' forged
try

step 'the tunnel goes down'
inside laptop swanctl --terminate --ike office > /dev/null 2>&1
await 5 no_policy 10.0.3.1 || fail 'the laptop is still connected'
row 'tunnel down: file server → laptop, in clear' dropped arrives 'guard, backstop' in_clear
try
inside gw nft flush ruleset
row 'and all rules flushed by somebody' dropped arrives 'backstop' in_clear
try

step 'gatehouse remove'
ending=()
for host in phone branch; do inside "$host" swanctl --terminate --ike office > /dev/null 2>&1 & ending+=($!); done
for host in laptop phone; do inside "$host" swanctl --terminate --ike legacy > /dev/null 2>&1 & ending+=($!); done
as_before now > "$world/with-ours" &
wait "${ending[@]}" $!
await 5 no_policy 10.0.4.1
with_ours=$(< "$world/with-ours")
inside gw "$gatehouse" remove > "$world/remove.log" 2>&1 || fail "remove: $(tail -n 3 "$world/remove.log")"
seen=$(as_before after)
event row 'after remove the host is' 'as before' "$seen" different "$with_ours" 'remove'
[ "$seen" = 'as before' ] || head -n 20 "$world/diff" >&2

wait "$comparing"
event row 'laptop, phone by L2TP behind one NAT: answers' 'to their own' "$with_zones" 'mixed up' "$(< "$world/connmark.answers")" \
  "our rules: a gateway with strongSwan's connmark plugin"

step 'two VPN clients behind one address, raw ESP to one server'
wait "$esp" || fail 'no raw ESP'
event row 'two raw-ESP clients, one server: served' '2 of 2' "$(esp_served gw "$world/esp")" '1 of 2' "$(esp_served stock "$world/esp")" \
  'our rules and daemon: stock masquerade'
