#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rings in every memory, both ways of waiting, both paths of credits: every run verifies, and none is faster
# than the plain one. Odd machines, and what is refused.
set -eu

# run OPTIONS...: simulates, verifies, and prints the time.
run() {
    "$KB_BIN/kb-sim" run allreduce --json -q -o run.zst "$@" >run.json
    "$KB_BIN/kb-replay" run.zst --verify >out || { echo "$*"; cat out; exit 1; }
    sed -n 's/.*"time_ps":\([0-9]*\).*/\1/p' run.json
}

for algo in ring direct tree; do
    rest="--ranks 6 -p algo=$algo -p elems=20000"
    plain=$(run $rest)
    for ring in tcm sram hbm; do
        for more in "" "-p backpressure=poll" "--set ipcq.credit_path=vc" \
            "-p backpressure=poll --set ipcq.credit_path=vc" "-p slots=1 -p slot_bytes=256"; do
            time=$(run $rest -p ring=$ring $more)
            [ "$time" -ge "$plain" ] || { echo "$rest $ring $more: $time, faster than $plain"; exit 1; }
        done
    done
done

run --ranks 7 --machine cubes=3x3,pes=5 -p algo=tree -p elems=999 -p ring=sram >/dev/null
run --ranks 45 --machine cubes=3x3,pes=5 -p elems=1 -p dtype=i8 >/dev/null
run --ranks 45 --machine cubes=3x3,pes=5 -p algo=direct -p elems=100 --set ipcq.max_queues=44 >/dev/null

# Without enough queues both numbers are named, and what to do.
status=0
"$KB_BIN/kb-sim" run allreduce --ranks 18 -p algo=direct -q -o no.zst 2>err || status=$?
test $status -eq 2
grep -q 'sends to 17 others here, and ipcq.max_queues allows 16 queues' err
grep -q 'raise it (--set ipcq.max_queues=17), or take 17 ranks at most' err
test ! -e no.zst

# A memory that cannot hold the rings is named.
status=0
"$KB_BIN/kb-sim" run allreduce --ranks 2 -p ring=sram --set sram.bytes=64KiB -q -o no.zst 2>err || status=$?
test $status -eq 2
grep -q "the SRAM of rank [01] (.*) has no room for a queue's ring: 16384 bytes asked" err
grep -q 'installing queue pe[01]>pe[01]' err
