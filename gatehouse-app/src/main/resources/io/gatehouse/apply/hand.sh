#!/bin/sh
# Puts a generation of Gatehouse into the kernel, or takes it back, with nft, ip and a POSIX shell
# (and cat, mv, rm, cp, sync, grep, sed, readlink, timeout, flock, setsid) alone: rollback and boot need no Java.
#
#   hand.sh redo N [SECONDS]   from what stands to generation N; taken back unless confirmed
#   hand.sh undo N             from generation N to the one before it
#   hand.sh recover            takes back whatever was under way when somebody was killed; goes on with a boot
#   hand.sh confirm            generation that waits stays, and is loaded at boot
#   hand.sh expire N           takes N back if it still waits
#   hand.sh boot | late        loads the confirmed generation; late: again, when devices have come
#   hand.sh serve              takes the lock, then these commands from standard input
#
# Everything that varies stands in data files beside it, never in the text of a script. Each state
# from which undo may start (nothing done, some steps, all, an undo that was killed) leads to the same
# end, because each step looks at the kernel first or may be repeated.
set -u
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
# A terminal that hangs up, or Ctrl-C, must not leave the work half done: it takes less than a second.
trap '' HUP INT TERM PIPE TSTP

STATE=${GATEHOUSE_STATE:-/var/lib/gatehouse}
RUN=${GATEHOUSE_RUN:-/run/gatehouse}
SYS=/proc/sys
KILL_AT=${GATEHOUSE_KILL_AT:-}
steps=0

# Tests only: dies before the step with that number, as if somebody had pulled it away.
step() {
  steps=$((steps + 1))
  [ "$steps" != "$KILL_AT" ] || kill -KILL $$
}

say() { printf 'say %s\n' "$*"; }

# --- what is true of this kernel -----------------------------------------------------------------

read -r boot < /proc/sys/kernel/random/boot_id
namespace=$(readlink /proc/self/ns/net)

uptime() { # whole seconds since boot, suspend included
  read -r up rest < /proc/uptime
  echo "${up%%.*}"
}

# Whoever waits for the kernel for ever would hold the lock for ever. A transaction that is killed is not begun,
# or it is done: only TERM is not enough, because children ignore it with us.
nft() {
  # nft loads PPTP's helper, but nobody what translates for it.
  [ "$1" != -f ] || ! grep -q '^	ct helper pptp {' "$2" || modprobe -q nf_nat_pptp || :
  timeout -s KILL 100 nft "$@"
}

# Asked so that no nft fetches every element of every set for an answer: 1.0.6 does for `get element` and for
# `-t list table`, which of ten thousand peers takes a second each.
holds() { nft list set inet gatehouse generation 2> /dev/null | grep -q "$(printf '{ 0x%08x }' "$1")"; }
fenced() { nft -t list ruleset inet 2> /dev/null | grep -q '^table inet gatehouse_fence {'; }
stands() { nft -t list ruleset inet 2> /dev/null | grep -q '^table inet gatehouse {'; }

# --- journal -------------------------------------------------------------------------------------

# now: the generation in the kernel, 0 for none. doing, at: what is under way, with which generation.
# waits, until: the generation that waits for confirm, and the uptime at which that ends.
read_journal() {
  now=0 doing='' at=0 waits=0 until=0 their_boot='' their_namespace=''
  [ -f "$STATE/journal" ] || return 0
  while read -r key a b; do
    case $key in
      boot) their_boot=$a ;;
      namespace) their_namespace=$a ;;
      now) now=$a ;;
      doing) doing=$a at=$b ;;
      waits) waits=$a until=$b ;;
    esac
  done < "$STATE/journal"
  # What another boot or another namespace has done is not in this kernel: never taken back here.
  if [ "$their_boot" != "$boot" ] || [ "$their_namespace" != "$namespace" ]; then
    now=0 doing='' at=0 waits=0 until=0
  fi
}

write_journal() {
  {
    printf 'journal 1\nboot %s\nnamespace %s\nnow %s\n' "$boot" "$namespace" "$now"
    [ -z "$doing" ] || printf 'doing %s %s\n' "$doing" "$at"
    [ "$waits" = 0 ] || printf 'waits %s %s\n' "$waits" "$until"
  } > "$STATE/journal.new" && mv -f "$STATE/journal.new" "$STATE/journal"
}

