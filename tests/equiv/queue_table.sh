#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page of the timing model says what queues carry by slots and distance: kb-sim says the same.
set -eu

# carries LAST SLOTS: GB/s of 4 MiB from the start stamp of the launch until the PEs are done.
carries() {
    "$KB_BIN/kb-sim" run hello_send --ranks $(($1 + 1)) -p bytes=4MiB -p slots="$2" -q -o h.zst
    "$KB_BIN/kb-export" h.zst --to jsonl --ranks 0,$1 -o - >ops
    python3 -c 'import json
lines = [json.loads(line) for line in open("ops")]
ops = [line for line in lines if line["type"] == "op"]
stamp = [op["sent_ps"] for op in ops if op["kind"] == "launch"][0]
done = max(op["done_ps"] for op in ops if op["kind"] != "launch")
print("%.1f" % ((4 << 20) / (done - stamp) * 1000))'
}

for last in 1 8 127; do
    row="| $(carries $last 1) | $(carries $last 4) | $(carries $last 8) | $(carries $last 16) |"
    grep "^| rank $last, " "$KB_ROOT/docs/timing-model.md" >said || { echo "no row of rank $last"; exit 1; }
    grep -qF "$row" said || { cat said; echo "kb-sim says: $row"; exit 1; }
done
