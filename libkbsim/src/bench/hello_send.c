/* SPDX-License-Identifier: Apache-2.0 */
/* The bench `hello_send`, the smallest of all: rank 0 sends one message to the last rank. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/contents.h"
#include "bench/read.h"
#include "kbsim/host.h"

enum { ELEMS, BYTES, DTYPE, INIT, RING, BACKPRESSURE, SLOTS, SLOT_BYTES, PARAMS };

static const kbs_bench_param params[PARAMS] = {
    [ELEMS] = {"elems", "1024", "elements of the message", NULL},
    [BYTES] = {"bytes", "", "the same as a size, instead of elems", NULL},
    [DTYPE] = {"dtype", "f16", "f16, bf16, f32, i8 or i32", NULL},
    [INIT] = {"init", "ints", "ints, uniform, iota, constant:V or zeros", NULL},
    [RING] = {"ring", "", "where the queue's ring lies: tcm, sram or hbm", "ipcq.ring"},
    [BACKPRESSURE] = {"backpressure", "", "sleep until woken, or poll", "ipcq.backpressure"},
    [SLOTS] = {"slots", "", "slots of the queue's ring", "ipcq.slots"},
    [SLOT_BYTES] = {"slot_bytes", "", "size of a slot", "ipcq.slot_bytes"},
};

typedef struct wanted {
    uint64_t elements;
    kb_contents contents;
} wanted;

static void hello(tl_kernel *k) {
    const tl_view *tensor = k->args; /* x of the first rank, y of the last */
    const uint32_t last = k->ranks - 1;
    if (k->rank == 0)
        tl_send(k, tl_queue_to(k, last), tl_part(k, *tensor));
    if (k->rank != last)
        return;
    tl_view in = tl_recv(k, tl_queue_from(k, 0));
    tl_copy(k, tl_part(k, *tensor), in);
    tl_release(k, tl_queue_from(k, 0));
}

static void program_of(kb_host *h, void *context) {
    const wanted *wish = context;
    tl_view view = {0};
    if (h->rank == 0)
        view = kb_tensor_at(h->stream, "x", KB_SPACE_TCM, TL_SHAPE(wish->elements), &wish->contents, TL_HERE);
    else if (h->rank == h->ranks - 1)
        view = kb_empty(h, "y", KB_SPACE_TCM, wish->contents.dtype, wish->elements);
    kb_launch(h, hello, &view, sizeof view);
}

static kb_status record(kbs_program *program, const kbs_bench_values *values, kb_trail *trail) {
    wanted wish = {0};
    uint32_t dtype = 0;
    char elements[24];
    if (program->ranks < 2)
        return kb_fail(trail, KB_E_ARGUMENT, "hello_send needs 2 ranks: a rank does not send to itself");
    KB_TRY(kbs_read_dtype(values->text[DTYPE], &dtype, trail));
    KB_TRY(kbs_read_elements(values, ELEMS, BYTES, dtype, &wish.elements, trail));
    const kbs_contents asked = {values->text[INIT], dtype, KB_REDUCE_NONE, program->ranks, 0, wish.elements};
    kb_initial recipe;
    KB_TRY(kbs_contents_recipe(&asked, &recipe, trail));
    wish.contents = (kb_contents){dtype, recipe.recipe, recipe.low, recipe.high, NULL};
    snprintf(elements, sizeof elements, "%" PRIu64, wish.elements);
    const char *sized = values->by[values->given[ELEMS] ? ELEMS : BYTES];
    KB_TRY(kbs_bench_state(program, "elems", elements, sized, trail));
    KB_TRY(kbs_bench_state(program, "dtype", values->text[DTYPE], values->by[DTYPE], trail));
    KB_TRY(kbs_bench_state(program, "init", values->text[INIT], values->by[INIT], trail));
    return kbs_program_host(program, "hello_send", program_of, &wish, trail);
}

const kbs_bench kbs_bench_hello_send = {"hello_send", "rank 0 sends one message to the last rank", params,
                                        PARAMS, record};