# The kernel gives a namespace's number to another one when the first is gone, within one boot. So what the journal
# tells of counts only where something of it is there.
disclaim() {
  read_journal
  [ "$now" != 0 ] && [ -z "$doing" ] && [ "$waits" = 0 ] || return 0
  ! traces "$now" || return 0
  say "nothing of generation $now is in this kernel: the journal tells of another namespace"
  now=0
  write_journal
}

# Whether anything of generation N is here: a table, a policy, an entry, or each setting with the value we gave it.
traces() { # N
  ! stands || return 0
  ! fenced || return 0
  open_generation "$1" > /dev/null || return 1
  [ "$empty" = no ] || return 0
  if [ -s "$dir/policies" ] && ip xfrm policy list | grep -q "priority $priority "; then return 0; fi
  if {
    ip -N -4 rule && ip -N -6 rule && ip -N -4 route show table all && ip -N -6 route show table all
    ip -N neigh show proxy
  } 2> /dev/null | grep -Eq " proto $protocol( |\$)"; then return 0; fi
  traced=''
  [ ! -s "$dir/sysctl" ] || for_each_value trace "$dir/sysctl"
  [ "$traced" = yes ]
}

trace() { # key `before after` current
  case ${2#* } in
    "${2% *}" | '?') ;;
    "$3") [ "$traced" = no ] || traced=yes ;;
    *) traced=no ;;
  esac
}

# Sets dir, from (the generation before), empty (whether nothing of ours is wanted) and what else meta tells.
open_generation() {
  dir=$STATE/generations/$1 from=0 empty=no priority=0 was=0 protocol=0 at_boot=yes
  [ -f "$dir/meta" ] || { say "generation $1 is not in $STATE"; return 1; }
  while read -r key value; do
    case $key in
      from) from=$value ;;
      empty) empty=$value ;;
      backstop) priority=$value ;;
      backstop-before) was=$value ;;
      protocol) protocol=$value ;;
      at-boot) at_boot=$value ;;
    esac
  done < "$dir/meta"
}

# The generation that a boot loads, durable before we say so.
set_boot() { # N, or 0
  if [ "$1" = 0 ]; then
    rm -f "$STATE/boot"
  else
    cp "$STATE/generations/$1/hand.sh" "$STATE/boot.sh.new"
    printf '%s\n' "$1" > "$STATE/boot.new"
    sync "$STATE/boot.sh.new" "$STATE/boot.new" 2> /dev/null || sync
    mv -f "$STATE/boot.sh.new" "$STATE/boot.sh"
    mv -f "$STATE/boot.new" "$STATE/boot"
  fi
  sync "$STATE" 2> /dev/null || sync
}

settle() { # N is confirmed
  : > "$STATE/generations/$1/confirmed"
  open_generation "$1"
  if [ "$empty" = yes ]; then
    set_boot 0
  elif [ "$at_boot" = yes ]; then
    set_boot "$1"
  fi
}

loaded_at_boot() { # sets booted
  booted=0
  [ ! -f "$STATE/boot" ] || read -r booted < "$STATE/boot"
}

# What a boot loads while this change has not begun, for the way back.
note_boot() { # GENERATION, 0 for none
  printf '%s\n' "$1" > "$dir/booted.new" && mv -f "$dir/booted.new" "$dir/booted" || return 1
  sync "$dir/booted" "$dir" 2> /dev/null || sync
}

# After the way back a boot loads what it loaded before.
unsettle() {
  goal=0
  [ ! -f "$dir/booted" ] || read -r goal < "$dir/booted"
  [ -f "$STATE/generations/$goal/hand.sh" ] || goal=0
  loaded_at_boot
  [ "$booted" = "$goal" ] || set_boot "$goal"
}

# --- the parts of a change -----------------------------------------------------------------------

# batch FAMILY FILE: ip's own batch, which ends at the first line that fails; line by line where a test wants
# to die inside one.
batch() {
  [ -s "$2" ] || return 0
  if [ -n "$KILL_AT" ]; then
    while IFS= read -r line <&3; do
      step
      # shellcheck disable=SC2086 # an empty option is none
      printf '%s\n' "$line" | ip $1 -batch - || return 1
    done 3< "$2"
  else
    step
    # shellcheck disable=SC2086 # an empty option is none
    ip $1 -batch "$2"
  fi
}

