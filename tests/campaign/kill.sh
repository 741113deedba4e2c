#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Kills a writer at every call that changes the disk, in both layouts and with one and two threads, and ROUNDS
# times from outside at random: what is left is readable up to its last whole frame, and right.
#   KB_BIN=build/release/bin tests/campaign/kill.sh [STRIDE [ROUNDS]]       in an empty folder
# With a stride above 1 it tries every so many-th call only; tests/equiv/kill.sh is that.
stride=${1:-1}
rounds=${2:-200}
tool=$KB_BIN/../tests/small-trace
seed=3 ranks=2 ops=40
points=0 readable=0

refuse() {
    echo "$1" >&2
    exit 1
}

# What is left under any name is right.
check() {
    set -- "$1" "$2"
    case $2 in
    one) set -- "$1" one.zst.partial one.zst ;;
    *) set -- "$1" out/rank-0000[01].zst out/rank-0000[01].zst.partial ;;
    esac
    what=$1
    shift
    for path in "$@"; do
        shift
        [ -f "$path" ] && [ -s "$path" ] && set -- "$@" "$path"
    done
    [ $# -gt 0 ] || return
    "$tool" check $seed $ranks $ops "$@" >said 2>&1
    case $? in
    0) readable=$((readable + 1)) ;;
    1) ;; # killed in the first frame
    *) grep -q 'is missing: of a run' said || refuse "$what: $(cat said)" ;; # before all were begun
    esac
}

attempt() {
    rm -rf one.zst* out
    case $1 in
    one) path=one.zst ;;
    *) path=out/ ;;
    esac
    "$tool" write $seed $ranks $ops "$path" "$2" "$3" >calls 2>&1
}

for layout in one out; do
    for threads in 1 2; do
        point=1
        while ! attempt $layout $threads $point; do
            points=$((points + 1))
            check "$layout, $threads threads, killed at call $point" $layout
            point=$((point + stride))
            [ $point -lt 10000 ] || refuse "the writer never ends"
        done
        # A run after one that was killed is as good as any.
        attempt $layout $threads 5
        path=one.zst && [ $layout = one ] || path=out/
        "$tool" write $seed $ranks $ops $path $threads >/dev/null || refuse "$layout: none after a kill"
        check "$layout again" $layout
        grep -q '^complete' said || refuse "$layout: $(cat said)"
    done
done

while [ "$rounds" -gt 0 ]; do
    rounds=$((rounds - 1))
    points=$((points + 1))
    rm -rf one.zst* out
    "$tool" write $seed $ranks $ops one.zst 2 >calls 2>&1 &
    victim=$!
    sleep "0.0$(od -An -N1 -tu1 /dev/urandom | tr -d ' ')"
    kill -9 $victim 2>/dev/null
    wait $victim 2>/dev/null
    check "killed from outside" one
done

echo "$points kills, $readable left something to read"
[ $readable -gt 0 ]
