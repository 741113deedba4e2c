/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of one pass, open: every slot of check.h for all of them. */
#ifndef KBREPLAY_SRC_RUNNING_H
#define KBREPLAY_SRC_RUNNING_H

#include "check/check.h"

typedef struct kbr_running {
    kbr_pass *pass; /* the walk's */
    const kbr_check *checks[KBR_CHECKS_MAX];
    void *states[KBR_CHECKS_MAX];
    size_t count;
    uint64_t unfit_count; /* ops that are not executed */
} kbr_running;

/* All rows, or those that always run. To be closed even where it fails. */
kb_status kbr_running_open(kbr_running *run, kbr_pass *pass, bool all, kb_trail *trail) KB_MUST_USE;
void kbr_running_close(kbr_running *run);
/* Says which rows a pass leaves unchecked that runs only those which always run. */
void kbr_running_say_absent(kbr_pass *pass);
kb_status kbr_running_finish(kbr_running *run, kb_trail *trail) KB_MUST_USE;

/* *ret_usable: the op may be executed. */
kb_status kbr_running_read(kbr_running *run, uint32_t rank, const kb_op *op, bool *ret_usable,
                           kb_trail *trail) KB_MUST_USE;
kb_status kbr_running_issue(kbr_running *run, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
kb_status kbr_running_execute(kbr_running *run, uint32_t rank, const kb_op *op, kb_trail *trail) KB_MUST_USE;
/* With the pass of whoever executes the op. */
kb_status kbr_running_touch(const kbr_running *run, kbr_pass *pass, uint32_t rank, const kb_op *op,
                            kb_trail *trail) KB_MUST_USE;

#endif