# The same where some of it may be done already: each line by itself then. (ip's -force does not help: for
# policies and neighbours ip itself exits at an error.) What fails otherwise than by being done already is put into `left`.
batch_anyway() {
  [ -s "$2" ] || return 0
  [ -n "$KILL_AT" ] || ! batch "$1" "$2" 2> /dev/null || return 0
  while IFS= read -r line <&3; do
    step
    # shellcheck disable=SC2086
    error=$(printf '%s\n' "$line" | LC_ALL=C ip $1 -batch - 2>&1 > /dev/null) && continue
    case $error in
      *'File exists'* | *'No such process'* | *'No such file'*) ;; # done already
      *'Cannot find device'* | *'No such device'*) ;;              # gone with its device
      *) left="$left$line: $(printf '%s' "$error" | head -n 1)
" ;;
    esac
  done 3< "$2"
  return 0
}

# Prints a line `SELECTOR dir DIRECTION priority NUMBER` for each policy that is told apart by addresses alone, as ours
# are. One with a port, a protocol, a mark or an interface is another entry, whatever its addresses: it never stands in
# the way of ours, and a delete of ours never hits it. With PRIORITY, those of ours may be left out: of ten thousand
# peers that is a hundred thousand, and the shell reads byte by byte.
policies() { # [PRIORITY]
  entry=''
  if [ -n "${1:-}" ] && ! blocked_by_others "$1"; then
    # Exceptions from a block allow, as an IKE daemon's do.
    ip xfrm policy list action allow
  else
    ip xfrm policy list
  fi | {
    while read -r one two three four rest; do
      case $one in
        src)
          [ -z "$entry" ] || printf '%s\n' "$entry"
          entry='' selector="src $two $three $four"
          [ -z "$rest" ] || selector=''
          ;;
        dir)
          number=" $three $four $rest " number=${number#* priority }
          [ -z "$selector" ] || entry="$selector dir $two priority ${number%% *}"
          ;;
        mark | if_id) entry='' ;;
        *) case " $four $rest " in *' if_id '*) entry='' ;; esac ;;
      esac
    done
    [ -z "$entry" ] || printf '%s\n' "$entry"
  }
}

blocked_by_others() { # PRIORITY
  ip xfrm policy list action block | grep '^	dir ' | grep -Evq " priority ($1|$(($1 - 2)))( |\$)"
}

# A delete goes by the selector and would also hit the policy that an IKE daemon has put in the place of ours. Such
# lines are left out. Only policies with everything, or half of it, on a side can be like ours.
ours_only() { # FILE PRIORITY, to standard output; PRIORITY is that of those to delete
  [ -s "$1" ] || return 0
  if ! grep -q '^xfrm policy delete ' "$1"; then
    cat "$1"
    return
  fi
  while read -r _ near _ far _ direction _ number; do
    case " $near $far " in
      *' 0.0.0.0/'[01]' '* | *' 128.0.0.0/1 '* | *' ::/'[01]' '* | *' 8000::/1 '*)
        # Exceptions from a block stand one before it, and blocks from these two.
        [ "$number" = "$2" ] || [ "$number" = "$(($2 - 1))" ] || [ "$number" = "$(($2 - 2))" ] ||
          printf 'xfrm policy delete src %s dst %s dir %s\n' "$near" "$far" "$direction"
        ;;
    esac
  done > "$RUN/theirs" << EOF
$(policies "$2")
EOF
  grep -vxFf "$RUN/theirs" "$1" || [ $? = 1 ] # 1 is that no line is left
}

backstop() { # batch|batch_anyway FILE PRIORITY
  [ -s "$2" ] || return 0
  ours_only "$2" "$3" > "$RUN/backstop" && by_index "$RUN/backstop" && "$1" '' "$RUN/backstop"
}

