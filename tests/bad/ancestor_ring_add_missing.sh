#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A ring of two ranks in which one add is missing: what came is given back unread, and that op is named first.
set -eu
"$KB_BIN/kb-sim" run allreduce --ranks 2 -p elems=100 -q -o clean.zst
"$KB_BIN/kb-replay" clean.zst --verify -q
"$KB_BIN/kb-export" clean.zst --to jsonl --kinds math --ranks 1 -o math.jsonl
op=$(sed -n '/"type":"op"/{s/.*"index":\([0-9]*\).*/\1/p;q}' math.jsonl)
"$KB_BIN/kb-mutate" clean.zst --fault drop-op --rank 1 --at "$op" -q -o bad.zst
wanted="E-VALUE missing  rank 1 [^#]*#$op ipcq_release"
status=0
"$KB_BIN/kb-replay" bad.zst --verify -q >out || status=$?
if test $status -ne 1 || ! grep -m 1 '^E-' out | grep -q "^$wanted"; then
    echo "status $status, and not first E-VALUE missing about rank 1 #$op:"
    cat out
    exit 1
fi
