/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each kind of op does to memory: one file a kind, one of these in it.
 *
 * An op is executed whole, when everything it claims has run. It reads all its operands before it
 * writes any. Operands have been checked: they lie inside their memories, and their number and
 * access are those of the kind.
 */
#ifndef KBREPLAY_SRC_OP_H
#define KBREPLAY_SRC_OP_H

#include "pass.h"

/* How bytes pass through an op: what init and the search for a culprit need to know of a kind. */
typedef enum kbr_flow {
    KBR_FLOW_NONE,    /* touches no data; operands only name what it is about */
    KBR_FLOW_MOVE,    /* byte i of the first operand is byte i of the second */
    KBR_FLOW_MAP,     /* element i of the first operand comes of element i of the others */
    KBR_FLOW_MIX,     /* all of the written comes of all of the read */
    KBR_FLOW_USE,     /* reads, and depends on it */
    KBR_FLOW_MAKE,    /* writes bytes that the trace carries */
    KBR_FLOW_UNDEFINE /* leaves its operands undefined */
} kbr_flow;

/* Which of its operands must lie in a memory of the PE whose stream it is of. */
typedef enum kbr_reach {
    KBR_REACH_ANY,   /* none */
    KBR_REACH_TO,    /* the first, which it writes */
    KBR_REACH_FROM,  /* all that it reads */
    KBR_REACH_ENGINE /* all, and in its TCM; or in a slot of a queue, wherever its ring lies */
} kbr_reach;

enum { KBR_MISFIT_CHARS = 160 };

typedef struct kbr_op_impl {
    kbr_flow flow;
    bool joins; /* waits until each rank of its group has issued one of the same id */
    kbr_reach reach;
    /* NULL: `flow` holds for every op of the kind. */
    kbr_flow (*flow_of)(const kb_template *what);
    /*
     * Do number, shapes and dtypes of its operands go together? If not, says why in `words`. Their access
     * and memories have been checked. NULL: any do.
     */
    bool (*fits)(const kb_op *op, char words[KBR_MISFIT_CHARS]);
    /* NULL: memory stays as it is. */
    kb_status (*execute)(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail);
} kbr_op_impl;

#define KB_OP(NAME, name, wire, family, roles, id, help) extern const kbr_op_impl kbr_op_##name;
#include "kbtrace/ops.def"
#undef KB_OP

/* NULL where this build knows no such kind. */
const kbr_op_impl *kbr_op_impl_of(uint32_t kind);
kbr_flow kbr_op_flow(const kb_template *what);

/* Does what the op does to memory, as its rank's. */
kb_status kbr_op_execute(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* Does it change bytes? */
bool kbr_op_writes(const kb_op *op);
/* What an op writes that began and was not done is undefined. */
kb_status kbr_op_abandon(kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;

/* The refusal of what this build cannot execute: `what` completes "… is not executed by this build". */
kb_status kbr_op_unsupported(const kbr_pass *pass, uint32_t rank, const kb_op *op, const char *what,
                             kb_trail *trail);

#endif