# After each delete by a selector the kernel looks for branches of its tree that are empty now
# (xfrm_policy_inexact_prune_bin), in all of it; after one by an index it does not. So many go by their indexes, and are
# taken out of FILE; the last stays in it, and prunes. Only what blocks and has addresses alone is deleted so. Where
# this ip says it in other words, or one of them has gone meanwhile, FILE stays as it is.
by_index() { # FILE
  [ -z "$KILL_AT" ] && [ "$(grep -c '^xfrm policy delete ' "$1")" -gt 500 ] || return 0
  ip -s xfrm policy list action block | grep -E '^src |^[[:space:]](dir|mark|if_id|security) ' > "$RUN/indexes"
  ! grep -Eqi '^.(mark|security)| if_id |^.if_id' "$RUN/indexes" || return 0
  sed -n 's/$/ index /; /^xfrm policy delete /p' "$1" | sed '$d' > "$RUN/wanted"
  sed -n '/^src /{
    N
    s/^\(src [^ ]* dst [^ ]*\) uid 0\n[[:space:]]\(dir [a-z]*\) action block \(index [0-9]*\) priority [0-9]* ptype main .*/xfrm policy delete \1 \2 \3/p
  }' "$RUN/indexes" | grep -Ff "$RUN/wanted" > "$RUN/indexed" || return 0
  sed 's/ src .* dir / dir /' "$RUN/indexed" > "$RUN/by-index"
  step
  ip -batch "$RUN/by-index" 2> /dev/null || return 0
  sed 's/ index .*//' "$RUN/indexed" > "$RUN/deleted"
  { grep -vxFf "$RUN/deleted" "$1" > "$RUN/rest" || [ $? = 1 ]; } && mv -f "$RUN/rest" "$1"
}

# Prints `path:value` for each key that begins a line of FILE, in its order; keys that are gone are left
# out. Not the shell's own read: it reads byte by byte, and the kernel gives a number's first byte only.
values() { # FILE
  set -- "$1" /dev/null
  while read -r key rest; do
    [ ! -e "$SYS/$key" ] || set -- "$@" "$SYS/$key"
  done < "$1"
  shift
  grep -sH '' "$@"
}

# for_each_value COMMAND FILE: runs `COMMAND key rest current` for each line of FILE whose key is there.
for_each_value() {
  values "$2" > "$RUN/values"
  path=''
  while read -r key rest <&3; do
    [ -n "$path" ] || IFS=: read -r path current <&4 || break
    if [ "$path" = "$SYS/$key" ]; then
      path=''
      "$1" "$key" "$rest" "$current"
    fi
  done 3< "$2" 4< "$RUN/values"
}

# Twice, because a write to forwarding or to conf/default rewrites keys that stand before it; the second
# time the keys that rewrite others have their value already and are not written. Fails where one that is there
# could not be written then.
write_sysctls() { # FILE of `key value`
  [ -s "$1" ] || return 0
  unwritten=''
  for_each_value write_sysctl "$1"
  unwritten=''
  for_each_value write_sysctl "$1"
  for key in $unwritten; do
    say "cannot write $key"
  done
  [ -z "$unwritten" ]
}

write_sysctl() { # key value current
  [ "$2" != "$3" ] || return 0
  step
  # In a subshell: where a redirection fails, some shells end.
  (printf '%s\n' "$2" > "$SYS/$1") 2> /dev/null || [ ! -e "$SYS/$1" ] || unwritten="$unwritten $1"
}

# What undo writes, decided once and kept: the first write changes what the others read. A key that has
# another value than we gave it is somebody else's since, and keeps it; but where a redo was interrupted it
# may be the kernel's own doing.
sysctl_goal() {
  [ ! -f "$dir/goal" ] || return 0
  reversed=''
  while read -r key _; do
    [ -e "$SYS/$key" ] || say "$key has gone with its device"
  done < "$dir/sysctl"
  for_each_value goal_of "$dir/sysctl"
  printf '%s' "$reversed" > "$dir/goal.new" && mv -f "$dir/goal.new" "$dir/goal"
}

