#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Clean random programs: N of them, from seed FIRST on. Each is run, and once more with its components made in
# another order and by two threads: the same records. Lint takes nothing in it for undefined. It is verified:
# nothing is found. It is replayed in other orders, by other kernels, by one thread and by two, from a file
# and from a folder: one memory digest.
#   KB_BIN=build/release/bin tests/campaign/programs.sh [N [FIRST [ORDERS]]]
# The default is 1000 programs, of 8 orders each; what is found of one is shown with its seed.
count=${1:-1000} first=${2:-1} orders=${3:-8}
KB_BIN=$(cd "$KB_BIN" && pwd) && scratch=$(mktemp -d) || exit 2
export KB_BIN
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/one" <<'END'
seed=$1
cd "$2" && mkdir "$seed" && cd "$seed" || exit 2
fail() {
    echo "seed $seed: $1"
    test $# -lt 2 || head -n 12 "$2"
    exit 1
}
"$KB_BIN/../tests/random-program" "$seed" run.zst >records 2>err || fail "the run fails" err
! grep '^lint: ' err || fail "lint takes something for undefined"
"$KB_BIN/../tests/random-program" "$seed" run --shuffle $((seed + 1)) --threads 2 >again 2>err ||
    fail "the run fails when shuffled" err
cmp -s records again || fail "other records when shuffled, or with two threads"
"$KB_BIN/kb-replay" run.zst --verify >out 2>err || fail "verify" out
grep '^memory digest' out >digest
try() {
    "$KB_BIN/kb-replay" "$@" >out 2>err
    case $? in
    0) ;;
    2) grep -q "there are no kernels" err && return ;;
    *) fail "kb-replay $*" out ;;
    esac
    grep '^memory digest' out | cmp -s - digest || fail "another digest: kb-replay $*" err
}
order=0
while [ "$order" -lt "$3" ]; do
    order=$((order + 1))
    try run.zst --order random:$order --threads $((order % 2 + 1))
done
try run --verify --threads 2
for kernels in portable avx2; do
    try run.zst --kernels $kernels --threads 1
done
cd .. && rm -rf "$seed"
END
seq "$first" $((first + count - 1)) |
    xargs -P "$(nproc)" -I{} sh "$scratch/one" {} "$scratch" "$orders" >"$scratch/log"
status=$?
cat "$scratch/log"
echo "$count programs, $(grep -c '^seed ' "$scratch/log") with findings"
exit $((status != 0))
