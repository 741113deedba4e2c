#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: of two files of one run the footers end at different times.
set -eu
"$KB_BIN/kb-sim" run allreduce --ranks 2 -p elems=1000 -q -o good/
mkdir bad
cp good/rank-00000.zst bad/
"$KB_BIN/../tests/bad-trace-fields" field_footer_time good/rank-00001.zst bad/rank-00001.zst
status=0
"$KB_BIN/kb-export" bad --to jsonl -o /dev/null >out 2>err || status=$?
if test $status -ne 2 || test -s out ||
    ! grep -q 'bad/rank-00001.zst.*the footer does not agree with that of bad/rank-00000.zst' err; then
    echo "status $status; stderr:"
    cat err
    exit 1
fi
