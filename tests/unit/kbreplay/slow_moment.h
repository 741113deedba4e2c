/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory at a time, the slow way: the whole trace is walked in the order of dataflow, never by time; only ops
 * that are done by then are executed, and what others have begun to write is made undefined at the end.
 */
#ifndef KB_TESTS_SLOW_MOMENT_H
#define KB_TESTS_SLOW_MOMENT_H

#include "support/check.h"

#include "exchange/exchange.h"
#include "kbreplay/replay.h"
#include "op/access.h"
#include "walk/walk.h"

enum { SLOW_CHANGING = 65536 };

typedef struct slow_moment {
    int64_t time_ps;
    kbr_pass pass;
    kbr_result result;
    kbr_findings findings;
    kbr_regions regions;
    kb_arena arena;
    kbr_memories *memories;
    kbr_exchange_shared shared;
    struct {
        kb_operand operand;
        uint64_t offset;
    } * changing;
    size_t changing_count;
    uint64_t in_flight, done;
    int64_t last_ps; /* of all times */
} slow_moment;

static kb_status slow_read(void *user, uint32_t rank, const kb_op *op, bool *inout_usable, kb_trail *trail) {
    (void)user, (void)rank, (void)op, (void)inout_usable, (void)trail;
    return KB_OK;
}

static kb_status slow_issue(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)user, (void)rank, (void)op, (void)trail;
    return KB_OK;
}

/* It began, and is not done. */
static void slow_change(slow_moment *it, const kb_op *op) {
    bool writes = false;
    if (op->start_ps > it->time_ps || kbr_op_impl_of(op->what->kind)->flow == KBR_FLOW_NONE)
        return;
    for (uint32_t i = 0; i < op->what->operand_count; i++) {
        if (op->what->operands[i].access == KB_ACCESS_READ)
            continue;
        writes = true;
        assert_true(it->changing_count < SLOW_CHANGING);
        it->changing[it->changing_count].operand = op->what->operands[i];
        it->changing[it->changing_count++].offset = op->offsets[i];
    }
    it->in_flight += writes;
}

static kb_status slow_execute(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    slow_moment *it = user;
    it->last_ps = op->done_ps > it->last_ps ? op->done_ps : it->last_ps;
    if (op->done_ps > it->time_ps) {
        slow_change(it, op);
        return KB_OK;
    }
    it->done++;
    return kbr_op_execute(&it->pass, rank, op, trail);
}

static kb_status slow_abandon(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)rank, (void)trail;
    slow_change(user, op);
    return KB_OK;
}

static inline void slow_moment_make(slow_moment *it, kb_reader *reader, int64_t time_ps) {
    kb_trail trail;
    kb_trail_init(&trail);
    const kb_alloc *alloc = kb_alloc_heap();
    const kb_defs *defs = kb_reader_defs(reader);
    *it = (slow_moment){.time_ps = time_ps};
    kb_arena_init(&it->arena, alloc, 0);
    void *block;
    check_ok(kb_new(alloc, SLOW_CHANGING * sizeof *it->changing, &block, &trail), &trail);
    it->changing = block;
    check_ok(kbr_regions_init(&it->regions, defs, &it->arena, &trail), &trail);
    check_ok(kbr_findings_init(&it->findings, alloc, &trail), &trail);
    check_ok(kbr_memories_create(defs, alloc, (uint64_t)1 << 32, &it->memories, &trail), &trail);
    kbr_exchange_shared_init(&it->shared, it->memories);
    it->pass = (kbr_pass){.alloc = alloc,
                          .reader = reader,
                          .run = kb_reader_run(reader),
                          .defs = defs,
                          .limit_size = (uint64_t)1 << 32,
                          .exchange = &it->shared.exchange,
                          .regions = &it->regions,
                          .kernels = kbr_kernels_choose(),
                          .findings = &it->findings,
                          .result = &it->result};
    kbr_visitor visitor = {slow_read, slow_issue, slow_execute, slow_abandon, it};
    check_ok(kbr_walk(&it->pass, &visitor, &trail), &trail);
    for (size_t i = 0; i < it->changing_count; i++)
        check_ok(kbr_undefine(&it->pass, &it->changing[i].operand, it->changing[i].offset, &trail), &trail);
}

static inline void slow_moment_fini(slow_moment *it) {
    const kb_alloc *alloc = kb_alloc_heap();
    kbr_pass_fini(&it->pass);
    kbr_memories_destroy(it->memories);
    kbr_findings_fini(&it->findings, alloc);
    kb_delete(alloc, it->changing, SLOW_CHANGING * sizeof *it->changing);
    kb_arena_fini(&it->arena);
}

#endif
