#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# --init: a copy of undefined bytes is a finding in strict mode, and what uses them is one in both.
set -eu
"$KB_BIN/kb-sim" run allreduce --ranks 5 -p elems=1000 -q -o run.zst
"$KB_BIN/kb-replay" run.zst --verify --init=strict -q >out
test ! -s out
"$KB_BIN/kb-mutate" run.zst --fault source-far --rank 3 --at 32 -q -o bad.zst
for init in results strict; do
    status=0
    "$KB_BIN/kb-replay" bad.zst --verify --init=$init -q >out || status=$?
    test $status -eq 1
    grep -q '^E-INIT undefined  rank 3 .*#32 ipcq_copy' out
done
grep -q 'operand 1 (src) holds undefined bytes' out

# refuse WORDS OPTION...: status 2, and stderr says it.
refuse() {
    words=$1 status=0
    shift
    "$KB_BIN/kb-replay" run.zst "$@" 2>err || status=$?
    test $status -eq 2 && grep -q -- "$words" err
}
refuse "neither 'results' nor 'strict'" --verify --init=lenient
refuse "give --verify, too" --init=strict
