#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Threads change nothing: whole reports of one, two, three and eight are the same, in the order of the walk
# and in drawn ones, over shared memory and over messages, where ops race, too, and where they are damaged.
set -eu

threads=$KB_BIN/../tests/replay-threads

"$threads" "$KB_ROOT"/traces/*/trace.zst

for program in products messages neighbours gather apart; do
    "$KB_BIN/../tests/kernel-programs" $program tcm $program.zst
done
for seed in 1 2 3 4 5 6; do
    "$KB_BIN/../tests/random-program" $seed random-$seed.zst >what
done
for race in no-wait no-fence no-barrier early-release; do
    for seed in 1 2; do
        random=random-$seed-$race.zst
        "$KB_BIN/../tests/random-program" $seed $random --spoil $race:$seed >what || rm -f $random # no place
    done
done
"$threads" products.zst messages.zst neighbours.zst gather.zst apart.zst random-*.zst

# Of every fault one: races, undefined bytes, wrong sources, ops that are not there.
"$KB_BIN/../tests/program-trace" program.zst
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -p algo=tree -q -o tree.zst
for fault in $("$KB_BIN/kb-mutate" --list | cut -d' ' -f1); do
    for good in tree program; do
        bad=bad-$fault-$good.zst
        "$KB_BIN/kb-mutate" $good.zst --fault "$fault" -q -o $bad 2>err || rm -f $bad # no op for it
    done
done
test "$(ls bad-*.zst | wc -l)" -gt 20
"$threads" bad-*.zst

# The tool's own report, large enough for ops to be handed over.
"$KB_BIN/kb-sim" run allreduce --ranks 6 -p bytes=96KiB -q -o ring.zst
"$KB_BIN/kb-mutate" ring.zst --fault source-shift-element --seed 3 -q -o bad.zst
for trace in ring.zst bad.zst; do
    for count in 1 2 3 8; do
        "$KB_BIN/kb-replay" $trace --verify --json -q --threads $count >report-$count || test $? -eq 1
        cmp report-1 report-$count
    done
done
test -s report-1
