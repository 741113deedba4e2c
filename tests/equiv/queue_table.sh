#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page of the timing model says what queues carry by slots and distance: kb-sim says the same.
set -eu

# carries LAST SLOTS: GB/s of 4 MiB after the start stamp of the launch.
carries() {
    "$KB_BIN/kb-sim" run hello_send --ranks $(($1 + 1)) -p bytes=4MiB -p slots="$2" --json -q -o h.zst >out
    "$KB_BIN/kb-export" h.zst --to jsonl --ranks 0 --kinds launch -o - >launch
    python3 -c 'import json
ops = [json.loads(line) for line in open("launch")]
stamp = [op["sent_ps"] for op in ops if op["type"] == "op"][0]
print("%.1f" % ((4 << 20) / (json.load(open("out"))["time_ps"] - stamp) * 1000))'
}

for last in 1 8 127; do
    row="| $(carries $last 1) | $(carries $last 4) | $(carries $last 8) | $(carries $last 16) |"
    grep "^| rank $last, " "$KB_ROOT/docs/timing-model.md" >said || { echo "no row of rank $last"; exit 1; }
    grep -qF "$row" said || { cat said; echo "kb-sim says: $row"; exit 1; }
done
