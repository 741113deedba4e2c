/* SPDX-License-Identifier: Apache-2.0 */
/* Computing piece by piece; see pieces.h. */
#include "op/pieces.h"

#include <assert.h>

#include "exchange/exchange.h"
#include "op/cursor.h"

/* A run below this costs more to find than to copy. */
#define SHORT_RUN 256u

/* --- where each operand is worked on --------------------------------------------------------------- */

typedef struct working {
    const kbr_task *task;
    kbr_cursor at[1 + KBR_MAP_INPUTS];
    uint32_t count; /* operands */
} working;

/* Can it be worked on where it lies? */
static bool lies_well(const kbr_pass *pass, const kb_operand *operand, uint64_t unit_size) {
    kbr_runs runs;
    kbr_runs_init(&runs, operand, 0);
    return kbr_exchange_reach(pass, operand->memory) != NULL && runs.run_size % unit_size == 0 &&
           (runs.dims == 0 || runs.run_size >= SHORT_RUN);
}

static bool same_view(const kb_op *op, uint32_t a, uint32_t b) {
    const kb_operand *x = &op->what->operands[a], *y = &op->what->operands[b];
    bool same = op->offsets[a] == op->offsets[b] && x->dtype == y->dtype && x->dims == y->dims;
    for (unsigned i = 0; same && i < x->dims; i++)
        same = x->shape[i] == y->shape[i] && x->stride[i] == y->stride[i];
    return same;
}

/* Would writing the result change bytes of the operand that are still to be read? */
static bool in_the_way(const kb_op *op, const kbr_task *task, uint32_t number) {
    if (task->unit_sizes[number] == task->unit_sizes[0] && same_view(op, number, 0))
        return false;
    return kbr_operands_meet(op, number, 0);
}

static kb_status place_input(kbr_pass *pass, const kb_op *op, working *it, uint32_t number,
                             bool result_in_place, kb_trail *trail) {
    const kb_operand *operand = &op->what->operands[number];
    if (lies_well(pass, operand, it->task->unit_sizes[number]) &&
        !(result_in_place && in_the_way(op, it->task, number))) {
        kbr_cursor_init(&it->at[number], kbr_exchange_reach(pass, operand->memory), operand,
                        op->offsets[number]);
        return KB_OK;
    }
    uint64_t size = kbr_operand_size(operand);
    uint8_t *bytes;
    KB_TRY(kbr_pass_buffer(pass, number, size, &bytes, trail));
    KB_TRY(kbr_gather(pass, operand, op->offsets[number], bytes, NULL, trail));
    kbr_cursor_init_buffer(&it->at[number], bytes, size);
    return KB_OK;
}

/* --- computing ------------------------------------------------------------------------------------- */

/* A unit that does not lie in one piece somewhere is brought into one, and its result taken apart. */
static kb_status compute_one(kbr_pass *pass, working *it, kb_trail *trail) {
    const uint64_t *sizes = it->task->unit_sizes;
    const uint8_t *inputs[KBR_MAP_INPUTS] = {NULL};
    uint8_t *bytes;
    for (uint32_t i = 1; i < it->count; i++) {
        bytes = it->at[i].bytes;
        if (it->at[i].memories != NULL) {
            KB_TRY(kbr_pass_buffer(pass, i, sizes[i], &bytes, trail));
            KB_TRY(kbr_cursor_take(&it->at[i], sizes[i], bytes, trail));
        } else {
            kbr_cursor_advance(&it->at[i], sizes[i]);
        }
        inputs[i - 1] = bytes;
    }
    bytes = it->at[0].bytes;
    if (it->at[0].memories != NULL)
        KB_TRY(kbr_pass_buffer(pass, 0, sizes[0], &bytes, trail));
    it->task->compute(it->task->how, bytes, inputs, 1);
    if (it->at[0].memories != NULL)
        return kbr_cursor_put(&it->at[0], sizes[0], bytes, trail);
    kbr_cursor_advance(&it->at[0], sizes[0]);
    return KB_OK;
}

/* As many of `most` units as lie in one piece everywhere; none where not even one does. */
static kb_status compute_piece(working *it, uint64_t most, uint64_t *ret_units, kb_trail *trail) {
    const uint64_t *sizes = it->task->unit_sizes;
    const uint8_t *inputs[KBR_MAP_INPUTS] = {NULL};
    uint64_t room = kbr_cursor_room(&it->at[0]) / sizes[0], units = room < most ? room : most;
    for (uint32_t i = 1; i < it->count && units != 0; i++) {
        kbr_span span;
        KB_TRY(kbr_cursor_read(&it->at[i], &span, trail));
        units = span.size / sizes[i] < units ? span.size / sizes[i] : units;
        inputs[i - 1] = span.bytes;
    }
    *ret_units = units;
    if (units == 0)
        return KB_OK;
    uint8_t *out;
    KB_TRY(kbr_cursor_write(&it->at[0], units * sizes[0], &out, trail));
    it->task->compute(it->task->how, out, inputs, units);
    for (uint32_t i = 0; i < it->count; i++)
        kbr_cursor_advance(&it->at[i], units * sizes[i]);
    return KB_OK;
}

kb_status kbr_compute(kbr_pass *pass, const kb_op *op, const kbr_task *task, kb_trail *trail) {
    const kb_operand *result = &op->what->operands[0];
    working it;
    it.task = task;
    it.count = op->what->operand_count;
    assert(it.count <= 1 + KBR_MAP_INPUTS);
    for (uint32_t i = 0; i < it.count; i++)
        KB_TRY(kbr_pass_allow(pass, kbr_operand_size(&op->what->operands[i]), trail));
    if (task->units == 0)
        return KB_OK;
    bool in_place = lies_well(pass, result, task->unit_sizes[0]);
    for (uint32_t i = 1; i < it.count; i++)
        KB_TRY(place_input(pass, op, &it, i, in_place, trail));
    uint8_t *bytes = NULL;
    if (in_place) {
        kbr_cursor_init(&it.at[0], kbr_exchange_reach(pass, result->memory), result, op->offsets[0]);
    } else {
        KB_TRY(kbr_pass_buffer(pass, 0, kbr_operand_size(result), &bytes, trail));
        kbr_cursor_init_buffer(&it.at[0], bytes, kbr_operand_size(result));
    }
    for (uint64_t left = task->units; left > 0;) {
        uint64_t units;
        KB_TRY(compute_piece(&it, left, &units, trail));
        if (units == 0)
            KB_TRY(compute_one(pass, &it, trail));
        left -= units != 0 ? units : 1;
    }
    return in_place ? KB_OK : kbr_scatter(pass, result, op->offsets[0], bytes, NULL, trail);
}
