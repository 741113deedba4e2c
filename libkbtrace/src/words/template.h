/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates at work: their fields, the prediction of these, and a table that finds equal ones.
 *
 * The numbers that differ between the ops of a template form a vector of 64-bit fields, in this
 * order: the four times, six scalars, the payload's size, then offsets, claims, and why-items.
 * docs/trace-format.md defines each field and the one rule that predicts all of them.
 */
#ifndef KBTRACE_SRC_TEMPLATE_H
#define KBTRACE_SRC_TEMPLATE_H

#include "kbtrace/defs.h"

enum kb_fixed_field {
    KB_FIX_GAP,
    KB_FIX_START,
    KB_FIX_SENT,
    KB_FIX_DONE,
    KB_FIX_STEP,
    KB_FIX_SEQUENCE,
    KB_FIX_ID,
    KB_FIX_TILE,
    KB_FIX_COLLECTIVE,
    KB_FIX_VALUE,
    KB_FIX_PAYLOAD,
    KB_FIX_COUNT
};

/* Residuals stand in one column a class; the first four fields are a class each. */
enum kb_class {
    KB_CLASS_GAP,
    KB_CLASS_START,
    KB_CLASS_SENT,
    KB_CLASS_DONE,
    KB_CLASS_PLACE,
    KB_CLASS_CLAIM,
    KB_CLASS_WHY,
    KB_CLASS_COUNT
};

typedef struct kb_layout {
    uint32_t count;                                /* fields in all */
    uint32_t first_offset, first_claim, first_why; /* of their groups */
    uint32_t words;                                /* masks of 64 fields */
} kb_layout;

kb_layout kb_template_layout(const kb_template *what);

/*
 * The why-item that takes what the others leave: the first that blames an op, for waiting is what
 * differs from op to op; the last where none does.
 */
uint32_t kb_template_rest(const kb_template *what);

static inline enum kb_class kb_field_class(const kb_layout *layout, uint32_t field) {
    if (field < KB_FIX_STEP)
        return (enum kb_class)field;
    if (field < layout->first_claim)
        return KB_CLASS_PLACE;
    return field < layout->first_why ? KB_CLASS_CLAIM : KB_CLASS_WHY;
}

/* When an op lets its stream go on: the next gap of that stream counts from there. */
int64_t kb_op_resume_ps(const kb_op *op);

/* Checks that a template is well-formed in itself; `what` names it in the message. */
kb_status kb_template_check(const kb_template *what, kb_trail *trail) KB_MUST_USE;

bool kb_template_equal(const kb_template *a, const kb_template *b);
uint64_t kb_template_hash(const kb_template *what);
kb_status kb_template_copy(const kb_template *what, kb_arena *arena, kb_template *ret_copy,
                           kb_trail *trail) KB_MUST_USE;

/* XXH3-128 of the canonical bytes: every field but file and line; texts by themselves, not by id. */
kb_status kb_template_digest(const kb_template *what, const kb_defs *defs, kb_digest *ret_digest,
                             kb_trail *trail) KB_MUST_USE;

#endif
