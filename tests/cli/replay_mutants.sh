#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One byte more in the source address of any copy of a 5-rank ring makes --verify exit 1, and the first
# finding names that op; so do an element more and a chunk more. Of every other fault a sample is found.
set -eu

"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -q -o ring.zst
cp ring.zst run.zst
"$KB_BIN/kb-replay" run.zst --verify -q >out
test ! -s out

# spoil FAULT RANK OP: status 1, and the first line names the op.
spoil() {
    "$KB_BIN/kb-mutate" run.zst --fault "$1" --rank "$2" --at "$3" -q -o bad.zst
    status=0
    "$KB_BIN/kb-replay" bad.zst --verify -q >out || status=$?
    if test $status -ne 1 || ! head -n 1 out | grep -q "^E-[A-Z]* .* rank $2 .*#$3 "; then
        echo "$1 at rank $2 #$3: status $status, and it says"
        cat out
        exit 1
    fi
}

"$KB_BIN/kb-export" run.zst --to jsonl --kinds ipcq_copy |
    sed -n 's/.*"type":"op","rank":\([0-9]*\),"index":\([0-9]*\),.*/\1 \2/p' >copies
test "$(wc -l <copies)" -eq 40
while read -r rank op; do
    spoil source-shift-byte "$rank" "$op"
    for fault in source-shift-element source-shift-chunk target-shift-element slot-shift peer-shift; do
        test "$rank" -ne 2 || spoil $fault "$rank" "$op"
    done
done <copies

# Where tensors lie in SRAM, scratch memory stands for them between a load and a store: the op that is
# mistaken about it is named, and not the load or the store.
"$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=300 -p buffer=sram -q -o run.zst
"$KB_BIN/kb-export" run.zst --to jsonl --ranks 1 --kinds ipcq_copy,math |
    sed -n 's/.*"type":"op","rank":\([0-9]*\),"index":\([0-9]*\),.*/\1 \2/p' >ops
test "$(wc -l <ops)" -eq 6
while read -r rank op; do
    for fault in source-shift-element target-shift-element; do
        spoil $fault "$rank" "$op"
    done
done <ops

# Of every fault a sample, in the first of these traces that has an op for it.
"$KB_BIN/../tests/program-trace" program.zst
"$KB_BIN/kb-replay" program.zst --verify -q >out
test ! -s out
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -p algo=tree -q -o tree.zst
for fault in $("$KB_BIN/kb-mutate" --list | cut -d' ' -f1); do
    for good in ring.zst program.zst tree.zst; do
        ! "$KB_BIN/kb-mutate" $good --fault "$fault" -q -o bad.zst 2>err || break
    done
    for seed in 1 2 3; do
        "$KB_BIN/kb-mutate" $good --fault "$fault" --seed $seed -o bad.zst >what
        case $fault in drop-op) continue ;; esac # a dropped wait may be one that nothing needs
        status=0
        "$KB_BIN/kb-replay" bad.zst --verify >out || status=$?
        test $status -eq 1 || { cat what out; exit 1; }
    done
done

# The same place, the same trace: a mutation is reproducible.
"$KB_BIN/kb-mutate" ring.zst --fault wrong-func --seed 9 -q -o one.zst
"$KB_BIN/kb-mutate" ring.zst --fault wrong-func --seed 9 -q -o two.zst
cmp one.zst two.zst
