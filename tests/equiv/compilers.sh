#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two compilers, without and with optimisation: the same records give the same bytes.
set -eu
trace="$KB_ROOT/libkbtrace"
build() { # compiler level
    mkdir "$1-$2"
    for source in "$trace"/src/*/*.c "$KB_ROOT"/tests/support/records.c "$KB_ROOT"/tests/support/random.c \
        "$KB_ROOT"/tests/support/check.c "$KB_ROOT"/tests/tools/kb-trace-random.c; do
        echo "$source"
    done | xargs -P 2 -I SOURCE sh -c '"$0" -O"$1" -std=gnu11 -ffp-contract=off -DKB_VERSION=\"test\" \
        -I"$2/include" -I"$2/src" -I"$3/tests" -c SOURCE -o "$0-$1/$(basename SOURCE).o"' \
        "$1" "$2" "$trace" "$KB_ROOT"
    "$1" "$1-$2"/*.o -lzstd -lxxhash -lcmocka -lpthread -lm -o "$1-$2/random"
    "$1-$2/random" 3 20000 5 tame 100000 2 "$1-$2.zst"
    "$1-$2/random" 4 3000 40 wild 50000 1 "$1-$2.apart/"
}
for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        [ "$compiler" = clang ] && continue # a machine may have one alone; scripts/test installs both
        exit 1
    fi
    for level in 0 3; do
        build "$compiler" "$level"
        cmp gcc-0.zst "$compiler-$level.zst"
        diff -r gcc-0.apart "$compiler-$level.apart"
    done
done
