#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Systems of several packages: every algorithm of all-reduce verifies on odd grids, with tensors and rings in
# any memory and credits on the wires; links between packages are in the trace; all PEs take part.
set -eu
sim=$KB_BIN/kb-sim

# verified ARGUMENTS...: the run's trace has no finding.
verified() {
    "$sim" run allreduce "$@" --set ipcq.max_queues=64 -q -o run.zst
    "$KB_BIN/kb-replay" run.zst --verify >out || { echo "$*"; cat out; exit 1; }
    grep -q '^verified: pass' out
}

for algo in ring direct tree; do
    verified --machine sips=2,cubes=1,pes=3 -p algo=$algo -p elems=5001
    verified --machine sips=3x2,cubes=2x3,pes=1 -p algo=$algo -p elems=2000 --set system.grid=torus_2d \
        --set ipcq.credit_path=vc
    verified --machine sips=3x2,cubes=1x2,pes=5 -p algo=$algo -p elems=700 --set system.grid=mesh_2d \
        --set pcie.links=2 --set io.links=1 -p ring=sram
    verified --machine sips=3,cubes=1,pes=2 -p algo=$algo -p elems=9000 -p buffer=hbm -p ring=hbm \
        --set scratch.bytes=8KiB --set fabric.flit_bytes=64 --set fabric.packet_bytes=200
done
verified --topology sips32 --ranks 5 -p elems=100
verified -p algo=tree -p elems=64                       # all of the default machine
grep -q '256 ranks' out

"$KB_BIN/kb-export" run.zst --to jsonl -o run.jsonl
grep '"name":"sip0>sip1.pcie0"' run.jsonl |
    grep -q '"bytes_per_s":57600000000,"flit_ps":4445,"latency_ps":214445'
grep '"type":"pe"' run.jsonl | tail -n 1 | grep -q '"sip":1,"cube":15,"pe":7'

# A slow link between packages is a fault like any other.
"$sim" run allreduce -p elems=20000 --machine sips=2,cubes=1,pes=1 -q --json -o fast.zst >fast.json
"$sim" run allreduce -p elems=20000 --machine sips=2,cubes=1,pes=1 -q --json -o slow.zst \
    --set 'fault.sip0>sip1.pcie0.slower=4' >slow.json
fast=$(sed 's/.*"time_ps":\([0-9]*\).*/\1/' fast.json) slow=$(sed 's/.*"time_ps":\([0-9]*\).*/\1/' slow.json)
[ "$slow" -gt "$fast" ]
"$KB_BIN/kb-replay" slow.zst --verify -q
