#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Random programs from which one thing was taken that keeps them clean: N seeds from FIRST on, each with every
# fault at PLACES places. Verify must find it where the memory model, searched as a graph without cleverness,
# leaves two accesses unordered, or where something undefined is used; else it must find nothing.
#   KB_BIN=build/release/bin tests/campaign/spoilt.sh [N [FIRST [PLACES]]]
# Prints, by fault, how many were tried, how many of them matter, and how many of these were found.
count=${1:-200} first=${2:-1} places=${3:-3}
KB_BIN=$(cd "$KB_BIN" && pwd) && scratch=$(mktemp -d) || exit 2
export KB_BIN
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/one" <<'END'
seed=$1
mkdir "$2/$seed" && cd "$2/$seed" || exit 2
for fault in no-wait no-hold no-fence no-barrier early-release no-write no-landing; do
    place=0
    while [ "$place" -lt "$3" ]; do
        place=$((place + 1))
        spoil=$fault:$((seed * 31 + place * 1009))
        status=0
        "$KB_BIN/../tests/random-program" "$seed" run.zst --spoil "$spoil" >what 2>err || status=$?
        test $status -ne 3 || continue # no place for it
        ! grep -q "does nothing" err || continue
        test $status -eq 0 || { echo "wrong $seed --spoil $spoil: $(head -n 1 err)"; continue; }
        matters=
        "$KB_BIN/../tests/trace-order" run.zst >pairs || matters=order
        ! grep -q undefined what || matters="$matters init"
        case $matters,$(grep -c '^lint: ' err) in
        *init*,* | *,0) ;;
        *) echo "wrong $seed --spoil $spoil: lint takes something for undefined: $(grep '^lint: ' err)" ;;
        esac
        "$KB_BIN/kb-replay" run.zst --verify >out 2>err || true
        found=$(sed -n 's/^E-\([A-Z]*\) .*/\1/p' out | sort -u | tr 'A-Z\n' 'a-z ')
        case $matters,$found in
        , | *order*,"order " | *init*,"init " | "order init,init order ") echo "$fault ${matters:-no}" ;;
        *order*,"bounds " | *order*,"bounds order ") echo "$fault order" ;; # used when it had been freed
        *) echo "wrong $seed --spoil $spoil: matters: $matters, found: $found" ;;
        esac
    done
done
cd .. && rm -rf "$seed"
END
seq "$first" $((first + count - 1)) |
    xargs -P "$(nproc)" -I{} sh "$scratch/one" {} "$scratch" "$places" >"$scratch/log"
awk '$1 != "wrong" { tried[$1]++; mattered[$1] += $2 != "no" }
    END { for (f in tried) printf "%-14s %5d tried, %5d matter: found\n", f, tried[f], mattered[f] }' \
    "$scratch/log" | sort
! grep '^wrong' "$scratch/log"
