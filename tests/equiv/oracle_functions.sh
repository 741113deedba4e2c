#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The replay in Python, written from the pages alone, computes the same as kb-replay: every function on every
# dtype that it has, through views of every sort, on random bits; also where some of them are undefined.
set -eu
for seed in 1 2 3 4 5 6 7 8; do
    "$KB_BIN/../tests/functions-trace" $seed 500 whole-$seed.zst
    "$KB_BIN/../tests/functions-trace" $seed 200 holes-$seed.zst 3
done
"$KB_ROOT/tests/oracle/agree" *.zst
