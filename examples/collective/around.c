/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An algorithm of one's own: an all-reduce in which every rank's tensor goes around the ring as a whole.
 *
 * In each of n - 1 steps a rank passes on what it got in the step before, at first its own, and adds what
 * comes in. With S bytes a rank, α a message, β a byte on a link and γ a reduced byte that takes
 *     (n - 1) (α + S β + S γ):
 * half of the messages of a ring with chunks, and n / 2 times as many bytes. So it is for small tensors.
 *
 * It cannot deadlock: no rank waits for its send before it has taken what comes to it, so each message finds
 * someone who receives it.
 *
 *   kb-sim run allreduce --ranks 8 -p algo=./around.c -p elems=64 -o run.zst --verify
 */
#include <kbsim/coll.h>

static void around(kb_coll *c) {
    if (c->ranks == 1)
        return;
    tl_queue to = tl_queue_to(c, rank_at(c, +1)), from = tl_queue_from(c, rank_at(c, -1));
    tl_view guest[2]; /* what is passed on, and what comes in */
    for (int i = 0; i < 2; i++)
        guest[i] = tl_scratch(c, c->dtype, c->buffer.elements);
    tl_copy(c, guest[0], c->buffer);
    for (uint32_t s = 0; s < c->ranks - 1; s++) {
        tl_step(c, "around", s);
        tl_token sent = tl_send_async(c, to, guest[s % 2]);
        tl_copy(c, guest[(s + 1) % 2], tl_recv(c, from));
        tl_release(c, from);
        tl_reduce(c, c->buffer, guest[(s + 1) % 2]);
        tl_wait_sent(c, sent);
    }
}

KB_ALGORITHM(ALL_REDUCE, .name = "around", .help = "each tensor goes around as a whole", .record = around);
