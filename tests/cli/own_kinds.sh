#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An algorithm for each kind of collective: built-in ones, taken out of the tree and given as files, record
# what they record from within; on PEs, and on whole packages.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"
. "$KB_ROOT/tests/support/own.sh"

# outside KIND NAME: the file NAME.c.
outside() {
    up=$(echo "$1" | tr a-z A-Z)
    head="kb_algorithm_$up = {.abi = KB_PLUGIN_ABI, .size_bytes = sizeof(kbs_algorithm), "
    sed -e 's,"coll/algorithms.h",<kbsim/coll.h>,' \
        -e "s/^const kbs_algorithm kbs_algorithm_$1_$2 = {/KB_EXPORT const kbs_algorithm $head/" \
        "$KB_ROOT/libkbsim/src/coll/$1/$2.c" >"$2.c"
    grep -q "KB_EXPORT" "$2.c" || fail "$1/$2.c exports nothing"
}

# same BENCH NAME OPTION...: from within and from outside.
same() {
    bench=$1 name=$2
    shift 2
    "$sim" run $bench "$@" -p algo=$name -q -o within.zst && "$sim" run $bench "$@" -p algo=./$name.c -q \
        -o outside.zst || fail "$bench $name $*: it does not run"
    "$KB_BIN/kb-replay" outside.zst --verify -q || fail "$bench $name $*: it does not verify"
    ops_of within.zst >within
    ops_of outside.zst | cmp - within || fail "$bench $name $*: other ops"
}

for pair in reduce_scatter:direct all_gather:direct broadcast:direct reduce:direct all_to_all:pairwise \
    barrier:dissemination all_reduce:ring; do
    kind=${pair%:*} name=${pair#*:}
    outside $kind $name
    bench=$(echo $kind | sed 's/^all_reduce$/allreduce/')
    same $bench $name --ranks 5
done
same allreduce ring --machine sips=3,cubes=1,pes=2 --rank-unit sip -p elems=1000
exit $failed
