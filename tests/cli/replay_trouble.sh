#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What kb-replay and kb-mutate say when something is wrong, and the status that they leave.
set -eu

. "$KB_ROOT/tests/support/fails.sh"

replay=$KB_BIN/kb-replay
mutate=$KB_BIN/kb-mutate
"$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=100 -q -o run.zst
"$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=100 -q -o run/

fails 2 "no-such.zst" "$replay" no-such.zst
fails 2 "TRACE" "$replay"
fails 2 "unknown option --no-data" "$replay" run.zst --verify --no-data
fails 2 "--order" "$replay" run.zst --order backwards
fails 2 "--order" "$replay" run.zst --order random:x
fails 2 "there are no kernels \`abacus\` here" "$replay" run.zst --kernels abacus
fails 2 "--dump" "$replay" run.zst --dump x
fails 2 "3 tensors are called" "$replay" run.zst --dump x=x.npy
fails 2 "did you mean" "$replay" run.zst --dump x@9=x.npy
fails 2 "No space left" "$replay" run.zst --dump x@0=/dev/full
test ! -e x.npy

"$replay" run.zst --dump x@0=x.npy -q
test -s x.npy

# Cut short: what is whole is used, with a word, and the status says so.
size=$(wc -c <run.zst)
head -c $((size - 40)) run.zst >cut.zst
fails 1 "incomplete" "$replay" cut.zst --verify
rm run/rank-00001.zst
fails 2 "rank" "$replay" run/ --verify

# A run that was stopped: its unfinished ops are no findings, and every order rebuilds the same memory.
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=10000 --max-time 2.1us -q -o stopped.zst 2>err && exit 1
for order in recorded random:1 random:2; do
    fails 1 "not finished" "$replay" stopped.zst --verify --order $order
    ! grep -q '^E-' out
    grep '^memory digest' out >>digests
done
test "$(sort -u digests | wc -l)" -eq 1

# A device that takes no more.
fails 2 "" sh -c '"$1" run.zst --verify >/dev/full' sh "$replay"

fails 2 "did you mean 'drop-op'" "$mutate" run.zst --fault drop-ops -o x.zst
fails 2 "does not fit" "$mutate" run.zst --fault wrong-func --at 0 -o x.zst
fails 2 "has no op 9999" "$mutate" run.zst --fault drop-op --at 9999 -o x.zst
fails 2 "ranks 0 to 2" "$mutate" run.zst --fault drop-op --rank 3 -o x.zst
fails 2 "nothing for --seed to draw" "$mutate" run.zst --fault drop-op --at 3 --seed 2 -o x.zst
fails 2 "needs a trace" "$mutate" run.zst
fails 2 "no whole trace" "$mutate" cut.zst --fault drop-op -o x.zst
test ! -e x.zst

"$replay" run.zst --verify --json -q >json
for key in verdict findings ops collectives digest record_digest worst_error bound unchecked; do
    grep -q "\"$key\":" json
done
grep -q '"verdict":"pass"' json
