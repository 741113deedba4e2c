#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs with parameters drawn at random: kb-replay --verify finds nothing in any. Minutes.
#   KB_BIN=build/release/bin tests/campaign/mixes.sh [RUNS [SEED]]
set -eu
runs=${1:-400} seed=${2:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# draw N: 0 … N-1
draw() {
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    drawn=$((seed / 65536 % $1))
}
# one WORD…: sets `it` to one of them
one() {
    draw $#
    shift $drawn
    it=$1
}

i=0 failed=0
while [ $i -lt "$runs" ]; do
    i=$((i + 1))
    one ring tree direct; algo=$it
    draw 15; ranks=$((drawn + 2))
    [ $algo = direct ] || { one $ranks $ranks $ranks 33 64; ranks=$it; }
    draw 4000; elems=$((drawn + 1))
    one 1 1 10; elems=$((elems * it))
    set -- run allreduce -q --ranks $ranks -p algo=$algo -p elems=$elems
    draw 5; [ $drawn -ne 0 ] || set -- run hello_send -q --ranks $ranks -p elems=$elems
    one tcm tcm hbm sram; [ "$2" = hello_send ] || set -- "$@" -p buffer=$it
    one tcm tcm hbm sram; set -- "$@" --set ipcq.ring=$it
    one sleep sleep poll; set -- "$@" --set ipcq.backpressure=$it
    one fast fast vc; set -- "$@" --set ipcq.credit_path=$it
    one 1 2 4 8; set -- "$@" --set ipcq.slots=$it
    one 64 256 1000 4096 9000; set -- "$@" --set ipcq.slot_bytes=$it
    one 16 0 100 1000; set -- "$@" --set ipcq.credit_bytes=$it
    one 256 64 96 512; flit=$it
    one 4096 1 2 7; [ $it -eq 4096 ] && packet=4096 || packet=$((it * flit))
    [ $packet -ge $flit ] || packet=$flit
    set -- "$@" --set fabric.flit_bytes=$flit --set fabric.packet_bytes=$packet
    one 256 100 33.3 700; set -- "$@" --set noc.link_gbps=$it
    one 128 17 512; set -- "$@" --set sram.gbps=$it
    one off off hbm3; set -- "$@" --set hbm.timing=$it
    one 512 77 1024; set -- "$@" --set tcm.read_gbps=$it
    one 512 300 2048; set -- "$@" --set tcm.write_gbps=$it
    one 1 0 3.3; set -- "$@" --set noc.router_ns=$it
    one 16 1 3; set -- "$@" --set dma.reads_outstanding=$it
    one 16 1 2; set -- "$@" --set dma.writes_outstanding=$it
    one 10 0; set -- "$@" --set dma.setup_ns=$it
    one 60 0; set -- "$@" --set hbm.read_latency_ns=$it
    one 8 1 16; set -- "$@" --set hbm.channels_per_pe=$it
    one xor none; set -- "$@" --set hbm.channel_hash=$it
    one separate shared; set -- "$@" --set pe.compute_slots=$it
    one 8 1 2; set -- "$@" --set engine.queue_depth=$it
    one 4 0 1; set -- "$@" --set pe_cpu.dispatch_ns=$it
    one 8 4 1; set -- "$@" --set cube.pes=$it
    if ! "$KB_BIN/kb-sim" "$@" --set sip.cubes=8x8 -o "$work/run.zst" >"$work/said" 2>&1; then
        echo "kb-sim $*"
        cat "$work/said"
        failed=1
        continue
    fi
    if ! "$KB_BIN/kb-replay" "$work/run.zst" --verify -q >"$work/found" 2>&1; then
        echo "kb-sim $*"
        head -5 "$work/found"
        failed=1
    fi
done
[ $failed -eq 0 ] && echo "$runs runs: nothing found"
exit $failed
