/* SPDX-License-Identifier: Apache-2.0 */
/* Counters against what the ops say: one sample a microsecond in which something changed. */
#include <stdlib.h>

#include "raw.h"

typedef struct step {
    int64_t time_ps, difference;
} step;

static int by_time(const void *a, const void *b) {
    const step *x = a, *y = b;
    return (x->time_ps > y->time_ps) - (x->time_ps < y->time_ps);
}

/* The samples of a counter that these steps make, compared with those that were taken. */
static void compare(const kept *run, uint32_t counter, int64_t value, step *steps, size_t count) {
    size_t next = 0;
    int64_t told = INT64_MIN;
    qsort(steps, count, sizeof *steps, by_time);
    for (size_t i = 0; i < count; i++) {
        value += steps[i].difference;
        const bool last = i + 1 == count || steps[i + 1].time_ps / 1000000 != steps[i].time_ps / 1000000;
        if (!last || value == told)
            continue;
        while (next < run->sample_count && run->samples[next].counter != counter)
            next++;
        assert_true(next < run->sample_count);
        assert_int_equal(run->samples[next].time_ps, steps[i].time_ps);
        assert_int_equal(run->samples[next].value, value);
        told = value;
        next++;
    }
    while (next < run->sample_count)
        assert_int_not_equal(run->samples[next++].counter, counter);
}

/* --- queues ---------------------------------------------------------------------------------- */

static void around(kb_coll *c) {
    tl_queue to = tl_queue_to(c, rank_at(c, 1)), from = tl_queue_from(c, rank_at(c, -1));
    for (int i = 0; i < 30; i++) {
        tl_token sent = tl_send_async(c, to, c->buffer);
        tl_view in = tl_recv(c, from);
        for (uint32_t k = 0; k < 1 + (c->rank + (uint32_t)i) % 4; k++)
            tl_reduce(c, c->buffer, in);
        tl_release(c, from);
        tl_wait(c, sent);
    }
}

static void slots_in_use_are_those_that_ops_hold(void **state) {
    (void)state;
    enum { RANKS = 4 };
    static kept run;
    static step steps[RANKS][200];
    size_t counts[RANKS] = {0};
    kept_init(&run, "cubes=1,pes=8", RANKS);
    run.elements = 2000;
    run.machine.at.ipcq_slots = 3;
    check_ok(kept_record(&run, around), &run.trail);
    check_ok(kept_simulate(&run), &run.trail);
    kept_check(&run);
    for (uint32_t rank = 0; rank < RANKS; rank++)
        for (uint64_t i = 0; i < run.counts[rank]; i++) {
            const kb_op *op = &run.ops[rank][i];
            const uint32_t queue = op->what->queue;
            if (op->what->kind == KB_OP_IPCQ_COPY)
                steps[queue][counts[queue]++] = (step){op->start_ps, 1};
            else if (op->what->kind == KB_OP_IPCQ_RELEASE)
                steps[queue][counts[queue]++] = (step){op->done_ps, -1};
        }
    for (uint32_t queue = 0; queue < RANKS; queue++) {
        const kb_counter *counter = &run.program->defs.counters[queue];
        assert_string_equal(counter->name, "occupancy");
        assert_int_equal(counter->on, KB_RESOURCE_QUEUE);
        assert_int_equal(counter->id, queue);
        assert_true(counts[queue] == 60);
        compare(&run, queue, 0, steps[queue], counts[queue]);
    }
    for (size_t i = 0; i < run.sample_count; i++)
        assert_in_range(run.samples[i].value, 0, 3);
    kept_fini(&run);
}

/* --- memories -------------------------------------------------------------------------------- */

static void bytes_in_use_begin_with_what_is_there(void **state) {
    (void)state;
    static kept run;
    kept_init(&run, "cubes=1,pes=8", 2);
    raw_create(&run);
    uint32_t id;
    const kb_initial there = {.memory = kbs_memory_of(run.program, KB_SPACE_TCM, 1),
                              .dtype = KB_DTYPE_F32,
                              .recipe = KB_RECIPE_ZEROS,
                              .elements = 100};
    check_ok(kb_defs_add_initial(&run.program->defs, &there, &id, &run.trail), &run.trail);
    raw_launch(&run);
    raw_op op = {.kind = KB_OP_ALLOC, .blocks = KB_BLOCKS_DONE, .operand_count = 1};
    op.operands[0] = kb_operand_vector(there.memory, KB_ACCESS_WRITE, KB_DTYPE_BYTES, 4096);
    raw_op work = {.kind = KB_OP_MATH, .func = KB_FUNC_FILL, .blocks = KB_BLOCKS_DONE, .operand_count = 1};
    work.operands[0] = kb_operand_vector(there.memory, KB_ACCESS_WRITE, KB_DTYPE_I8, 300000);
    raw_add(pe(&run, 1), &op);
    raw_add(pe(&run, 1), &work); /* more than a microsecond */
    op.kind = KB_OP_FREE;
    raw_add(pe(&run, 1), &op);
    raw_simulate(&run);
    kept_check(&run);
    const int64_t freed_ps = raw_find(&run, 1, KB_OP_FREE, 0)->start_ps;
    const kept_sample wanted[] = {{0, 0, 400}, {0, 2277583, 4496}, {0, freed_ps, 400}};
    assert_int_equal(run.sample_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(run.samples[i].time_ps, wanted[i].time_ps);
        assert_int_equal(run.samples[i].value, wanted[i].value);
    }
    assert_int_equal(run.program->defs.counters[0].id, there.memory);
    kept_fini(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_in_use_are_those_that_ops_hold),
        cmocka_unit_test(bytes_in_use_begin_with_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
