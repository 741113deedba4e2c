/* SPDX-License-Identifier: Apache-2.0 */
/* Does the program come to its end, whatever time does? Executed without time; see lint/timeless.h. */
#include "lint/linting.h"
#include "lint/remedy.h"
#include "lint/stuck.h"

#include <inttypes.h>
#include <stdio.h>

/* The first op of the first circle or end, and how many more there are. */
static kb_status tell(kbs_linting *l) {
    const kbs_standstill *standstill = &l->result->standstill;
    const kbs_waiting *first = &standstill->waiting[0];
    const uint64_t others = standstill->part_count - 1;
    size_t ops = 0;
    char more[64] = "";
    for (size_t i = 0; i < standstill->waiting_count; i++)
        ops += standstill->waiting[i].part == 0;
    if (others > 0)
        snprintf(more, sizeof more, "; and so in %" PRIu64 " place%s more", others, others > 1 ? "s" : "");
    if (first->place == KBS_WAIT_CIRCLE)
        return kbs_lint_find(l, KBS_CHECK_DEADLOCK, false,
                             "this program hangs: %zu ops wait in a circle; in rank %u (%s) %s (%s:%u) %s%s",
                             ops, first->rank, first->pe, first->kind, first->file, first->line,
                             first->reason, more);
    return kbs_lint_find(l, KBS_CHECK_DEADLOCK, false, "this program hangs: in rank %u (%s) %s (%s:%u) %s%s",
                         first->rank, first->pe, first->kind, first->file, first->line, first->reason, more);
}

static kb_status explain(kbs_linting *l, const kbs_timeless *t) {
    kbs_stuck stuck;
    kbs_stuck_init(&stuck, t);
    const kbs_standing standing = kbs_stuck_standing(&stuck);
    const kb_status status =
        kbs_standing_explain(&standing, &l->result->arena, &l->result->standstill, l->trail);
    kbs_stuck_fini(&stuck);
    return status;
}

static kb_status play(kbs_linting *l, kbs_timeless *t) {
    kbs_lint_result *result = l->result;
    KB_TRY(kbs_timeless_play(t, NULL, &result->is_free, l->trail));
    if (result->is_free)
        return KB_OK;
    KB_TRY(explain(l, t));
    KB_TRY(tell(l));
    return l->explains ? kbs_remedy_find(l->program, &result->arena, &result->remedy, l->trail) : KB_OK;
}

kb_status kbs_check_deadlock(kbs_linting *l) {
    kbs_timeless t;
    kb_status status = kbs_timeless_init(&t, l->program, l->trail);
    t.stop = l->program->stop;
    if (status == KB_OK)
        status = play(l, &t);
    kbs_timeless_fini(&t);
    return status;
}
