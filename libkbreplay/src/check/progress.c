/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: every op can run. The walk itself finds what cannot, and why; this row gives it its place
 * among the checks.
 */
#include "check/check.h"

static kb_status open_progress(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    (void)trail;
    *ret_state = pass;
    return KB_OK;
}

static void close_progress(void *state, const kb_alloc *alloc) {
    (void)state, (void)alloc;
}

const kbr_check kbr_check_progress = {.open = open_progress, .close = close_progress};
