/* SPDX-License-Identifier: Apache-2.0 */
/* The worked example of docs/kernels.md, which shows these very lines: kernels-example OUT.zst. */
#include <stdio.h>

#include "kbsim/run.h"

enum { ROWS = 96, COLUMNS = 1024, BLOCK = 16 };

typedef struct arguments {
    tl_view x, y, edge;
} arguments;

/* y = x / root mean square of its row; while a block is worked on the next is on its way. */
static void rms_norm(tl_kernel *k) {
    const arguments *a = k->args;
    tl_view in[2], out = tl_scratch(k, KB_DTYPE_F32, BLOCK, COLUMNS);
    for (int i = 0; i < 2; i++)
        in[i] = tl_scratch(k, KB_DTYPE_F32, BLOCK, COLUMNS);
    tl_view squares = tl_scratch(k, KB_DTYPE_F32, BLOCK, 1);

    tl_token coming = tl_load_async(k, in[0], tl_slice(k, a->x, 0, BLOCK));
    for (uint64_t row = 0; row < ROWS; row += BLOCK) {
        tl_view now = in[row / BLOCK % 2], next = in[(row / BLOCK + 1) % 2];
        tl_step(k, "block", row / BLOCK);
        tl_wait(k, coming);
        if (row + BLOCK < ROWS)
            coming = tl_load_async(k, next, tl_slice(k, a->x, row + BLOCK, BLOCK));
        tl_mul(k, out, now, now);
        tl_sum(k, squares, out);
        tl_mul_scalar(k, squares, squares, 1.0 / COLUMNS);
        tl_add_scalar(k, squares, squares, 1e-5);
        tl_rsqrt(k, squares, squares);
        tl_mul(k, out, now, tl_broadcast(k, squares, BLOCK, COLUMNS));
        tl_store(k, tl_slice(k, a->y, row, BLOCK), out);
    }
}

/* edge = the last row of the rank to the left. */
static void pass_on(tl_kernel *k) {
    const arguments *a = k->args;
    tl_queue to = tl_queue_to(k, (k->rank + 1) % k->ranks);
    tl_queue from = tl_queue_from(k, (k->rank + k->ranks - 1) % k->ranks);
    tl_token sent = tl_send_async(k, to, tl_row(k, a->y, ROWS - 1));
    tl_copy(k, a->edge, tl_recv(k, from));
    tl_release(k, from);
    tl_wait_sent(k, sent);
}

/* The first two ranks once more, while the hosts read what neither kernel writes. */
static void in_flight(kb_host *h, arguments a) {
    const uint32_t two[] = {0, 1};
    tl_token scaled = kb_launch_on_async(h, kb_group_of(h, two, 2), rms_norm, &a, sizeof a);
    tl_token passed = kb_launch_async(h, pass_on, &a, sizeof a);
    kb_host_read(h, a.x);
    kb_wait(h, scaled);
    kb_host_read(h, a.y); /* which pass_on may be reading, too */
    kb_wait(h, passed);
}

static void program(kb_host *h, void *context) {
    (void)context;
    arguments a;
    a.x = kb_uniform(h, "x", KB_SPACE_HBM, KB_DTYPE_F32, -1, 1, ROWS, COLUMNS);
    a.y = kb_empty(h, "y", KB_SPACE_HBM, KB_DTYPE_F32, ROWS, COLUMNS);
    a.edge = kb_empty(h, "edge", KB_SPACE_TCM, KB_DTYPE_F32, COLUMNS);
    kb_launch(h, rms_norm, &a, sizeof a);
    kb_launch(h, pass_on, &a, sizeof a);
    kb_all_reduce(h, a.edge, KB_REDUCE_MAX, "ring");
    kb_host_read(h, a.edge);
    in_flight(h, a);
}

int main(int argc, char **argv) {
    kbs_machine machine;
    kb_trail trail;
    kbs_result result;
    char text[2048];
    kb_trail_init(&trail);
    kbs_machine_init(&machine);
    const kbs_run_options options = {.bench = "rms_norm",
                                     .host = program,
                                     .machine = &machine,
                                     .ranks = 4,
                                     .seed = 1,
                                     .path = argc > 1 ? argv[1] : "-"};
    if (kbs_run(&options, &result, &trail) != KB_OK) {
        fprintf(stderr, "%s\n", kb_trail_text(&trail, text, sizeof text));
        return 2;
    }
    kbs_result_fini(&result);
    return 0;
}
