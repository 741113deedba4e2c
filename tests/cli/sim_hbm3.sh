#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Banks of HBM: runs with them verify, change times and no data, and say so; the page's table of patterns is
# what the model gives.
sim="$KB_BIN/kb-sim"
failed=0

fail() {
    echo "$1"
    failed=1
}

for algo in ring tree direct; do
    for timing in off hbm3; do
        "$sim" run allreduce --ranks 16 -p elems=20001 -p algo=$algo -p buffer=hbm --set ipcq.ring=hbm \
            --set ipcq.max_queues=32 --set hbm.timing=$timing -q -o $timing.zst 2>err || fail "$algo $timing"
        "$KB_BIN/kb-replay" --verify $timing.zst >$timing.out || fail "$algo $timing: not verified"
        grep '^memory digest' $timing.out >$timing.digest
    done
    cmp off.digest hbm3.digest || fail "$algo: banks changed data"
done

run="$sim run allreduce --machine cubes=1,pes=4 -p elems=64 -p buffer=hbm -o x.zst"
$run --set hbm.timing=hbm3 2>err | grep -q '^memory  *HBM3 banks' || fail "the summary does not say it"
grep -q 'not used' err && fail "a warning of nothing"
"$KB_BIN/kb-export" x.zst --to jsonl -o x.jsonl && grep -q '"cause":"bank"' x.jsonl || fail "no time in banks"
$run | grep -q '^memory' && fail "the summary says it of a machine without banks"
$run --set hbm.timing=hbm3 --json 2>err | grep -q '"hbm_timing": *"hbm3"' || fail "--json does not say it"
$run -q --set hbm.timing=hbm3 --set hbm.channel_gbps=64 2>err
grep -q 'warning: hbm.channel_gbps is not used: hbm.timing=hbm3' err || fail "replaced, and nobody said so"
$run -q --set hbm3.cl_cycles=30 2>err
grep -q 'warning: hbm3.cl_cycles is not used: hbm.timing is off' err || fail "off, and nobody said so"

# Of banks there are no closed forms; what a slice gives at most is known.
"$sim" probe --topology tiny --set hbm.timing=hbm3 --json >probe.json || fail "probe"
grep -q '"different": *0' probe.json || fail "the probe differs from forms that do not hold"

"$KB_BIN/../tests/sim-hbm-patterns" >patterns || fail "patterns"
while read -r line; do
    grep -qF -- "$line" "$KB_ROOT/docs/timing-model.md" || fail "not in docs/timing-model.md: $line"
done <patterns
exit $failed
