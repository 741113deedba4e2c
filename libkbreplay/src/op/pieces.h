/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computing piece by piece: operands in reach that lie in long runs are read and written where they are, as
 * far as each lies in one piece. What lies elsewhere, or in short runs, or where the result would overwrite
 * what is still to be read, is gathered into a buffer first, or scattered from one afterwards.
 */
#ifndef KBREPLAY_SRC_PIECES_H
#define KBREPLAY_SRC_PIECES_H

#include "op/access.h"

/* What an op computes of its operands 1 … to operand 0: unit after unit, each by itself. */
typedef struct kbr_task {
    uint64_t units;
    uint64_t unit_sizes[1 + KBR_MAP_INPUTS]; /* bytes that each unit takes of each operand */
    /* out may be an input of the same unit size. */
    void (*compute)(const void *how, uint8_t *out, const uint8_t *const *inputs, uint64_t units);
    const void *how;
} kbr_task;

/* Uses the pass's buffers of the operands' numbers. */
kb_status kbr_compute(kbr_pass *pass, const kb_op *op, const kbr_task *task, kb_trail *trail) KB_MUST_USE;

#endif
