#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every algorithm is proven free with rings of one slot and a line of one message, and computes from nothing
# undefined, wherever its tensors lie.
sim="$KB_BIN/kb-sim"
failed=0
"$sim" list algorithms --json >list || exit 1
rows=$(python3 -c '
import json
for row in json.load(open("list"))["algorithms"]:
    print(row["collective"].replace("all_reduce", "allreduce") + ":" + row["name"])')
[ "$(echo "$rows" | wc -l)" -ge 25 ] || { echo "too few algorithms:" && cat list; exit 1; }
for row in $rows; do
    for tensor in '-p elems=5000 -p buffer=tcm' '-p elems=5000 -p buffer=hbm'; do
        [ "${row%%:*}" != barrier ] || tensor= # it has none
        "$sim" lint "${row%%:*}" -p algo="${row#*:}" --ranks 8 $tensor -p slots=1 \
            --set engine.queue_depth=1 >out 2>err && ! grep -q 'undefined' out && continue
        echo "$row $tensor:"
        cat out err
        failed=1
    done
done
exit $failed