goal_of() { # key `before after` current
  before=${2% *}
  [ "$interrupted" = redo ] || [ "$interrupted" = boot ] || case ${2#* } in "$3" | '?') ;; *) before=$3 ;; esac
  # In reverse: forwarding ends before router advertisements are no longer accepted.
  reversed="$1 $before
$reversed"
}

inode() { # file
  stat -L -c '%d %i' "$1" 2> /dev/null || echo "no $1"
}

# Starts what takes generation N back. systemd's timer outlives the session; it runs in the namespace of
# process 1, so elsewhere, and without systemd, a process of its own session does it.
arm() { # N SECONDS
  # Whoever has fewer capabilities than process 1 may not read /proc/1/ns/net.
  if [ -d /run/systemd/system ] && [ "$(inode /proc/1/net/dev)" = "$(inode /proc/self/net/dev)" ] &&
    command -v systemd-run > /dev/null; then
    systemd-run --quiet --collect --unit="gatehouse-confirm-$1" --on-active="$2" \
      --timer-property=AccuracySec=200ms --setenv=GATEHOUSE_STATE="$STATE" \
      --setenv=GATEHOUSE_RUN="$RUN" /bin/sh "$dir/hand.sh" expire "$1" 9>&-
  else
    GATEHOUSE_STATE=$STATE GATEHOUSE_RUN=$RUN GATEHOUSE_KILL_AT='' \
      setsid sh "$dir/hand.sh" guard "$1" < /dev/null >> "$RUN/guard.log" 2>&1 9>&- &
  fi
}

# --- redo ----------------------------------------------------------------------------------------

redo() { # N SECONDS
  open_generation "$1" || return 1
  seconds=${2:-0}
  read_journal
  [ -z "$doing" ] || { say "something is under way already"; return 1; }
  [ "$now" = "$from" ] || { say "generation $1 was prepared for $from, and $now stands"; return 1; }
  rm -f "$dir/goal"
  loaded_at_boot
  note_boot "$booted" || return 1
  doing=redo at=$1
  if [ "$seconds" != 0 ]; then
    waits=$1 until=$(($(uptime) + seconds))
  fi
  step
  write_journal || return 1
  if forwards "$1"; then
    now=$1 doing='' at=0
    # A generation that waits is not loaded at boot.
    [ "$waits" != 0 ] || settle "$1"
    step
    write_journal
    step
    return 0
  fi
  say "taken back"
  undo "$1"
  case $? in
    0) return 1 ;;
    3) return 3 ;;
    *) return 2 ;;
  esac
}

forwards() {
  if [ "$waits" != 0 ]; then
    step
    arm "$1" "$seconds" || return 1
  fi
  last=final.nft
  step
  if stands; then
    nft -f "$dir/fence.nft" || return 1
  else
    whole final.nft || return 1
    last=unfence.nft
  fi
  batch -4 "$dir/redo.ip4" || return 1
  batch -6 "$dir/redo.ip6" || return 1
  write_sysctls "$dir/redo.sysctl" || return 1
  backstop batch "$dir/redo.xfrm" "$was" || return 1
  step
  nft -f "$dir/$last" || return 1
  forget_connections
  remember
}

# Where no table of ours stands, all of the rules come before the first packet is forwarded: a fence translates no
# address, and a connection that begins without its translation keeps that for life. The fence beside it only tells
# that the rest is under way: with the same chains it would say the same of each packet a second time.
whole() { # TABLE
  { cat "$dir/$1" && echo 'add table inet gatehouse_fence'; } > "$RUN/whole.nft" && nft -f "$RUN/whole.nft"
}

# Connections that would keep the address translation of before.
forget_connections() {
  [ -s "$dir/conntrack" ] || return 0
  if [ -z "$KILL_AT" ]; then
    step
    # One process for all of them: conntrack takes a list since 1.4.7. Each of its deletions looks through the table,
    # so that many in a large one take long; whoever waits to confirm is not to wait for that.
    sed 's/^/-D /' "$dir/conntrack" > "$RUN/forget"
    timeout 30 conntrack -R "$RUN/forget" > /dev/null 2>&1
    case $? in
      0) return 0 ;;
      124)
        say "connections with an old translation were not all ended within 30 s: conntrack -F ends all"
        return 0
        ;;
    esac
  fi
  while read -r entry <&3; do
    step
    # shellcheck disable=SC2086 # options are words; one that has ended meanwhile is no failure
    conntrack -D $entry > /dev/null 2>&1
  done 3< "$dir/conntrack"
}

# What the kernel made of our text, for `status` to compare with; elements are as they were asked for (table.nft).
remember() {
  step
  if [ "$empty" = yes ]; then
    : > "$dir/seen.nft"
  else
    nft -s -t list ruleset inet > "$RUN/rules" &&
      sed '/^table inet gatehouse {/,/^}/!d' "$RUN/rules" > "$dir/seen.new" && mv -f "$dir/seen.new" "$dir/seen.nft"
  fi
}

