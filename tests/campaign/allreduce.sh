#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All-reduce by every algorithm at 1 to 33, 64 and 128 ranks, sizes around the rank count and the slot, dtypes
# and ops in turn: all must verify. tests/cli/replay_allreduce.sh is a sample of it. Many minutes.
#   KB_BIN=build/release/bin tests/campaign/allreduce.sh
set -u
cd "${KB_TMP:-.}" || exit 2
failed=0
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
    for ranks in $(seq 1 33) 64 128; do
        case $algo:$ranks in # which need a grid
        mesh:* | torus:*) is_grid "$ranks" || continue ;;
        esac
        for elems in 0 1 $((ranks - 1)) $ranks 1000 65537; do
            dtype=$1
            op=${ops%% *}
            ops="${ops#* } $op"
            "$KB_BIN/kb-sim" run allreduce --ranks "$ranks" -p algo="$algo" -p elems=$elems \
                -p dtype="$dtype" -p op="$op" --set ipcq.max_queues=127 -q -o run.zst &&
                "$KB_BIN/kb-replay" run.zst --verify -q ||
                { echo "$algo $ranks $elems $dtype $op"; failed=1; }
            shift
            set -- "$@" "$dtype"
        done
    done
done
exit $failed
