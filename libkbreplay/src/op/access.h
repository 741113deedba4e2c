/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operands: their bytes gathered from memory in the order of their elements, and scattered back.
 *
 * The only door between ops and memory, for checks of bytes too. What lies out of reach of the op's
 * rank goes through the exchange.
 */
#ifndef KBREPLAY_SRC_ACCESS_H
#define KBREPLAY_SRC_ACCESS_H

#include "op/op.h"

/* The contiguous runs of a view, first to last. */
typedef struct kbr_runs {
    uint64_t index[KB_DIMS_MAX], shape[KB_DIMS_MAX];
    int64_t step[KB_DIMS_MAX]; /* bytes */
    unsigned dims;
    uint64_t offset, run_size; /* bytes */
    bool ended;
} kbr_runs;

void kbr_runs_init(kbr_runs *runs, const kb_operand *operand, uint64_t offset);
/* False after the last. */
bool kbr_runs_next(kbr_runs *runs, uint64_t *ret_offset, uint64_t *ret_size);

/* Bytes of all elements; UINT64_MAX where they are too many to count. */
uint64_t kbr_operand_size(const kb_operand *operand);

/* `bits` (may be NULL) gets or gives the definedness of each byte; see memory.h. */
kb_status kbr_gather(kbr_pass *pass, const kb_operand *operand, uint64_t offset, uint8_t *bytes,
                     uint8_t *bits, kb_trail *trail) KB_MUST_USE;
kb_status kbr_scatter(kbr_pass *pass, const kb_operand *operand, uint64_t offset, const uint8_t *bytes,
                      const uint8_t *bits, kb_trail *trail) KB_MUST_USE;
kb_status kbr_undefine(kbr_pass *pass, const kb_operand *operand, uint64_t offset,
                       kb_trail *trail) KB_MUST_USE;

/* The first byte of the view, by the order of its elements, that is undefined, as an offset in its memory. */
kb_status kbr_find_undefined(kbr_pass *pass, const kb_operand *operand, uint64_t offset, bool *ret_found,
                             uint64_t *ret_at, kb_trail *trail) KB_MUST_USE;

/* The first element, where all of the view can be read in place, from first byte to last; or NULL. */
kb_status kbr_view_in_place(kbr_pass *pass, const kb_operand *view, uint64_t offset,
                            const uint8_t **ret_first, kb_trail *trail) KB_MUST_USE;

/* May two operands have a byte in common? Said of all whose first and last bytes lie across one another. */
bool kbr_operands_meet(const kb_op *op, uint32_t a, uint32_t b);

/* Do the first two operands hold as many bytes? */
bool kbr_move_fits(const kb_op *op, char words[KBR_MISFIT_CHARS]);
/* The second operand's bytes into the first, definedness included. */
kb_status kbr_move(kbr_pass *pass, const kb_op *op, kb_trail *trail) KB_MUST_USE;

#endif
