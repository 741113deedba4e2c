/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strange-trace NAME OUT: a sound trace with one thing in it that this build does not know, or cannot
 * execute, as a later one might write it. Without arguments it lists the names.
 */
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/made.h"

enum { ELEMENTS = 16, X_AT = 0, Y_AT = 0x100, LATER = 99 };

/* y = -x in TCM: what is made strange. */
static made_op *negate(made_trace *it) {
    made_op *op = made_add(it, PE(0), KB_OP_MATH, KB_BLOCKS_DONE);
    op->what.func = KB_FUNC_NEG;
    made_touch(op, TCM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, Y_AT, ELEMENTS);
    made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, X_AT, ELEMENTS);
    return op;
}

static void kind(made_trace *it) {
    made_op *op = made_add(it, PE(0), KB_OP_DMA_WRITE, KB_BLOCKS_DONE);
    op->what.kind = LATER;
    made_touch(op, HBM(0), KB_ACCESS_WRITE, KB_DTYPE_F16, X_AT, ELEMENTS);
    made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, X_AT, ELEMENTS);
}

static void func(made_trace *it) {
    negate(it)->what.func = LATER;
}

/* Numbers of eight bits are reserved: they can be moved, and not computed with. */
static void dtype(made_trace *it) {
    made_op *op = negate(it);
    op->operands[0].dtype = op->operands[1].dtype = KB_DTYPE_F8E4M3;
}

static void float_only(made_trace *it) {
    made_op *op = negate(it);
    op->what.func = KB_FUNC_EXP;
    op->operands[0].dtype = op->operands[1].dtype = KB_DTYPE_I32;
}

static void map(made_trace *it) {
    made_op *op = made_add(it, HOST(0), KB_OP_MAP, KB_BLOCKS_DONE);
    made_touch(op, HBM(0), KB_ACCESS_READ, KB_DTYPE_BYTES, X_AT, ELEMENTS);
}

static void recipe(made_trace *it) {
    const kb_initial row = {.memory = SRAM(0), .dtype = KB_DTYPE_F16, .recipe = LATER, .elements = ELEMENTS};
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    check_ok(kb_defs_add_initial(&it->defs, &row, &id, &trail), &trail);
    negate(it);
}

static void collective(made_trace *it) {
    const kb_part part = {.rank = 0,
                          .stream = PE(0),
                          .input = TCM(0),
                          .output = TCM(0),
                          .input_count = ELEMENTS,
                          .output_count = ELEMENTS};
    const kb_collective row = {.kind = LATER,
                               .reduce = KB_REDUCE_SUM,
                               .dtype = KB_DTYPE_F16,
                               .elements = ELEMENTS,
                               .root = KB_NONE,
                               .algorithm = KB_NONE,
                               .parts = &part,
                               .part_count = 1};
    kb_trail trail;
    kb_trail_init(&trail);
    uint32_t id;
    check_ok(kb_defs_add_collective(&it->defs, &row, &id, &trail), &trail);
    for (uint32_t i = 0; i < 2; i++) {
        made_op *op = made_add(it, PE(0), i == 0 ? KB_OP_COLL_BEGIN : KB_OP_COLL_END, KB_BLOCKS_DONE);
        made_touch(op, TCM(0), KB_ACCESS_READ, KB_DTYPE_F16, X_AT, ELEMENTS);
        op->op.collective = 1;
        op->cost_ps = 0;
    }
}

static const struct {
    const char *name;
    void (*make)(made_trace *it);
} strange[] = {{"kind", kind}, {"func", func},     {"dtype", dtype},          {"float-only", float_only},
               {"map", map},   {"recipe", recipe}, {"collective", collective}};

int main(int argc, char **argv) {
    static made_trace it;
    for (size_t i = 0; argc == 1 && i < sizeof strange / sizeof *strange; i++)
        puts(strange[i].name);
    for (size_t i = 0; argc == 3 && i < sizeof strange / sizeof *strange; i++) {
        if (strcmp(strange[i].name, argv[1]) != 0)
            continue;
        made_init(&it, 1);
        made_initial(&it, TCM(0), KB_DTYPE_F16, X_AT, ELEMENTS, 1);
        made_launch(&it, 0, 0);
        strange[i].make(&it);
        made_write(&it, NULL, argv[2]);
        made_fini(&it);
        return 0;
    }
    return argc == 1 ? 0 : 2;
}
