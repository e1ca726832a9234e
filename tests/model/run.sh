#!/bin/bash
# Checks the models: every property must hold, every mutation must be caught. A model that nobody can break proves nothing.
# Needs spin and gcc only; works in a temporary directory, two checks at a time. The last line says how many passed.
#   tests/model/run.sh             all checks
#   tests/model/run.sh WORD…       only those whose line contains one of the words
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
spec=$(cd "$here/../../runtime/spec" && pwd)

# Each line of checks.txt: expectation | model | property | flags | what the line claims
# One check: build the verifier of this variant, run it, compare with what is expected.
check() {
  local number=$1 expected=$2 model=$3 property=$4 flags=$5 claim=$6
  local room=$work/$number begin=$SECONDS
  mkdir "$room" && cd "$room" || return 1
  local build=(-DSAFETY) run=(-m20000 -w22) level=-O1
  # A few thousand states: the compiler is what costs. Only these two have a million.
  case $expected/$model in holds/delete_protocol | holds/fleet) ;; *) level=-O0 ;; esac
  case $property in finishes*) build=(-DNFAIR=9) run=(-m20000 -w22 -a -f) ;; esac
  # shellcheck disable=SC2086  # the flags are words
  if ! spin -P"gcc -std=gnu99 -E -x c -I$spec -I$here" $flags -a "$here/$model.pml" >spin.log 2>&1 ||
    ! gcc $level -w -DMEMLIM=900 "${build[@]}" -o pan pan.c >gcc.log 2>&1; then
    printf 'FAILED  %-16s %-15s %s (does not build)\n' "$model" "$property" "$claim" |
      tee "$work/$number.line"
    tail -n 5 spin.log
    return
  fi
  ./pan "${run[@]}" -N "$property" >pan.log 2>&1
  local found=nothing states
  states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' pan.log | head -1)
  if grep -qE 'search depth too small|out of memory|max search depth|aborting|error:' pan.log; then
    found=trouble
  elif grep -qE 'assertion violated|acceptance cycle' pan.log; then
    found=violation
  elif grep -q 'errors: 0' pan.log; then
    found=clean
  fi
  local word=FAILED
  [ "$expected/$found" = holds/clean ] && word=holds
  [ "$expected/$found" = fails/violation ] && word=caught
  local seconds=$((SECONDS - begin))
  printf '%-7s %-16s %-15s %s (%s states, %d s)\n' \
    "$word" "$model" "$property" "$claim" "${states:-?}" $seconds >"$work/$number.line"
  echo "$model $word ${states:-0} $seconds" >"$work/$number.count"
  cat "$work/$number.line"
}

for tool in spin gcc; do
  command -v $tool >/dev/null || { echo "model: $tool is missing"; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

number=0
while IFS='|' read -r expected model property flags claim; do
  case $expected in '#'* | '') continue ;; esac
  read -r expected <<<"$expected"; read -r model <<<"$model"; read -r property <<<"$property"
  read -r flags <<<"$flags"; read -r claim <<<"$claim"
  if [ $# -gt 0 ]; then
    chosen=no
    for word in "$@"; do case "$model $property $flags $claim" in *"$word"*) chosen=yes ;; esac; done
    [ $chosen = yes ] || continue
  fi
  number=$((number + 1))
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  check "$(printf %03d $number)" "$expected" "$model" "$property" "$flags" "$claim" &
done <"$here/checks.txt"
wait

# What each model took: its two checks at a time make the seconds overlap.
cat "$work"/*.count 2>/dev/null | awk -v total=$SECONDS '
  { states[$1] += $3; seconds[$1] += $4; holds[$1] += $2 == "holds"; caught[$1] += $2 == "caught"; all += $2 == "caught" }
  END {
    for (m in states)
      printf "model: %-16s %2d hold, %2d mutations caught, %8d states, %3d s\n", m, holds[m], caught[m], states[m], seconds[m] | "sort"
    close("sort")
    printf "model: %d mutations caught in all, in %d s\n", all, total
  }'

failed=$(cat "$work"/*.line | grep -c '^FAILED' || true)
echo "model: $((number - failed)) passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$number" -gt 0 ]
