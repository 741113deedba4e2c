/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranks that are SIPs: each PE doubles what it has of its rank's matrix, and the next PE of the rank hears of
 * its first element; twice, by launches that are in flight together. Then all ranks get the sum.
 *
 *   kb-sim run ./shares.c --rank-unit sip --machine sips=4,cubes=1x1,pes=8 -o run.zst --verify
 */
#include <kbsim/bench.h>

typedef struct arguments {
    tl_view x, y, heard;
} arguments;

/* What has no elements sends nothing. */
static tl_view first_of(tl_kernel *k, tl_view view) {
    return tl_slice(k, tl_reshape(k, view, view.elements), 0, view.elements > 0);
}

static void twice(tl_kernel *k) {
    const arguments *a = k->args;
    const tl_view x = tl_part(k, a->x), y = tl_part(k, a->y);
    tl_mul_scalar(k, y, x, 2);
    tl_barrier(k);
    if (k->pes == 1)
        return;
    const uint32_t next = (k->pe + 1) % k->pes, former = (k->pe + k->pes - 1) % k->pes;
    tl_queue to = tl_queue_to_pe(k, k->rank, next), from = tl_queue_from_pe(k, k->rank, former);
    tl_token sent = tl_send_async(k, to, first_of(k, y));
    const uint64_t elements = tl_part_of(k, a->y, former).elements;
    tl_copy(k, tl_slice(k, tl_part(k, a->heard), 0, elements > 0), tl_recv(k, from));
    tl_release(k, from);
    tl_wait(k, sent);
}

static void program(kb_host *h, void *context) {
    (void)context;
    float numbers[48];
    for (int i = 0; i < 48; i++)
        numbers[i] = (float)(i * 3 % 17);
    arguments args = {kb_empty(h, "x", KB_SPACE_HBM, KB_DTYPE_F32, 6, 8),
                      kb_empty(h, "y", KB_SPACE_TCM, KB_DTYPE_F32, 6, 8),
                      kb_zeros(h, "heard", KB_SPACE_TCM, KB_DTYPE_F32, h->pes)};
    kb_host_write(h, args.x, numbers, sizeof numbers);
    tl_token first = kb_launch_async(h, twice, &args, sizeof args);
    tl_token second = kb_launch_async(h, twice, &args, sizeof args);
    kb_wait(h, first);
    kb_wait(h, second);
    kb_barrier(h);
    kb_all_reduce(h, args.y, KB_REDUCE_SUM, "ring");
    kb_host_read(h, args.y);
    kb_free(h, args.x);
}

KB_BENCH(.name = "shares", .help = "each PE works on its part of a matrix", .host = program);
