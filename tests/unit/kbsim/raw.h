/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs recorded command by command, for tests of what single kinds of op cost:
 *
 *   raw_create(&run);                      after kept_init()
 *   raw_launch(&run);                      in every rank: what follows in PEs' streams is of this launch
 *   raw_add(pe(&run, 0), &(raw_op){...});
 *   raw_simulate(&run);
 */
#ifndef KB_TESTS_RAW_H
#define KB_TESTS_RAW_H

#include "kept.h"
#include "record/view.h"

typedef struct raw_op {
    kb_kind kind;
    uint8_t blocks, point;
    bool numbered;
    uint32_t func, flags, group, awaited, operand_count;
    uint64_t first_awaited, id, value;
    kb_operand operands[KBS_OPERANDS];
    uint64_t offsets[KBS_OPERANDS];
} raw_op;

static inline tl_stream *pe(const kept *run, uint32_t rank) {
    return &run->program->streams[rank];
}

static inline tl_stream *host(const kept *run, uint32_t rank) {
    return &run->program->hosts[rank];
}

static inline void raw_create(kept *run) {
    check_ok(kbs_machine_check(&run->machine, &run->trail), &run->trail);
    check_ok(kbs_program_create(&run->machine, run->ranks, 1, 1, NULL, run->log, &run->program, &run->trail),
             &run->trail);
}

static inline void raw_add(tl_stream *stream, const raw_op *op) {
    kbs_common common;
    kbs_command command = {.id = op->id, .value = op->value, .awaited = op->first_awaited};
    kbs_common_init(stream, &common, op->kind, op->blocks, TL_HERE);
    common.point = op->point;
    common.numbered = op->numbered;
    common.func = op->func;
    common.flags = op->flags;
    common.awaited = op->awaited;
    common.operand_count = (uint16_t)op->operand_count;
    if (op->kind == KB_OP_BARRIER || op->kind == KB_OP_LAUNCH)
        common.group = op->group;
    const uint32_t own = kbs_host_memory(stream->program, stream->rank);
    if (op->kind == KB_OP_HOST_WRITE)
        common.route = kbs_route_between(stream, own, op->operands[0].memory, TL_HERE);
    if (op->kind == KB_OP_HOST_READ)
        common.route = kbs_route_between(stream, op->operands[0].memory, own, TL_HERE);
    memcpy(common.operands, op->operands, sizeof common.operands);
    memcpy(command.offsets, op->offsets, sizeof command.offsets);
    kbs_append_command(stream, &common, &command);
    assert_int_equal(stream->program->status, KB_OK);
}

static inline void raw_launch(kept *run) {
    const uint64_t id = run->program->launch_count++;
    kbs_common mark;
    memset(&mark, 0, sizeof mark);
    mark.kind = KBS_BEGIN_LAUNCH;
    for (uint32_t rank = 0; rank < run->ranks; rank++) {
        raw_add(host(run, rank),
                &(raw_op){
                    .kind = KB_OP_LAUNCH, .blocks = KB_BLOCKS_DONE, .group = run->program->group, .id = id});
        kbs_append_command(pe(run, rank), &mark, &(kbs_command){.id = id});
    }
}

static inline void raw_simulate(kept *run) {
    check_ok(kbs_program_seal(run->program, &run->trail), &run->trail);
    check_ok(kept_simulate(run), &run->trail);
}

/* A matrix, or with rows 0 a vector, at the beginning of a memory of rank 0. */
static inline kb_operand raw_operand(const kept *run, uint32_t space, uint8_t access, uint8_t dtype,
                                     uint64_t rows, uint64_t columns) {
    const uint32_t memory = kbs_memory_of(run->program, space, 0);
    kb_operand operand = kb_operand_vector(memory, access, dtype, columns);
    if (rows == 0)
        return operand;
    operand.dims = 2;
    operand.shape[0] = rows;
    operand.shape[1] = columns;
    operand.stride[0] = (int64_t)columns;
    operand.stride[1] = 1;
    return operand;
}

/* The op number `which` of a kind in a rank. */
static inline const kb_op *raw_find(const kept *run, uint32_t rank, uint32_t kind, uint64_t which) {
    for (uint64_t i = 0; i < run->counts[rank]; i++)
        if (run->ops[rank][i].what->kind == kind && which-- == 0)
            return &run->ops[rank][i];
    fail_msg("rank %u has no such op of kind %u", rank, kind);
    return NULL;
}

static inline int64_t raw_why(const kb_op *op, uint32_t cause) {
    int64_t sum_ps = 0;
    for (uint32_t i = 0; i < op->what->why_count; i++)
        sum_ps += op->what->whys[i].cause == cause ? op->blames[i].ps : 0;
    return sum_ps;
}

#endif