# --- undo ----------------------------------------------------------------------------------------

# Returns 3 where all is taken back but for what is said.
undo() { # N
  open_generation "$1" || return 1
  read_journal
  if [ "$at" != "$1" ] && [ "$now" != "$1" ]; then
    say "generation $1 does not stand in this kernel"
    return 1
  fi
  interrupted=$doing
  [ -n "$interrupted" ] || rm -f "$dir/goal"
  sysctl_goal
  doing=undo at=$1
  step
  write_journal || return 1
  # With a fence up, the table is still the one from before the step that was interrupted, or the first of ours.
  if ! fenced; then
    step
    if stands; then
      nft -f "$dir/fence-back.nft" || return 1
    else
      whole whole-back.nft || return 1
    fi
  fi
  left='' kept=0
  backstop batch_anyway "$dir/undo.xfrm" "$priority"
  write_sysctls "$dir/goal" || kept=3
  batch_anyway -6 "$dir/undo.ip6"
  batch_anyway -4 "$dir/undo.ip4"
  step
  if holds "$1"; then
    nft -f "$dir/back.nft"
  elif [ "$from" != 0 ] && holds "$from"; then
    nft -f "$dir/unfence.nft"
  else
    # Somebody flushed the rules, or nothing of ours stood: from nothing.
    nft -f "$dir/whole-back.nft"
  fi || nft -f "$dir/whole-back.nft" || return 1
  step
  unsettle
  now=$from doing='' at=0 waits=0 until=0
  step
  write_journal
  step
  rm -f "$dir/goal"
  [ -z "$left" ] || {
    printf '%s' "$left" | while IFS= read -r line; do
      say "not taken back: $line"
    done
    kept=3
  }
  return "$kept"
}

recover() {
  read_journal
  [ -n "$doing" ] || return 0
  if [ "$doing" = boot ]; then
    say "going on with the boot of generation $at"
    load "$at"
    return
  fi
  say "taking back what was interrupted: $doing of generation $at"
  undo "$at"
}

expire() { # N
  read_journal
  [ "$waits" = "$1" ] || return 0
  say "nobody has confirmed generation $1"
  undo "$1"
}

# Looks every second, so that it ends by itself when somebody confirms.
guard() { # N
  while :; do
    read_journal
    [ "$waits" = "$1" ] || exit 0
    [ "$(uptime)" -lt "$until" ] || break
    sleep 1
  done
  lock_patiently expire "$1"
  expire "$1"
}

confirm() {
  read_journal
  [ -z "$doing" ] || return 1
  [ "$waits" != 0 ] || return 1
  step
  settle "$waits"
  waits=0 until=0
  step
  write_journal
}

# --- boot ----------------------------------------------------------------------------------------

# Lines of FILE but those for a policy or a proxy neighbour that somebody else has already: the kernel has each once
# only, and their deletion knows no owner. So such an entry is neither ours to add nor to take away.
not_theirs() { # FILE, to standard output
  case $1 in
    *.xfrm | */policies)
      : > "$RUN/theirs.delete"
      policies | while read -r policy; do
        policy=${policy% priority *}
        # A delete ends with its selector: with a mark behind it, it is another entry's.
        printf 'xfrm policy delete %s\n' "$policy" >> "$RUN/theirs.delete"
        printf 'xfrm policy add %s action \n' "$policy"
      done > "$RUN/theirs.add"
      # 1 is that no line is left.
      grep -vxFf "$RUN/theirs.delete" "$1" > "$RUN/others" || [ $? = 1 ] || return 2
      grep -vFf "$RUN/theirs.add" "$RUN/others" || [ $? = 1 ]
      return
      ;;
  esac
  theirs='|'
  while read -r one _ three rest; do
    case "$rest " in
      *" proto $protocol "*) ;;
      *) theirs="$theirs$one dev $three|" ;;
    esac
  done << EOF
$(ip -N neigh show proxy)
EOF
  while IFS= read -r line; do
    case $line in
      'neigh '*) key=${line#neigh * proxy } key=${key%% protocol *} ;;
      *) key='' ;;
    esac
    case $theirs in *"|$key|"*) [ -z "$key" ] || continue ;; esac
    printf '%s\n' "$line"
  done < "$1"
}

