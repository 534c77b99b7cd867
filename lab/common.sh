# Sourced by the lab's programs: where things are, how they speak, what a layer is.
# shellcheck shell=bash
lab_home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# HOME may be missing where a service or a container starts us.
lab_cache=${GATEHOUSE_LAB_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gatehouse/lab}

# Counts up when a layer is unpacked in another way than before: caches of that time are then fetched anew.
lab_format=2

say() { printf 'lab: %s\n' "$*" >&2; }

# The host lacks something: name it and leave with the status that every Gatehouse program uses for that.
lacking() {
  say "$*"
  exit 77
}

# Prints the header comment of the calling program, from its second line to the first that is no comment.
usage() {
  local line
  while IFS= read -r line; do
    [[ $line == '#!'* ]] && continue
    [[ $line == '#'* ]] || break
    line=${line#\#}
    printf '%s\n' "${line# }"
  done < "$0" >&2
  exit "${1:-64}"
}

# Sets `packages` to what the layer named $1 is made of. No forks: the second call of fetch has to be quick.
packages_of() {
  local name rest
  packages=
  while read -r name rest; do
    if [ "$name" = "$1" ]; then
      packages=$rest
      return 0
    fi
  done < "$lab_home/layers"
  return 1
}

# True when the layer $1 is unpacked whole and from the packages that the table names today.
layer_ready() {
  local has=
  [ ! -f "$lab_cache/root-$1.ready" ] || IFS= read -r has < "$lab_cache/root-$1.ready"
  packages_of "$1" && [ "$has" = "$lab_format $packages" ]
}

# What boot, inside and run take: sets layers (after those of $1), beside, mode, dir, parent, limit and, in mode
# `script`, the array run; and in run also features.
# shellcheck disable=SC2034 # the programs that source this use them
read_arguments() {
  layers=$1 beside= mode=script dir= parent=$PPID features= run=()
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h) usage 0 ;;
      --layers | --beside | --agent | --for | --needs)
        [ $# -ge 2 ] || usage
        case $1 in
          --layers) layers=${layers:+$layers,}$2 ;;
          --beside) beside=$2 ;;
          --agent) mode=agent dir=$2 ;;
          --for) parent=$2 ;;
          --needs) features=$2 ;;
        esac
        shift 2
        ;;
      -*) usage ;;
      *) break ;;
    esac
  done
  if [ "$mode" = agent ]; then
    [ $# -eq 0 ] || usage
    limit=${GATEHOUSE_LAB_TIMEOUT:-14400}
  else
    [ $# -ge 1 ] || usage
    [ -f "$1" ] || { say "no file $1" && exit 64; }
    limit=${GATEHOUSE_LAB_TIMEOUT:-300}
    run=("$(readlink -f "$1")" "${@:2}")
  fi
}

# Makes the directory of an agent ready; it may hold what an earlier one left.
prepare_agent() {
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd -P)
  rm -f "$dir"/{up,rc,stop,why,wake.in,wake.out}
  mkfifo "$dir/wake.in" "$dir/wake.out"
}

# Ends the machine $1 when nobody waits for it any more, or past the limit. Builtins only: it runs as long as the machine.
guard() {
  local began=$SECONDS
  exec 7<> <(:)
  while kill -0 "$1" 2> /dev/null; do
    kill -0 "$2" 2> /dev/null || break
    { [ "$mode" = script ] || kill -0 "$parent" 2> /dev/null; } || break
    [ ! -e "$dir/stop" ] || break
    [ $((SECONDS - began)) -lt "$limit" ] || { echo limit > "$dir/why" && break; }
    [ -e "$dir/up" ] || [ $((SECONDS - began)) -lt 180 ] || { echo boot > "$dir/why" && break; }
    read -r -t 0.25 -u 7 || true
  done
  kill -KILL "$1" 2> /dev/null
}


# Ends the guard whose process is $watch, without the shell's word about it.
dismiss() {
  { kill -KILL "$watch" && wait "$watch"; } 2> /dev/null || true
  watch=
}

# Ends this program as its lab ended, if that is known; returns where it is not.
leave() {
  local why=
  [ ! -f "$dir/why" ] || why=$(< "$dir/why")
  if [ -s "$dir/rc" ]; then exit "$(< "$dir/rc")"; fi
  if [ "$why" = limit ]; then
    say "ended past $limit s"
    exit 124
  fi
  [ "$mode" != agent ] || [ ! -e "$dir/up" ] || exit 0
}
