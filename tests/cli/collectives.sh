#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sample of tests/campaign/collectives.py: every collective and algorithm, verified, with as many ops as the
# textbook has. Then groups, side by side; and what is refused, with the nearest that works.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

python3 "$KB_ROOT/tests/campaign/collectives.py" --ranks 1,2,3,4,5,7,8,12 --sample 150 >out ||
    { cat out; fail 'the sample'; }

# time BENCH OPTIONS...: verified; prints how long the run takes.
time_of() {
    "$sim" run "$@" --json -q -o run.zst >run.json 2>err && "$KB_BIN/kb-replay" run.zst --verify >out ||
        { echo "$*"; cat err out; return 1; }
    sed -n 's/.*"time_ps":\([0-9]*\),"ops".*/\1/p' run.json | head -n 1
}

# Groups that have no rank in common do not wait for one another; who is in none passes by.
for bench in allreduce reduce_scatter all_gather broadcast reduce all_to_all barrier; do
    one=$(time_of $bench --ranks 13 -p group=0-3) || failed=1
    three=$(time_of $bench --ranks 13 -p group=0-3/4-6,12/11,7-8) || failed=1
    [ $((one * 5 / 4)) -gt "$three" ] || fail "$bench: three groups take $three ps, one $one"
done
"$KB_BIN/kb-export" run.zst --to jsonl | grep '"type":"group"' >groups
grep -q '"rank":\[4,5,6,12\]' groups && grep -q '"rank":\[7,8,11\]' groups || fail 'groups in the trace'
"$KB_BIN/kb-export" run.zst --to jsonl | grep -q '"path":"program.group","value":"0-3/4-6,12/11,7-8"' ||
    fail 'the parameter in the trace'
for root in 0 2; do
    time_of broadcast --ranks 9 -p group=0-8:3/1,4,8 -p root=$root >time || failed=1
    time_of reduce --ranks 9 -p group=0-8:3/1,4,8 -p root=$root -p algo=chain -p buffer=hbm >time || failed=1
done

# The commands of the page.
sed -n '/^```sh$/,/^```$/s/^kb-sim \([^#]*\).*/\1/p' "$KB_ROOT/docs/collectives.md" >commands
[ "$(wc -l <commands)" -eq 3 ] || fail 'docs/collectives.md has other commands than it had'
while read -r words; do
    # shellcheck disable=SC2086
    "$sim" $words -q </dev/null >out 2>err || { cat out err; fail "docs/collectives.md: kb-sim $words"; }
done <commands

# refused WORDS BENCH OPTIONS...
refused() {
    words=$1
    shift
    is 2 "$words" "$sim" run "$@" -q -o no.zst
    [ ! -e no.zst ] || fail "$*: leaves a trace"
}

refused "unknown bench 'all_reduce' (did you mean 'allreduce'?)" all_reduce
refused "unknown bench 'reduce_scater' (did you mean 'reduce_scatter'?)" reduce_scater
refused "unknown algorithm 'rong' for all_gather (did you mean 'ring'?)" all_gather -p algo=rong
refused "unknown algorithm 'bruck' for reduce" reduce -p algo=bruck
refused "broadcast has no parameter 'op'" broadcast -p op=sum
refused "barrier has no parameter 'elems'" barrier -p elems=4
refused "there is no number 4 among the 4 ranks of the group" broadcast --ranks 4 -p root=4
refused "there is no number 2 among the 2 ranks of the smallest group" \
    reduce --ranks 8 -p root=2 -p group=0-4/5,6
refused "root: 'one' is no rank" reduce -p root=one
refused 'there is no rank 4, the run has 4 (--ranks)' allreduce --ranks 4 -p group=2-4
refused 'rank 2 is named twice' allreduce --ranks 4 -p group=0-2/2,3
for text in '' , 0, 0-3/ /0 3-1 0-3:0 0-3: 0:2 all/0 0-3x -1; do
    refused "group: '$text' is not understood at" allreduce --ranks 4 -p group="$text"
done
refused "'3-1' is not understood at '1' (" allreduce --ranks 4 -p group=3-1
refused "'0-3:0' is not understood at '0' (" allreduce --ranks 4 -p group=0-3:0
refused 'there is no rank 4294967295' allreduce --ranks 4 -p group=4294967295
refused "is not understood at '4294967296'" allreduce --ranks 4 -p group=4294967296
refused "is not understood at '99999999999999999999'" allreduce --ranks 4 -p group=1-99999999999999999999
refused 'exceed any memory' all_gather --ranks 4 -p elems=4611686018427387904
grids='works among r x c ranks, both 2 at least, and not among'
refused "all_reduce by mesh $grids 7: the nearest are 6 and 8" allreduce --ranks 7 -p algo=mesh
refused "all_reduce by torus $grids 2: the nearest is 4" allreduce --ranks 2 -p algo=torus
refused 'and not among 3: the nearest is 4' allreduce --ranks 9 -p algo=mesh -p group=0-5/6-8

# More peers than a PE has queues: the default's refusal, and what it says to do.
for bench in allreduce reduce_scatter all_gather broadcast reduce all_to_all; do
    algo=direct
    [ $bench != all_to_all ] || algo=pairwise
    refused 'raise it (--set ipcq.max_queues=17), or take 17 ranks at most' \
        $bench --ranks 18 -p algo=$algo -p elems=40
    time_of $bench --ranks 17 -p algo=$algo -p elems=40 >time || failed=1
    time_of $bench --ranks 18 -p algo=$algo -p elems=40 --set ipcq.max_queues=17 >time || failed=1
done
exit $failed
