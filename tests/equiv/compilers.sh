#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two compilers, without and with optimisation: the same records give the same bytes; and a hundred runs of a
# program, in as many orders of making components and of taking what happens at one instant, give one digest.
set -eu

# compile COMPILER LEVEL FOLDER INCLUDES SOURCES...: objects in COMPILER-LEVEL/FOLDER.
compile() {
    flags="$1 -O$2 -std=gnu11 -ffp-contract=off -DKB_VERSION=\"test\" $4"
    to="$1-$2/$3"
    shift 4
    mkdir -p "$to"
    printf '%s\n' "$@" | xargs -P 2 -I SOURCE sh -c \
        '$0 -c SOURCE -o "$1/$(basename "$(dirname SOURCE)").$(basename SOURCE).o"' "$flags" "$to"
}

build() { # compiler level
    trace="$KB_ROOT/libkbtrace" sim="$KB_ROOT/libkbsim" tests="$KB_ROOT/tests"
    compile "$1" "$2" trace "-I$trace/include -I$trace/src" "$trace"/src/*/*.c
    compile "$1" "$2" sim "-I$trace/include -I$sim/include -I$sim/src" "$sim"/src/*/*.c \
        "$sim"/src/*/*/*.c
    compile "$1" "$2" tools "-I$trace/include -I$trace/src -I$sim/include -I$tests" \
        "$tests"/support/records.c "$tests"/support/random.c "$tests"/support/check.c \
        "$tests"/tools/kb-trace-random.c "$tests"/tools/kb-sim-orders.c
    libraries="-lzstd -lxxhash -lcmocka -lfyaml -lpthread -ldl -lm"
    (cd "$1-$2" && mv tools/tools.kb-sim-orders.c.o orders.o &&
        "$1" tools/*.o trace/*.o $libraries -o random &&
        "$1" orders.o sim/*.o trace/*.o $libraries -o orders)
}

write() { # compiler level
    "$1-$2/random" 3 20000 5 tame 100000 2 "$1-$2.zst"
    "$1-$2/random" 4 3000 40 wild 50000 1 "$1-$2.apart/"
    {
        "$1-$2/orders" allreduce 100 8 algo=ring bytes=30000
        "$1-$2/orders" allreduce 100 8 algo=direct bytes=20000 buffer=hbm ring=hbm
        "$1-$2/orders" allreduce 100 11 algo=tree bytes=20000 ring=sram backpressure=poll dtype=f32
        "$1-$2/orders" allreduce 100 32 algo=ring elems=1000 op=max
        "$1-$2/orders" hello_send 100 2
        "$1-$2/orders" allreduce 100 6 algo=direct elems=3000 ipcq.credit_path=vc buffer=hbm \
            scratch.bytes=8KiB
    } >"$1-$2.digests"
}

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        [ "$compiler" = clang ] && continue # a machine may have one alone; scripts/test installs both
        exit 1
    fi
    for level in 0 3; do
        build "$compiler" "$level"
        write "$compiler" "$level"
        cmp gcc-0.zst "$compiler-$level.zst"
        diff -r gcc-0.apart "$compiler-$level.apart"
        diff gcc-0.digests "$compiler-$level.digests"
    done
done
