/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A check: one file, one row of checks.def, one of these.
 *
 * A check looks at a pass and reports findings; it changes nothing that another could see. Any slot
 * but `open` and `close` may be NULL. A status other than KB_OK stops the replay: it is for a replay
 * that cannot go on, never for a trace that is wrong.
 */
#ifndef KBREPLAY_SRC_CHECK_H
#define KBREPLAY_SRC_CHECK_H

#include "pass.h"

typedef enum kbr_fitness {
    KBR_FIT,
    KBR_UNFIT,  /* its operands make no sense; times, ids and claims do */
    KBR_UNKNOWN /* no row may look at it */
} kbr_fitness;

typedef struct kbr_check {
    kb_status (*open)(kbr_pass *pass, void **ret_state, kb_trail *trail);
    /*
     * Each op of each rank in the order of its number, before it may run. A check that finds it not fit
     * to be executed says so in *inout_fitness; it does nothing then.
     */
    kb_status (*read)(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                      kb_trail *trail);
    bool reads_unfit; /* sees an op that earlier rows found unfit, too: it asks for no operands */
    /* Each op in the order of its stream, when all it claims at its issue has run. */
    kb_status (*issue)(void *state, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* Each op in the order of dataflow, when all it claims has run. Bytes may come later: see touch. */
    kb_status (*execute)(void *state, uint32_t rank, const kb_op *op, kb_trail *trail);
    /*
     * Each op that touches data, where it runs, before it does: for what must see bytes. `pass` is that of
     * whoever runs it, and everything is asked of it and told to it: other threads may be in here for other
     * ops. Ops come in the order of the walk for each rank whose memory they touch, for their own rank, and
     * for their collective; so what a check keeps for one of these needs no lock. The op's claims and
     * why-items may be left out.
     */
    kb_status (*touch)(void *state, kbr_pass *pass, uint32_t rank, const kb_op *op, kb_trail *trail);
    /* After the last op. */
    kb_status (*finish)(void *state, kb_trail *trail);
    void (*close)(void *state, const kb_alloc *alloc);
} kbr_check;

#define KBR_CHECK(name, always, help) extern const kbr_check kbr_check_##name;
#include "check/checks.def"
#undef KBR_CHECK

typedef struct kbr_check_row {
    const char *name, *help;
    bool always;
    const kbr_check *check;
} kbr_check_row;

#define KBR_CHECKS_MAX 32u

/* The row of a number below kbr_check_count(). */
const kbr_check_row *kbr_check_row_of(size_t number);
/* The row's number; kbr_check_count() for a name without a row. */
size_t kbr_check_number(const char *name);

#endif
