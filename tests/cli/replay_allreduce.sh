#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every algorithm of all-reduce verifies to the bit, at odd rank counts, sizes around the rank count and the
# slot, all dtypes and ops in turn. tests/campaign/allreduce.sh does the same at every rank count.
set -eu

set -- f16 bf16 f32 i8 i32
ops="sum min max prod"
# is_grid RANKS: they are no prime, and 4 at least.
is_grid() {
    divisor=2
    while [ $((divisor * divisor)) -le "$1" ]; do
        [ $(($1 % divisor)) -ne 0 ] || return 0
        divisor=$((divisor + 1))
    done
    return 1
}

for algo in $("$KB_BIN/kb-sim" list algorithms | sed -n 's/^ *\([a-z_]*\)  *all_reduce:.*/\1/p'); do
    for ranks in 1 2 3 6 9 17 33; do
        case $algo:$ranks in # which need a grid
        mesh:* | torus:*) is_grid $ranks || continue ;;
        esac
        for elems in 0 1 $((ranks - 1)) $ranks 1000 65537; do
            [ $((ranks * elems)) -le 600000 ] || continue
            dtype=$1
            op=${ops%% *}
            ops="${ops#* } $op"
            "$KB_BIN/kb-sim" run allreduce --ranks $ranks -p algo="$algo" -p elems=$elems -p dtype="$dtype" \
                -p op="$op" --set ipcq.max_queues=32 -q -o run.zst
            "$KB_BIN/kb-replay" run.zst --verify >out ||
                { echo "$algo $ranks $elems $dtype $op"; cat out; exit 1; }
            grep -q "^verified: pass" out
            shift
            set -- "$@" "$dtype"
        done
    done
done
