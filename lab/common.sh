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
