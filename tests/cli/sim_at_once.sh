#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two runs on one output: the second is refused and spoils nothing; what a killed run left is no hindrance.
sim="$KB_BIN/kb-sim"
failed=0

complain() {
    echo "$1"
    cat err
    failed=1
}

for out in x.zst run/; do
    case $out in
    */) partial=run/rank-00000.zst.partial ;;
    *) partial=x.zst.partial ;;
    esac
    mkdir -p run
    echo 'another run writes this' >"$partial"
    # The lock of another process, as long as the command runs.
    flock -x "$partial" "$sim" run allreduce --ranks 3 -p elems=7 -q -o "$out" >out 2>err
    [ $? -eq 2 ] || complain "$out: a file that another run writes was not refused"
    grep -q "rank-00000.zst.partial: Device or resource busy\|x.zst.partial: Device or resource busy" err ||
        complain "$out: the message does not say that the file is busy"
    grep -q 'another run' "$partial" || complain "$out: the other run's file was touched"
    "$sim" run allreduce --ranks 3 -p elems=7 -q --verify -o "$out" >out 2>err ||
        complain "$out: what a killed run left is in the way"
done
exit $failed
