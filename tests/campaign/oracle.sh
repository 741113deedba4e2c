#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# N clean random programs, from seed FIRST on, and as many traces of random functions on random bits: after
# each, the replay in Python (tests/oracle), written from the pages alone, finds the same memory as kb-replay.
#   KB_BIN=build/release/bin tests/campaign/oracle.sh [N [FIRST]]
# The default is 1000.
count=${1:-1000} first=${2:-1}
KB_ROOT=$(cd "$(dirname "$0")/../.." && pwd)
KB_BIN=$(cd "$KB_BIN" && pwd) && scratch=$(mktemp -d) || exit 2
export KB_BIN KB_ROOT scratch
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/some" <<'END'
mkdir "$scratch/$1" && cd "$scratch/$1" || exit 2
for seed; do
    "$KB_BIN/../tests/random-program" "$seed" "program-$seed.zst" >out &&
        "$KB_BIN/../tests/functions-trace" "$seed" 100 "functions-$seed.zst" $((seed % 4)) || exit 2
done
"$KB_ROOT/tests/oracle/agree" *.zst
status=$?
cd .. && rm -rf "./$1"
exit $status
END
seq "$first" $((first + count - 1)) | xargs -P "$(nproc)" -n 25 sh "$scratch/some" || exit 1
echo "$count programs, and as many of functions: the same memory"
