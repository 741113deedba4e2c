#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ranks that are SIPs. Every kind of collective by every algorithm is verified; results lie where they lie
# among as many ranks that are PEs; a program of one's own works on what lies on each PE.
# tests/campaign/sips.sh draws many more.
sim="$KB_BIN/kb-sim"
replay="$KB_BIN/kb-replay"
failed=0

complain() {
    echo "$1"
    failed=1
}

# digest_of TRACE KEY [OPTION]...
digest_of() {
    trace=$1
    key=$2
    shift 2
    "$replay" "$trace" --json -q "$@" | sed -n 's/.*"'"$key"'":[ ]*"\([0-9a-f]*\)".*/\1/p'
}

# SIPs of one PE are PEs.
for unit in pe sip; do
    "$sim" run allreduce --rank-unit $unit --machine sips=4,cubes=1x1,pes=1 -p elems=1000 -q -o $unit.zst
done
[ "$(digest_of pe.zst record_digest)" = "$(digest_of sip.zst record_digest)" ] ||
    complain "SIPs of one PE differ from PEs"

# verified NAME ARGUMENTS...: and memory is the same whatever the order.
verified() {
    name=$1
    shift
    "$sim" run "$@" --set ipcq.max_queues=32 -q -o "$name.zst" 2>err || { cat err; complain "$*"; return; }
    "$replay" "$name.zst" --verify -q || complain "$*"
    one=$(digest_of "$name.zst" digest --threads 1)
    [ -n "$one" ] && [ "$one" = "$(digest_of "$name.zst" digest --threads 2 --order random:7)" ] ||
        complain "$*: memory depends on the order"
}

set -- 1000 7 0 1 65
machines="sips=3x2,cubes=1x1,pes=3 sips=4,cubes=2x1,pes=2 sips=2x2,cubes=1x1,pes=5"
grids="mesh_2d torus_2d ring_1d"
"$sim" list algorithms | sed -n 's/^ *\([a-z_]*\)  *\([a-z_]*\):.*/\1 \2/p' >algorithms
[ -s algorithms ] || complain "no algorithms"
while read -r algo kind; do
    bench=$kind
    [ "$kind" != all_reduce ] || bench=allreduce
    for machine in $machines; do
        elems="-p elems=$1"
        [ "$kind" != barrier ] || elems=
        # shellcheck disable=SC2086 # no element count is no argument
        verified each "$bench" --rank-unit sip --machine "$machine" --set system.grid="${grids%% *}" \
            -p algo="$algo" $elems
        grids="${grids#* } ${grids%% *}"
        size=$1
        shift
        set -- "$@" "$size"
    done
done <algorithms

# same KIND TENSOR RANK ARGUMENTS...: what the rank holds in the end is what it holds among PEs.
same() {
    kind=$1
    tensor=$2@$3
    shift 3
    verified sips "$kind" --rank-unit sip --machine sips=3,cubes=1x1,pes=4 "$@"
    verified pes "$kind" --machine sips=3,cubes=1x1,pes=1 "$@"
    for run in sips pes; do
        "$replay" $run.zst --dump "$tensor=$run.npy" -q || complain "$kind $*: no dump"
    done
    cmp -s sips.npy pes.npy || complain "$kind $*: $tensor differs"
}

same allreduce x 1 -p elems=1003 -p dtype=f32
same broadcast x 2 -p elems=333 -p root=1
same reduce x 1 -p elems=100 -p root=1 -p op=max -p buffer=hbm
same all_gather x 0 -p elems=7
same all_to_all y 1 -p elems=100 -p init=iota
same all_to_all y 2 -p elems=100 -p init=iota -p buffer=sram

# What one PE does of a collective is no line of its own.
"$sim" run reduce_scatter --rank-unit sip --machine sips=3,cubes=1x1,pes=4 -p elems=1000 -o x.zst >out
[ "$(grep -c '^reduce_scatter .* 2000 ' out)" -eq 1 ] || { cat out; complain "the summary's line"; }

"$sim" run allreduce --rank-unit sip --ranks 9 --machine sips=4 -q -o x.zst 2>err
[ $? -eq 2 ] && grep -q '9 ranks need as many SIPs, and this machine has 4' err ||
    { cat err; complain "9 ranks"; }
"$sim" lint allreduce --rank-unit sip --machine sips=3,cubes=1x1,pes=4 >out &&
    grep -q '3 ranks, 12 queues' out || { cat out; complain "lint"; }

# A bench of one's own: six PEs share eight columns, so that two have none; y of all ranks in the end.
cp "$KB_ROOT/examples/bench/shares.c" .
"$sim" run ./shares.c --machine sips=1,cubes=1x1,pes=2 -q -o own.zst --verify || complain "shares.c among PEs"
"$replay" own.zst --dump y@1=pes.npy -q
for machine in sips=2,cubes=1x1,pes=4 sips=2,cubes=2x1,pes=3 sips=2,cubes=1x1,pes=1; do
    for mode in stamped on_arrival; do
        "$sim" run ./shares.c --rank-unit sip --machine $machine --set launch.mode=$mode -q \
            -o own.zst --verify || complain "shares.c on $machine, $mode"
        "$replay" own.zst --dump y@1=sips.npy -q && cmp -s sips.npy pes.npy ||
            complain "shares.c on $machine, $mode: y differs"
    done
done
exit $failed