keep_ours() { # FILE…
  for file; do
    not_theirs "$dir/boot/$file" > "$dir/.new" && mv -f "$dir/.new" "$dir/$file" || return 1
  done
}

# At boot nothing of ours stands. What a boot is to load is never taken back by a boot: whatever fails, the next one
# tries again.
boot() {
  [ -f "$STATE/boot" ] || return 0
  read -r n < "$STATE/boot"
  read_journal
  if [ -n "$doing" ] && [ "$doing" != boot ]; then
    recover || return 1
    read_journal
  fi
  if [ "$doing" = boot ]; then
    n=$at
  elif [ "$now" != 0 ] && holds "$now"; then
    say "generation $now stands already"
    return 0
  elif [ "$now" != 0 ] && [ "$now" != "$n" ]; then
    say "generation $now was applied since the boot, and its table is gone: apply it again"
    return 1
  fi
  load "$n"
}

# The filter comes first, then what it guards.
load() { # N
  status=0
  open_generation "$1" || { closed "$1"; return 1; }
  source=$dir
  if [ "$now" = 0 ] && [ -z "$doing" ] && ! from_nothing; then
    say "cannot write $dir"
    source=$dir/boot status=1
  fi
  doing=boot at=$1
  step
  write_journal || status=1
  step
  if nft -f "$source/final.nft"; then
    backstop batch_anyway "$source/redo.xfrm" 0
    batch_anyway -4 "$source/redo.ip4"
    batch_anyway -6 "$source/redo.ip6"
    write_sysctls "$source/redo.sysctl" || status=1
    remember || status=1
  else
    status=1
    closed "$1"
    backstop batch_anyway "$source/redo.xfrm" 0
  fi
  now=$1 doing='' at=0
  step
  write_journal || status=1
  return $status
}

# From here on this generation comes after nothing, whatever it came after when it was applied.
from_nothing() {
  rm -f "$dir/goal"
  for file in "$dir"/boot/*; do
    cp "$file" "$dir/.new" && mv -f "$dir/.new" "$dir/${file##*/}" || return 1
  done
  open_generation "${dir##*/}" || return 1
  # Who takes a boot back wants nothing of it at the next one.
  note_boot 0 || return 1
  keep_ours redo.ip4 undo.ip4 redo.ip6 undo.ip6 redo.xfrm undo.xfrm policies || return 1
  : > "$dir/sysctl.new" || return 1
  note_sysctls
  mv -f "$dir/sysctl.new" "$dir/sysctl" && keep_base
}

# The rules cannot be loaded: nothing is forwarded, by a chain where there is nftables at all, and by the settings.
closed() { # N
  say "the rules of generation $1 are not loaded, and nothing is forwarded"
  step
  nft 'add table inet gatehouse; add chain inet gatehouse forward { type filter hook forward priority 0; policy drop; }'
  for key in net/ipv4/ip_forward net/ipv6/conf/all/forwarding; do
    # Only what is ours to give back, where that is known.
    if [ ! -f "$dir/sysctl" ] || grep -q "^$key " "$dir/sysctl"; then
      step
      (echo 0 > "$SYS/$key") 2> /dev/null
    fi
  done
}

