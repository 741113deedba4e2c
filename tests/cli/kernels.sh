#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kernels of all sorts verify wherever their tensors and rings lie, and compute the same bytes there; in
# another order that the claims allow, memory comes out the same.
set -eu

digest() {
    sed -n 's/^memory digest *//p' "$1"
}

# run NAME SPACE OUTPUTS [PATH=VALUE]: leaves NAME's tensors in SPACE.*.npy
run() {
    name=$1 space=$2 outputs=$3
    shift 3
    "$KB_BIN/../tests/kernel-programs" "$name" "$space" run.zst "$@"
    "$KB_BIN/kb-replay" run.zst --verify >recorded
    grep -q '^verified: pass' recorded
    "$KB_BIN/kb-replay" run.zst --verify --order random:1 >drawn
    test "$(digest recorded)" = "$(digest drawn)"
    for tensor in $outputs; do
        "$KB_BIN/kb-replay" run.zst -q --dump "$tensor@1=$space.$tensor.npy" >/dev/null
    done
}

while read -r name outputs; do
    run "$name" tcm "$outputs"
    for space in sram hbm; do
        run "$name" "$space" "$outputs"
        for tensor in $outputs; do
            cmp "tcm.$tensor.npy" "$space.$tensor.npy"
        done
    done
done <<END
elementwise y0 y1 y2 y3 y7 y10 y13 y14 y20 y24
floats y0 y1 y2 y3 y7 y10 y13 y14 y17 y20 y23 y24
rows y0 y1 y2 y3
products y0 y1
messages y0 y1
gather x
neighbours y0 y1 y2
flights y0 y1 y2 c
END

# Rings in other memories, slots that take parts of pieces, little scratch: the same again.
run messages tcm "y0 y1"
for ring in sram hbm; do
    for space in sram hbm; do
        run messages $space "y0 y1" ipcq.ring=$ring ipcq.slot_bytes=3000 scratch.bytes=512KiB
        for tensor in y0 y1; do
            cmp "tcm.$tensor.npy" "$space.$tensor.npy"
        done
    done
done
