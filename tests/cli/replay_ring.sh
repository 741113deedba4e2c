#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ring all-reduce verifies to the bit at many sizes, in the recorded order and in others, from a file, a
# folder and a pipe, with one memory digest.
set -eu

digest() {
    sed -n 's/^memory digest *//p' "$1"
}

for ranks in 2 3 5 8 16; do
    for elems in 1 $((ranks - 1)) 1000; do
        "$KB_BIN/kb-sim" run allreduce --ranks $ranks -p elems=$elems -q -o run.zst
        "$KB_BIN/kb-replay" run.zst --verify >recorded
        grep -q '^verified: pass' recorded
        grep -q "$((ranks * elems)) elements\{0,1\} of their outputs compared: equal to the bit" recorded
        for seed in 1 2; do
            "$KB_BIN/kb-replay" run.zst --verify --order random:$seed >drawn
            test "$(digest recorded)" = "$(digest drawn)"
        done
    done
done

"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -q -o run/
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -q -o run.zst
"$KB_BIN/kb-replay" run.zst --verify >file
"$KB_BIN/kb-replay" run/ --verify --threads 2 >folder
"$KB_BIN/kb-replay" - --verify <run.zst >pipe
test "$(digest file)" = "$(digest folder)"
test "$(digest file)" = "$(digest pipe)"

for dtype in bf16 f32 i8 i32; do
    for op in sum min max prod; do
        "$KB_BIN/kb-sim" run allreduce --ranks 4 -p elems=77 -p dtype=$dtype -p op=$op -q -o run.zst
        "$KB_BIN/kb-replay" run.zst --verify >out || { cat out; exit 1; }
    done
done
for dtype in f16 bf16 f32; do
    "$KB_BIN/kb-sim" run allreduce --ranks 8 -p elems=999 -p dtype=$dtype -p init=uniform -q -o run.zst
    "$KB_BIN/kb-replay" run.zst --verify >out || { cat out; exit 1; }
    grep -q 'worst error [0-9.e-]*, bound [0-9.e-]*$' out
done