# Keeps the values before ours of every key that our writes may change. `?`: what the kernel makes of it
# is not known beforehand.
note_sysctls() {
  while read -r pattern; do
    # shellcheck disable=SC2086 # patterns are patterns
    grep -sH '' /dev/null $SYS/$pattern
  done < "$dir/sysctl.patterns" > "$RUN/values"
  while IFS=: read -r path current; do
    key=${path#"$SYS/"}
    noted "$key" || printf '%s %s ?\n' "$key" "$current" >> "$dir/sysctl.new"
  done < "$RUN/values"
}

# The values that `remove` gives back are those before the boot.
keep_base() {
  while read -r key before _; do
    printf '%s %s\n' "$key" "$before"
  done < "$dir/sysctl" > "$dir/base.new"
  mv -f "$dir/base.new" "$dir/base"
}
noted() { # KEY [FILE]
  while read -r known _; do
    [ "$known" != "$1" ] || return 0
  done < "${2:-$dir/sysctl.new}"
  return 1
}

# Devices have come since: their routes, neighbours and settings. What is known of the others stays: this
# generation may have come after another one.
late() {
  read_journal
  [ "$now" != 0 ] && [ -z "$doing" ] || return 0
  open_generation "$now" || return 1
  [ "$empty" = no ] || return 0
  # Nothing is forwarded where nothing filters: the boot may have failed.
  holds "$now" || { say "the rules of generation $now are not loaded"; return 1; }
  cp "$dir/sysctl" "$dir/sysctl.new" && cp "$dir/base" "$dir/base.new" || return 1
  note_sysctls
  while read -r key before after; do
    [ "$after" != '?' ] || noted "$key" "$dir/base.new" || printf '%s %s\n' "$key" "$before" >> "$dir/base.new"
  done < "$dir/sysctl.new"
  mv -f "$dir/base.new" "$dir/base" && mv -f "$dir/sysctl.new" "$dir/sysctl" || return 1
  add_late -4 ip4 && add_late -6 ip6 || return 1
  write_sysctls "$dir/boot/redo.sysctl"
}

# What is there already has its way back, or is somebody else's, and stays so. (Adding a proxy neighbour that is
# there succeeds, so such lines are left out.)
add_late() { # FAMILY NAME
  (
    protocol=nobody
    not_theirs "$dir/boot/redo.$2"
  ) > "$RUN/late" || return 1
  cp "$dir/undo.$2" "$dir/.new" || return 1
  while IFS= read -r line <&3; do
    step
    if printf '%s\n' "$line" | ip "$1" -batch - 2> /dev/null; then
      # A device may come and go many times.
      back="${line%% add *} del ${line#* add }"
      grep -qxF -e "$back" "$dir/.new" || printf '%s\n' "$back" >> "$dir/.new"
    fi
  done 3< "$RUN/late"
  mv -f "$dir/.new" "$dir/undo.$2"
}

# --- lock and commands ---------------------------------------------------------------------------

mkdir -p "$STATE" "$RUN" || exit 70
lock_now() {
  exec 9>> "$RUN/lock"
  flock -n 9 || exit 75
  # The one before must not be named for us; whoever started us says who we are.
  rm -f "$RUN/holder"
}
lock_waiting() { # SECONDS COMMAND…
  exec 9>> "$RUN/lock"
  flock -w "$1" 9 || exit 75
  shift
  printf '%s %s %s\n' "$$" "$(uptime)" "hand.sh $*" > "$RUN/holder"
}
# Whoever gives up here leaves standing what nobody has confirmed, or a host without rules: until it comes.
lock_patiently() { # COMMAND…
  exec 9>> "$RUN/lock"
  flock 9 || exit 75
  printf '%s %s %s\n' "$$" "$(uptime)" "hand.sh $*" > "$RUN/holder"
}

# The next line from standard input. A line without its end was cut off by somebody's death, and is not obeyed. Whoever
# is silent for so long has been stopped: he must not keep the lock from who takes back what nobody confirms.
# shellcheck disable=SC2016 # the inner shell expands it
next_line() { timeout -s KILL "${GATEHOUSE_IDLE:-300}" sh -c 'read -r line && printf "%s\n" "$line"' 9>&-; }

serve() {
  lock_now
  disclaim > "$RUN/disowned"
  echo ready
  cat "$RUN/disowned"
  while line=$(next_line); do
    # shellcheck disable=SC2086 # words
    set -- $line
    case ${1:-} in
      redo | undo | recover | confirm)
        "$1" "${2:-}" "${3:-}" 2> "$RUN/errors"
        status=$?
        # Recovering is how a change begins; anything else is all of it. What waits may be taken back from now on.
        [ "$1" = recover ] || flock -u 9
        echo "done $status"
        [ "$1" = recover ] || break
        ;;
      *) echo "done 64" ;;
    esac
  done
}

command=${1:-}
case $command in
  serve) serve ;;
  guard) guard "$2" ;;
  expire)
    lock_patiently "$@"
    expire "$2"
    ;;
  redo | undo | recover | confirm | boot | late)
    case $command in
      boot | late) lock_patiently "$@" ;;
      *) lock_waiting 120 "$@" ;;
    esac
    disclaim
    shift
    "$command" "$@"
    ;;
  *)
    echo "usage: hand.sh redo N [SECONDS] | undo N | recover | confirm | expire N | boot | late | serve" >&2
    exit 64
    ;;
esac
