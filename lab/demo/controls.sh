# Sourced: takes one thing of ours away for a moment, so that each row can show what it is good for.
# shellcheck shell=bash

save_ours() { # directory
  ours=$1
  inside gw nft -s list table inet gatehouse > "$ours/table"
  inside gw ip -o xfrm policy list \
    | sed -n 's/^\(src [^ ]* dst [^ ]*\).*dir \([a-z]*\) action block priority \([0-9]*\) .*/\1 dir \2 priority \3/p' \
      > "$ours/backstop"
}

# Loads our table without some rules.
without_rules() { # chains (a regular expression), text of the rules (another), and so on in pairs
  local chain pattern
  cp "$ours/table" "$ours/less"
  while [ $# -gt 0 ]; do
    chain=$1 pattern=$2
    shift 2
    awk -v chain="^($chain)$" -v pattern="$pattern" '
      $1 == "chain" { here = ($2 ~ chain) }
      here && /counter/ && $0 ~ pattern { left++; next }
      { print }
      END { if (!left) exit 1 }
    ' "$ours/less" > "$ours/less.new" || { echo "no rule of $chain matches $pattern" >&2 && return 1; }
    mv "$ours/less.new" "$ours/less"
  done
  { echo 'delete table inet gatehouse' && cat "$ours/less"; } | inside gw nft -f -
}

with_rules() {
  { echo 'table inet gatehouse' && echo 'delete table inet gatehouse' && cat "$ours/table"; } | inside gw nft -f -
}

without_backstop() {
  sed 's/^/xfrm policy delete /; s/ priority .*//' "$ours/backstop" | inside gw ip -batch -
}

with_backstop() {
  sed 's/^/xfrm policy add /; s/$/ action block/' "$ours/backstop" | inside gw ip -batch -
}
