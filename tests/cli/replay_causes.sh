#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One fault is one finding: its cause first, what follows from it counted behind, and a command that shows the
# very op.
set -eu
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -q -o run.zst
"$KB_BIN/../tests/program-trace" program.zst

# tell GOOD FAULT RANK OP WORDS: one finding, which begins with the words; the command gives its first op.
tell() {
    "$KB_BIN/kb-mutate" "$1" --fault "$2" --rank "$3" --at "$4" -q -o bad.zst
    status=0
    "$KB_BIN/kb-replay" bad.zst --verify -q >out 2>err || status=$?
    if test $status -ne 1 || test "$(grep -c '^E-' out)" -ne 1 || ! head -n 1 out | grep -q "^$5"; then
        echo "$2 at rank $3 #$4: status $status, and not only '$5':"
        cat out
        exit 1
    fi
    named=$(head -n 1 out | sed 's/^E[^#]*#\([0-9]*\) .*/\1/')
    PATH=$KB_BIN:$PATH sh -c "$(sed -n 's/^ *see: //p' out)" >shown
    test "$(grep -c '"type":"op"' shown)" -eq 1
    grep -q "\"index\":$named," shown
}

tell run.zst drop-claim 1 23 'E-QUEUE message  rank 1  #23 ipcq_recv'
grep -q 'also: .*order ' out
tell run.zst slot-shift 4 27 'E-QUEUE slot  rank 4  #27 ipcq_copy'
tell run.zst drop-op 3 5 'E-QUEUE sequence  rank 3  #9 ipcq_release'
grep -q 'release 0 is missing before it' out
tell run.zst done-late 3 32 'E-CAUSALITY copy  rank 3  #32 ipcq_copy'
tell run.zst go-on 4 29 'E-ORDER read/release  rank 4 .*  #30 ipcq_release .*  and  #29 dma_read'
tell run.zst length-shorter 4 34 'E-STRUCTURE operand shape  rank 4  #34 dma_read'
grep -q 'also: value missing x' out
tell run.zst source-shift-element 3 32 'E-VALUE source  rank 3 .*#32 ipcq_copy'
tell program.zst drop-op 1 7 'E-ORDER write/read  rank 0 .*  #9 dma_read  and  rank 1 #6 dma_write'
grep -q 'rank 1 came to #7 barrier without having waited until #6 dma_write was done' out
tell program.zst alloc-short 2 2 'E-BOUNDS allocation  rank 2 .*  #2 alloc '
tell program.zst meet-next 2 8 'E-CAUSALITY barrier  rank 2  #8 barrier'

# The command is one for a shell, whatever files are called and however many they are.
"$KB_BIN/kb-mutate" run.zst --fault drop-claim --rank 1 --at 23 -q -o "it's a 'bad' one/"
"$KB_BIN/kb-replay" "it's a 'bad' one"/* --verify -q >out || test $? -eq 1
PATH=$KB_BIN:$PATH sh -c "$(sed -n 's/^ *see: //p' out)" >shown
test "$(grep -c '"type":"op"' shown)" -eq 1

# In JSON what follows stands inside its cause.
"$KB_BIN/kb-mutate" run.zst --fault drop-claim --rank 1 --at 23 -q -o bad.zst
"$KB_BIN/kb-replay" bad.zst --verify --json >out || test $? -eq 1
tr -d '\n' <out >line
grep -q '"findings":\[{"check":"queue","rule":"message".*"consequences":\[{"check":"order"' line
for threads in 1 2 3; do
    "$KB_BIN/kb-replay" bad.zst --verify --json --threads $threads >out.$threads || test $? -eq 1
    cmp out.1 out.$threads
done
