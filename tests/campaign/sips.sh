#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Collectives among SIPs, drawn: kinds, algorithms, shapes, sizes, dtypes, ops, memories, ways to wait; all
# must verify, and memory must be the same in another order and with another count of threads.
# tests/cli/sim_sips.sh is a sample of it.
#   KB_BIN=build/release/bin tests/campaign/sips.sh [COUNT [SEED]]
set -u
cd "${KB_TMP:-.}" || exit 2
count=${1:-2000}
RANDOM=${2:-1}
failed=0
done=0
shapes=(sips=2,cubes=1x1,pes=3 sips=3,cubes=2x1,pes=2 sips=4,cubes=1x1,pes=4 sips=3x2,cubes=1x1,pes=2
    sips=5,cubes=1x1,pes=1 sips=2,cubes=2x2,pes=8 sips=7,cubes=1x1,pes=5 sips=1,cubes=1x1,pes=4
    sips=8,cubes=1x1,pes=2 sips=3x3,cubes=1x1,pes=2)
grids=(ring_1d torus_2d mesh_2d)
sizes=(0 1 2 3 7 10 31 64 100 1000 1001 4099 20011)
dtypes=(f16 bf16 f32 i8 i32)
ops=(sum min max prod)
# Some of what may be set, one of each group.
ways=("" "-p ring=hbm" "-p backpressure=poll" "--set launch.mode=on_arrival" "-p slots=1 -p slot_bytes=256")
buffers=("" "-p buffer=hbm" "-p buffer=sram")
dispatches=("" "--set pe_cpu.dispatch_ns=0")

mapfile -t algorithms < <("$KB_BIN/kb-sim" list algorithms |
    sed -n 's/^ *\([a-z_]*\)  *\([a-z_]*\):.*/\1 \2/p')
[ ${#algorithms[@]} -gt 0 ] || exit 2

digest() {
    "$KB_BIN/kb-replay" run.zst --json -q "$@" | grep -o '"digest"[^,]*'
}

for ((i = 0; i < count; i++)); do
    read -r algo kind <<<"${algorithms[RANDOM % ${#algorithms[@]}]}"
    bench=${kind/all_reduce/allreduce}
    # shellcheck disable=SC2206 # several arguments each
    arguments=(run "$bench" --rank-unit sip --machine "${shapes[RANDOM % ${#shapes[@]}]}"
        --set "system.grid=${grids[RANDOM % 3]}" --set ipcq.max_queues=32 --seed $RANDOM -p "algo=$algo"
        ${ways[RANDOM % ${#ways[@]}]} ${dispatches[RANDOM % 2]})
    if [ "$kind" != barrier ]; then
        # shellcheck disable=SC2206
        arguments+=(-p "elems=${sizes[RANDOM % ${#sizes[@]}]}" -p "dtype=${dtypes[RANDOM % 5]}"
            ${buffers[RANDOM % 3]})
        case $kind in *reduce*) arguments+=(-p "op=${ops[RANDOM % 4]}") ;; esac
    fi
    if ! "$KB_BIN/kb-sim" "${arguments[@]}" -q -o run.zst 2>err; then
        grep -q "works among" err && continue # a count that the algorithm does not serve
        echo "${arguments[*]}"
        head -5 err
        failed=1
    elif ! "$KB_BIN/kb-replay" run.zst --verify -q --threads $((1 + RANDOM % 2)); then
        echo "${arguments[*]}"
        failed=1
    elif [ "$(digest --threads 1)" != "$(digest --threads 2 --order random:$RANDOM)" ]; then
        echo "memory depends on the order: ${arguments[*]}"
        failed=1
    else
        done=$((done + 1))
    fi
done
echo "$done runs verified"
exit $failed
