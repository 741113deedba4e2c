#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where hierarchical and ring cross, by the commands of docs/algorithms.md, to its figures: the former takes
# less time at 512 KiB a rank, and more at 1 MiB. And what a prime number of ranks is told by grids.
set -eu

page=$KB_ROOT/docs/algorithms.md
for algo in ring hierarchical; do
    command=$(sed -n "s/^kb-sim \(run .* algo=$algo .*\)/\1/p" "$page")
    # shellcheck disable=SC2086
    "$KB_BIN/kb-sim" $command -q --json >$algo.json 2>/dev/null
done
python3 - "$page" <<'EOP'
import json, sys


def times(algo):
    rows = [run["collectives"][0] for run in json.load(open(algo + ".json"))["runs"]]
    return {row["size_bytes"]: row["time_ps"] for row in rows}


ring, hierarchical = times("ring"), times("hierarchical")
assert hierarchical[512 << 10] < ring[512 << 10] and hierarchical[1 << 20] > ring[1 << 20]
for size, name in ((512 << 10, "512 KiB"), (1 << 20, "1 MiB")):
    row = f"| {name} | {ring[size] / 1e6:.1f} | {hierarchical[size] / 1e6:.1f} |"
    assert row in open(sys.argv[1]).read(), f"{sys.argv[1]}: the row is now {row}"
EOP

# refused RANKS WORDS: mesh and torus say which counts work.
refused() {
    words="works among r x c ranks, both 2 at least, and not among $1: $2"
    for algo in mesh torus; do
        status=0
        "$KB_BIN/kb-sim" run allreduce --ranks "$1" -p algo=$algo -q -o no.zst 2>err || status=$?
        if [ $status -ne 2 ] || ! grep -qF -- "$words" err; then
            echo "$algo of $1 ranks: status $status"
            cat err
            exit 1
        fi
    done
}

refused 1 "the nearest is 4"
refused 3 "the nearest is 4"
refused 7 "the nearest are 6 and 8"
refused 13 "the nearest are 12 and 14"
refused 31 "the nearest are 30 and 32"

# 17 PEs in each of 3 x 3 cubes of 3 packages: a root has 16 beside it, 4 in cubes beside that, 2 far away.
for queues in 21 22; do
    status=0
    "$KB_BIN/kb-sim" run allreduce --machine sips=3,cubes=3x3,pes=17 -p algo=hierarchical -p elems=10 \
        --set ipcq.max_queues=$queues -q -o queues.zst 2>err || status=$?
    if [ $queues -eq 22 ]; then
        test $status -eq 0
    else
        test $status -eq 2
        grep -qF "a PE sends to 22 others here" err
        grep -qF "allows 21 queues in one direction: raise it (--set ipcq.max_queues=22)" err
    fi
done
