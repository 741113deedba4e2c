#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A size that stands for several: one run and trace a size, the same as single runs; what is refused.
set -e
sim=$KB_BIN/kb-sim

"$sim" run allreduce --ranks 3 -p elems=1:100:x7 -o sweep/ --verify >table 2>verdicts
[ "$(ls sweep | tr '\n' ' ')" = "elems-1.zst elems-49.zst elems-7.zst " ]
[ "$(grep -c '^all_reduce' table)" = 3 ]
for size in 1 7 49; do
    "$sim" run allreduce --ranks 3 -p elems=$size -q -o one.zst
    cmp one.zst sweep/elems-$size.zst
done

# A former sweep's sizes go; --json has a run a size.
"$sim" run allreduce --ranks 3 -p bytes=2KiB:8KiB:x2 -o sweep --json >runs.json
[ "$(ls sweep | tr '\n' ' ')" = "bytes-2048.zst bytes-4096.zst bytes-8192.zst " ]
python3 - <<'EOF'
import json
said = json.load(open("runs.json"))
assert said["sweep"] == "bytes"
sizes = [run["collectives"][0]["size_bytes"] for run in said["runs"]]
assert sizes == [2048, 4096, 8192]
assert [run["trace"] for run in said["runs"]] == ["sweep/bytes-%d.zst" % size for size in sizes]
assert all(run["complete"] for run in said["runs"])
EOF
"$sim" run hello_send -p elems=1:4:x4 -o hello >lines
[ "$(wc -l <lines)" = 2 ]

# refused WORD ARGUMENT...: trouble that says WORD; nothing is written.
refused() {
    word=$1
    shift
    status=0
    "$sim" run allreduce --ranks 3 "$@" >out 2>err || status=$?
    [ $status = 2 ] && grep -q -- "$word" err && [ ! -s out ] || { echo "$*: $status"; cat out err; exit 1; }
}
refused 'FIRST:LAST:xFACTOR' -p elems=1:5 -o new
refused 'FIRST:LAST:xFACTOR' -p elems=1:5:2 -o new
refused 'FIRST:LAST:xFACTOR' -p elems=1:five:x2 -o new
refused 'from 1 at least' -p elems=0:5:x2 -o new
refused 'from 1 at least' -p elems=5:1:x2 -o new
refused 'factor is 2' -p elems=1:5:x1 -o new
refused 'one size at a time' -p elems=1:5:x2 -p bytes=2:4:x2 -o new
refused 'into a folder' -p elems=1:5:x2 -o new.zst
refused 'into a folder' -p elems=1:5:x2 -o -
refused 'no whole\|not a whole\|at most\|FIRST' -p elems=1:99999999999999999999:x2 -o new
[ ! -e new ] && [ ! -e new.zst ]
echo mine >file
refused 'this is a file' -p elems=1:5:x2 -o file
touch sweep/mine
refused 'no sweep has written' -p elems=1:5:x2 -o sweep
[ -e sweep/mine ] && [ -e sweep/bytes-2048.zst ]

# Lint answers for one size.
status=0
"$sim" lint allreduce --ranks 3 -p bytes=1KiB:4KiB:x2 >out 2>err || status=$?
[ $status = 2 ] && grep -q 'one size at a time' err && [ ! -s out ]
