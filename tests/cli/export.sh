#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-export: selections, outputs, refusals, and what it does with traces that are cut or damaged.
export_it="$KB_BIN/kb-export"
export LC_ALL=C # for sort
. "$KB_ROOT/tests/support/is.sh"

# same A B: the two files are equal.
same() {
    cmp "$1" "$2" || failed=1
}

make() {
    "$KB_BIN/../tests/kb-trace-random" 9 200 3 tame 3000 1 "$1" || exit 2
}
make run.zst
make run/

is 0 '' "$export_it" run.zst --to jsonl -o full.jsonl
is 0 '' "$export_it" run.zst --to jsonl
same out full.jsonl

is 0 '' sh -c '"$0" - --to jsonl <run.zst' "$export_it"
same out full.jsonl
grep -v '"type":"sample"' full.jsonl >want # samples of a folder come file by file
is 0 '' "$export_it" run/ --to jsonl
grep -v '"type":"sample"' out | cmp - want || failed=1
is 0 '' "$export_it" run/rank-00002.zst run/rank-00000.zst run/rank-00001.zst --to jsonl
grep -v '"type":"sample"' out | cmp - want || failed=1

# Selections keep whole lines, and only those.
is 0 '' "$export_it" run.zst --to jsonl --ranks 0,2-2
grep -v '"type":"op","rank":1\|"type":"sample","counter":1' full.jsonl | cmp - out || failed=1
is 0 '' "$export_it" run.zst --to jsonl --kinds math,ipcq_copy
grep -v '"type":"op"' full.jsonl >want
grep '"type":"op".*"kind":"\(math\|ipcq_copy\)"' full.jsonl >>want
sort want >want.sorted
sort out | cmp - want.sorted || failed=1
is 0 '' "$export_it" run.zst --to jsonl --range 40ns:0.1us --ranks 1
sed -n 's/.*"type":"op".*"issue_ps":\([0-9]*\),.*/\1/p' full.jsonl | awk '$1 >= 40000 && $1 < 100000' |
    sort -un >want
sed -n 's/.*"type":"op".*"issue_ps":\([0-9]*\),.*/\1/p' out | sort -un | cmp - want || failed=1
[ -s want ] || { echo "the range selects nothing"; failed=1; }
is 0 '' "$export_it" run.zst --to jsonl --range :

# Outputs: whole under their name, or nothing.
ls -A | grep partial && { echo "a temporary file is left"; failed=1; }
mkdir empty
is 2 'cannot write empty: ' "$export_it" run.zst --to jsonl -o empty
is 2 'cannot write nowhere/x: ' "$export_it" run.zst --to jsonl -o nowhere/x
is 2 'cannot write /dev/full: ' "$export_it" run.zst --to jsonl -o /dev/full
is 2 'cannot write to the standard output' sh -c '"$0" run.zst --to jsonl >/dev/full' "$export_it"
is 0 '' "$export_it" run.zst --to jsonl -o /dev/null
is 0 '' sh -c '"$0" run.zst --to jsonl | head -n 1' "$export_it" # whose reader goes ends quietly
is 0 '' sh -c 'trap "" PIPE; "$0" run.zst --to jsonl | head -n 1' "$export_it"
[ "$(wc -l <out)" -eq 1 ] || failed=1

# Refusals.
is 2 "did you mean 'jsonl'?" "$export_it" run.zst --to jsnl
is 2 'there is: jsonl' "$export_it" run.zst --to parquet
is 2 '--to FORMAT is missing' "$export_it" run.zst
is 2 'TRACE is missing' "$export_it" --to jsonl
is 2 'no such file' "$export_it" nothing.zst --to jsonl
is 2 "did you mean 'math'?" "$export_it" run.zst --to jsonl --kinds maht
is 2 'ranks 0 to 2' "$export_it" run.zst --to jsonl --ranks 3
is 2 'no list of ranks' "$export_it" run.zst --to jsonl --ranks 0-99999999999999999999999
is 2 'no list of ranks' "$export_it" run.zst --to jsonl --ranks 0,,1
is 2 'no range of times' "$export_it" run.zst --to jsonl --range 5ns
is 2 'no range of times' "$export_it" run.zst --to jsonl --range 1.0001ns:
is 2 'no range of times' "$export_it" run.zst --to jsonl --range 99999999999999999999s:
is 2 'run.zst' "$export_it" run.zst run.zst --to jsonl

# A trace that is cut is exported as far as it goes, and the exit status says so. A damaged one is refused.
size=$(wc -c <run.zst)
head -c $((size * 2 / 3)) run.zst >cut.zst
is 1 'incomplete' "$export_it" cut.zst --to jsonl
grep -q '"state":"cut"' out || { echo "the footer does not say that the trace is cut"; failed=1; }
grep '"type":"op"' out >ops
[ -s ops ] && [ -z "$(grep -vxFf full.jsonl ops | grep -v '"index":0,')" ] || {
    echo "ops of the cut trace are not those of the whole one"
    failed=1
}
cp run.zst bad.zst
printf '\125\252' | dd of=bad.zst bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err || exit 2
is 2 'bad.zst' "$export_it" bad.zst --to jsonl -o bad.jsonl
[ ! -e bad.jsonl ] || { echo "a damaged trace left an output"; failed=1; }
is 1 'damaged' "$export_it" bad.zst --to jsonl --recover
grep -q '"state":"damaged"' out || { echo "the footer does not say that the trace is damaged"; failed=1; }

# --json tells of an export to a file, and refuses to mix with records on stdout.
is 0 '' "$export_it" run.zst --to jsonl --json -o told.jsonl
count=$(grep -c '"type":"op"' told.jsonl)
grep -q "\"ops\":$count," out || { echo "--json tells of other ops than were written"; failed=1; }
is 2 'give -o FILE' "$export_it" run.zst --to jsonl --json

# What a trace may take can be bounded, and the bound raised by the option that the message names.
"$KB_BIN/kb-sim" run allreduce --ranks 64 -p bytes=1MiB -q -o large.zst || exit 2
is 2 'raise it if the trace is sound: --max-memory' "$export_it" large.zst --to jsonl --max-memory 1Mi
is 0 '' "$export_it" large.zst --to jsonl --max-memory 64Mi --kinds launch

# Help begins with examples.
is 0 '' "$export_it" --help
[ "$(head -n 1 out)" = "Examples:" ] || failed=1
exit $failed
