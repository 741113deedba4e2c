#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A host program of many collectives: all kinds, back to back, on all ranks and on groups that overlap in
# time, on tensors in all memories, with kernels between them. And what is wrong with calls of collectives.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

cat >many.c <<'END'
#include "kbsim/bench.h"

typedef struct arguments {
    tl_view x;
} arguments;

static void twice(tl_kernel *k) {
    const arguments *a = k->args;
    tl_add(k, a->x, a->x, a->x);
}

static void program(kb_host *h, void *context) {
    (void)context;
    enum { MANY = 1000 };
    const uint32_t low[] = {0, 1, 2}, high[] = {6, 3, 4, 5}, odd[] = {1, 3, 5};
    const tl_group left = kb_group_of(h, low, 3), right = kb_group_of(h, high, 4);
    const tl_group odds = kb_group_of(h, odd, 3);
    tl_view x = kb_ints(h, "x", KB_SPACE_HBM, KB_DTYPE_I32, -9, 9, MANY);
    tl_view y = kb_ints(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, -3, 3, 7 * 100);
    tl_view z = kb_empty(h, "z", KB_SPACE_SRAM, KB_DTYPE_F16, 7 * 100);
    const arguments a = {x};
    kb_all_reduce(h, x, KB_REDUCE_SUM, "ring");
    kb_launch(h, twice, &a, sizeof a);
    kb_all_reduce_on(h, left, tl_slice(h, x, 0, 500), KB_REDUCE_MAX, "tree");
    kb_reduce_scatter_on(h, right, tl_slice(h, x, 250, 601), KB_REDUCE_SUM, "halving");
    kb_broadcast(h, x, 5, "chain");
    kb_broadcast_on(h, odds, tl_slice(h, x, 3, 33), 2, "direct");
    kb_all_to_all(h, z, y, "bruck");
    kb_all_gather(h, z, "doubling");
    kb_all_gather_on(h, odds, tl_slice(h, y, 0, 33), "ring");
    kb_pe_barrier_on(h, left, "dissemination");
    kb_reduce_on(h, right, y, KB_REDUCE_MIN, 3, "chain");
    kb_reduce(h, z, KB_REDUCE_SUM, 6, "tree");
    kb_pe_barrier(h, "dissemination");
    kb_host_read(h, x);
}

KB_BENCH(.name = "many", .help = "collectives back to back", .host = program);
END

for options in '' '-p backpressure=poll' '--set ipcq.ring=hbm --set ipcq.slots=1 --set scratch.bytes=4KiB'; do
    case $options in *-p*) options='--set ipcq.backpressure=poll' ;; esac
    # shellcheck disable=SC2086
    "$sim" run ./many.c --ranks 7 -q -o run.zst $options && "$KB_BIN/kb-replay" run.zst --verify >out ||
        { cat out; fail "many with '$options'"; }
    grep -q '^collectives *12,' out || { cat out; fail 'not all collectives were checked'; }
done

# wrong WORDS BODY: a host program of x and y of 10 x f16, with this in it, is refused so.
wrong() {
    {
        echo '#include "kbsim/bench.h"'
        echo 'static void program(kb_host *h, void *context) {'
        echo '    (void)context;'
        echo '    const uint32_t two[] = {0, 1};'
        echo '    tl_view x = kb_zeros(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, 12);'
        echo '    tl_view y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 12);'
        echo '    const tl_group pair = kb_group_of(h, two, 2);'
        echo '    (void)x, (void)y, (void)pair;'
        echo "    $2"
        echo '}'
        echo 'KB_BENCH(.name = "wrong", .help = "a test", .host = program);'
    } >wrong.c
    is 2 "$1" "$sim" run ./wrong.c --ranks 4 -q -o no.zst
}

wrong 'broadcast number 0 is of 12 x f16, root 0 here, and of 12 x f16, root 1 in rank 0 (wrong.c:9)' \
    'kb_broadcast(h, x, h->rank == 0 ? 1 : 0, "tree");'
wrong 'reduce number 0 is of 12 x f16 by max, root 0 here, and of 12 x f16 by sum, root 0 in rank 0' \
    'kb_reduce(h, x, h->rank == 2 ? KB_REDUCE_MAX : KB_REDUCE_SUM, 0, "tree");'
wrong 'all_gather number 0 is of 2 x f16 here, and of 3 x f16 in rank 0' \
    'kb_all_gather(h, tl_slice(h, x, 0, h->rank == 1 ? 8 : 12), "ring");'
wrong "rank 0's is all_gather ring" \
    'if (h->rank == 1) kb_all_reduce(h, x, KB_REDUCE_SUM, "ring"); else kb_all_gather(h, x, "ring");'
wrong "an all-gather's tensor holds as many elements of each rank, and 11 cannot be shared by 4" \
    'kb_all_gather(h, tl_slice(h, x, 0, 11), "ring");'
wrong 'there is no rank 2 to be the root of a broadcast: the group has 2' \
    'kb_broadcast_on(h, pair, x, 2, "tree");'
wrong 'of 12 x f16 among 4 ranks gives 12 to rank 0, a block from each, and the tensor for them has 11 x' \
    'kb_all_to_all(h, tl_slice(h, y, 0, 11), x, "pairwise");'
wrong 'an all-to-all is not done in place: its two tensors overlap' 'kb_all_to_all(h, x, x, "bruck");'
wrong 'a reduce-scatter by no op' 'kb_reduce_scatter(h, x, KB_REDUCE_NONE, "ring");'
wrong 'a broadcast by no algorithm that could do it' 'kb_broadcast(h, x, 0, NULL);'
wrong "unknown algorithm 'rng' for broadcast" 'kb_broadcast(h, x, 0, "rng");'
wrong 'all_reduce by mesh works among r x c ranks, both 2 at least, and not among 2: the nearest is 4' \
    'kb_all_reduce_on(h, pair, x, KB_REDUCE_SUM, "mesh");'
wrong 'on no group: it did not come from kb_group_of' \
    'kb_all_reduce_on(h, ((tl_group){77}), x, KB_REDUCE_SUM, "ring");'
wrong 'launch 0 of this rank is of tree on group' \
    'if (h->rank == 3) kb_broadcast_on(h, pair, x, 0, "tree"); else kb_broadcast(h, x, 0, "tree");'
exit $failed
