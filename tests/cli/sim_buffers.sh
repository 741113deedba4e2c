#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tensors in HBM and SRAM go through scratch, in one piece or many, by every algorithm; where the TCM is too
# small HBM is taken unasked. The smallest bench.
set -eu

# verified OPTIONS...: simulates into run.zst and verifies it.
verified() {
    "$KB_BIN/kb-sim" run "$@" -q -o run.zst
    "$KB_BIN/kb-replay" run.zst --verify >out || { echo "$*"; cat out; exit 1; }
}

# refused WORDS OPTIONS...: exits with 2 and says so, and leaves no trace.
refused() {
    words=$1
    shift
    status=0
    "$KB_BIN/kb-sim" run "$@" -q -o no.zst 2>err || status=$?
    if [ $status -ne 2 ] || ! grep -qF -- "$words" err || [ -e no.zst ]; then
        echo "$*: status $status, wanted '$words'"
        cat err
        exit 1
    fi
}

buffer_of() {
    "$KB_BIN/kb-export" run.zst --to jsonl |
        sed -n 's/.*"path":"program.buffer","value":"\([a-z]*\)".*/\1/p'
}

for algo in ring direct tree; do
    for buffer in hbm sram; do
        for elems in 1 4 1000 20000; do
            verified allreduce --ranks 5 -p algo=$algo -p elems=$elems -p buffer=$buffer \
                --set scratch.bytes=8KiB
        done
    done
    verified allreduce --ranks 4 -p algo=$algo -p elems=9999 -p buffer=hbm -p ring=hbm -p dtype=i32 -p op=max
done

verified allreduce --ranks 2 -p elems=100
test "$(buffer_of)" = tcm
verified allreduce --ranks 2 -p bytes=64KiB --set tcm.bytes=128KiB --set scratch.bytes=64KiB
test "$(buffer_of)" = hbm
refused "has no room for a queue's ring" \
    allreduce --ranks 2 -p bytes=64KiB --set tcm.bytes=64KiB -p buffer=tcm
refused 'no room in scratch: 256 bytes asked, 64 of 100 left in one piece' \
    allreduce --ranks 2 -p buffer=hbm --set scratch.bytes=100
refused "buffer: 'hmb' is not one of tcm, sram, hbm (did you mean 'hbm'?)" allreduce -p buffer=hmb

for ring in tcm sram hbm; do
    verified hello_send -p ring=$ring -p elems=5000
done
verified hello_send --ranks 2 -p bytes=1 -p dtype=i8
refused 'hello_send needs 2 ranks' hello_send --ranks 1
