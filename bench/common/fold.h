/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums that touch every field of a record once, whoever decoded it: equal sums show that a format
 * gave back what was put in. They add, so the order of records does not matter.
 */
#ifndef KB_BENCH_FOLD_H
#define KB_BENCH_FOLD_H

#include "kbtrace/op.h"

typedef struct bench_sum {
    uint64_t records;
    uint64_t numbers; /* of what differs from op to op */
    uint64_t words;   /* of what a template holds */
} bench_sum;

/* Weights tell the fields apart, and cost an address calculation each. */
static inline uint64_t bench_four(uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    return a + 3 * b + 5 * c + 9 * d;
}

static inline uint64_t bench_fold_numbers(uint32_t rank, const kb_op *op) {
    uint64_t sum = bench_four(rank, op->index, (uint64_t)op->issue_ps, (uint64_t)op->start_ps) +
                   bench_four(op->step, op->sequence, (uint64_t)op->sent_ps, (uint64_t)op->done_ps) +
                   bench_four(op->id, op->tile, op->collective, op->value) + op->payload_size;
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        sum += 3 * op->offsets[i];
    for (uint32_t i = 0; i < op->what->claim_count; i++)
        sum += 5 * op->claimed[i];
    for (uint32_t i = 0; i < op->what->why_count; i++)
        sum += bench_four(op->blames[i].rank, (uint64_t)op->blames[i].ps, op->blames[i].resource,
                          op->blames[i].op);
    return sum;
}

static inline uint64_t bench_fold_words(const kb_template *what) {
    uint64_t sum = bench_four(what->kind, what->blocks, what->reached, what->stream) +
                   bench_four(what->engine, what->queue, what->route, what->group) +
                   bench_four(what->func, what->flags, what->step, what->kernel) + what->file + what->line;
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *operand = &what->operands[i];
        sum += bench_four(operand->memory, operand->access, operand->dtype, operand->dims);
        for (uint32_t d = 0; d < operand->dims; d++)
            sum += 3 * operand->shape[d] + 5 * (uint64_t)operand->stride[d];
    }
    for (uint32_t i = 0; i < what->claim_count; i++)
        sum += bench_four(what->claims[i].rank, what->claims[i].role, what->claims[i].point,
                          what->claims[i].set);
    for (uint32_t i = 0; i < what->why_count; i++)
        sum += bench_four(what->whys[i].cause, what->whys[i].resource, what->whys[i].blames, 1);
    return sum;
}

static inline void bench_fold(bench_sum *sum, uint32_t rank, const kb_op *op) {
    sum->records++;
    sum->numbers += bench_fold_numbers(rank, op);
    sum->words += bench_fold_words(op->what);
}

#endif
