#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The replay in Python, written from the pages alone, finds the same memory as kb-replay: after the golden
# traces, kernels of all sorts, a program with all that hosts do, and runs that stopped halfway.
set -eu
for golden in "$KB_ROOT"/traces/*/trace.zst; do
    case=${golden%/trace.zst}
    cp "$golden" "${case##*/}.zst"
done
for name in elementwise floats rows products messages gather neighbours; do
    "$KB_BIN/../tests/kernel-programs" $name tcm $name.zst
done
"$KB_BIN/../tests/program-trace" program.zst
for time in 2.0335us 2.05us 2.1us 2.2us; do
    status=0
    for options in "slots=1 -p slot_bytes=256" buffer=hbm; do
        "$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=10000 -p $options --max-time $time -q \
            -o "${options%% *}-$time.zst" || status=$?
        test $status -eq 1
    done
done
"$KB_ROOT/tests/oracle/agree" *.zst
