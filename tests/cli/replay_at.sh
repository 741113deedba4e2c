#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-replay --at: memory at a time, in whatever way one asks; and what it says to wrong questions.
set -eu

replay=$KB_BIN/kb-replay
sim=$KB_BIN/kb-sim

# Prints what a key of the JSON object holds.
value() {
    sed -n "s/.*\"$2\":\"\{0,1\}\([^,\"]*\).*/\1/p" "$1"
}

. "$KB_ROOT/tests/support/fails.sh"

# --- goldens, kernels and random programs: a slow replay agrees at 60 times of each ---------------------
"$KB_BIN/../tests/kernel-programs" floats tcm floats.zst
"$KB_BIN/../tests/kernel-programs" products hbm products.zst
for seed in 1 2 3 4 5 6; do
    "$KB_BIN/../tests/random-program" $seed random-$seed.zst >/dev/null
done
"$KB_BIN/../tests/kbreplay_test_time" "$KB_ROOT"/traces/*/trace.zst ./*.zst >out 2>&1 || { cat out; exit 1; }

# --- the same memory, however it is asked for ------------------------------------------------------------
"$sim" run allreduce --ranks 5 -p elems=20000 -q -o run.zst
"$sim" run allreduce --ranks 5 -p elems=20000 -q -o run/
end=$("$replay" run.zst | sed -n 's/^memory digest  //p')
for time in 0 2.3us 2.5us 2500000 1s; do
    : >digests
    for how in "run.zst" "run/" "run.zst --threads 1" "run.zst --verify" "run.zst --order random:3" "-" \
        "run/rank-00000.zst run/rank-00001.zst run/rank-00002.zst run/rank-00003.zst run/rank-00004.zst"; do
        # shellcheck disable=SC2086
        "$replay" $how --at $time --json -q <run.zst >json
        echo "$(value json digest) $(value json at_ps) $(value json in_flight)" >>digests
    done
    if test "$(sort -u digests | wc -l)" -ne 1; then
        echo "at $time memory differs:"
        cat digests
        exit 1
    fi
    cat digests >>all
done
grep -q "^$end 1000000000000 0\$" all
test "$(grep -c ' 2500000 ' all)" -eq 14
test "$(sort -u all | wc -l)" -eq 4
"$replay" run.zst --json -q >json
test "$(value json at_ps)" = null
"$replay" run.zst --at 2.5us | grep -q '^memory digest .*, at 2.500 us with [1-9][0-9]* ops\{0,1\} in flight$'

# --- a tensor at a time -----------------------------------------------------------------------------------
"$replay" run.zst --at 0 --dump x@2=first.npy -q
"$replay" run.zst --at 2.5us --dump x@2=then.npy -q 2>err
"$replay" run.zst --dump x@2=last.npy -q
"$replay" run.zst --at 1s --dump x@2=end.npy -q
cmp last.npy end.npy
! cmp -s first.npy last.npy
! cmp -s first.npy then.npy
"$replay" run.zst --at 1s --dump x@2=- -q | cmp - last.npy

# --- the verdict is about the whole run -------------------------------------------------------------------
"$KB_BIN/kb-mutate" run.zst --fault wrong-func --seed 3 -o bad.zst
fails 1 "verified: fail" "$replay" bad.zst --verify --at 0
fails 0 "replayed to 0 ps: pass" "$replay" bad.zst --at 0

# A run that was stopped: every op is what it was, and what was under way at its end stays so.
"$sim" run allreduce --ranks 5 -p elems=20000 --max-time 2.6us -q -o stopped.zst 2>err && exit 1
fails 1 "incomplete" "$replay" stopped.zst --at 2.5us --json
test "$(value out digest)" = "$("$replay" run.zst --at 2.5us --json | sed 's/.*"digest":"\([^"]*\).*/\1/')"
fails 1 "in flight" "$replay" stopped.zst --at 1s
"$KB_BIN/../tests/kbreplay_test_time" stopped.zst >out 2>&1 || { cat out; exit 1; }
head -c $(($(wc -c <run.zst) * 2 / 3)) run.zst >cut.zst
fails 1 "incomplete" "$replay" cut.zst --at 1s

# --- wrong questions, before any work; nothing is left behind ---------------------------------------------
mkdir clean locked
cd clean
for time in soon 1.5 -3 0.5ps 3h 99999999999s 1us:2us ""; do
    fails 2 "--at" "$replay" ../run.zst --at "$time"
done
fails 2 "did you mean \`x@0\`" "$replay" ../run.zst --at 1us --dump xx@0=x.npy
fails 2 "is not TENSOR=FILE" "$replay" ../run.zst --at 1us --dump x@0
fails 2 "is a folder" "$replay" ../run.zst --at 1us --dump x@0=../locked
fails 2 "no-such/x.npy" "$replay" ../run.zst --at 1us --dump x@0=no-such/x.npy
fails 2 "give -q" "$replay" ../run.zst --at 1us --dump x@0=-
fails 2 "No space left" "$replay" ../run.zst --at 1us --dump x@0=/dev/full
fails 2 "--max-rebuilt" "$replay" ../run.zst --max-rebuilt 64Ki
fails 2 "--max-rebuilt" "$replay" ../run.zst --max-rebuilt 64Ki --at 1s
fails 2 "--max-rebuilt" "$replay" ../run.zst --max-rebuilt 1
if test "$(id -u)" -ne 0; then
    chmod a-w ../locked
    fails 2 "ermission" "$replay" ../run.zst --at 1us --dump x@0=../locked/x.npy
fi
rm -f out err
test -z "$(find . ../locked -type f)" || { find . ../locked -type f; exit 1; }
cd ..

# --- progress: on a terminal, and nowhere else ------------------------------------------------------------
"$replay" run.zst --verify >out 2>err
test ! -s err
