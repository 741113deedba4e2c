/* SPDX-License-Identifier: Apache-2.0 */
/* Calling each check's slots in the order of the table; see running.h. */
#include "check/running.h"

#include <inttypes.h>

kb_status kbr_running_open(kbr_running *run, kbr_pass *pass, bool all, kb_trail *trail) {
    *run = (kbr_running){.pass = pass};
    for (size_t i = 0; i < kbr_check_count(); i++) {
        const kbr_check_row *row = kbr_check_row_of(i);
        if (!all && !row->always)
            continue;
        run->checks[run->count] = row->check;
        KB_TRY(row->check->open(run->pass, &run->states[run->count], trail));
        run->count++;
    }
    return KB_OK;
}

void kbr_running_close(kbr_running *run) {
    for (size_t i = 0; i < run->count; i++)
        run->checks[i]->close(run->states[i], run->pass->alloc);
}

kb_status kbr_running_finish(kbr_running *run, kb_trail *trail) {
    for (size_t i = 0; i < run->count; i++)
        if (run->checks[i]->finish != NULL)
            KB_TRY(run->checks[i]->finish(run->states[i], trail));
    if (run->unfit_count != 0)
        kbr_pass_unchecked(
            run->pass,
            "%" PRIu64 " op%s that make%s no sense: not executed, and seen by the checks of records alone",
            run->unfit_count, run->unfit_count == 1 ? "" : "s", run->unfit_count == 1 ? "s" : "");
    return KB_OK;
}

kb_status kbr_running_read(kbr_running *run, uint32_t rank, const kb_op *op, bool *ret_usable,
                           kb_trail *trail) {
    kbr_fitness fitness = KBR_FIT;
    for (size_t i = 0; i < run->count; i++) {
        const kbr_check *check = run->checks[i];
        bool sees = fitness == KBR_FIT || (fitness == KBR_UNFIT && check->reads_unfit);
        if (sees && check->read != NULL)
            KB_TRY(check->read(run->states[i], rank, op, &fitness, trail));
    }
    *ret_usable = fitness == KBR_FIT;
    run->unfit_count += fitness != KBR_FIT;
    return KB_OK;
}

kb_status kbr_running_issue(kbr_running *run, uint32_t rank, const kb_op *op, kb_trail *trail) {
    for (size_t i = 0; i < run->count; i++)
        if (run->checks[i]->issue != NULL)
            KB_TRY(run->checks[i]->issue(run->states[i], rank, op, trail));
    return KB_OK;
}

kb_status kbr_running_execute(kbr_running *run, uint32_t rank, const kb_op *op, kb_trail *trail) {
    for (size_t i = 0; i < run->count; i++)
        if (run->checks[i]->execute != NULL)
            KB_TRY(run->checks[i]->execute(run->states[i], rank, op, trail));
    return KB_OK;
}

kb_status kbr_running_touch(const kbr_running *run, kbr_pass *pass, uint32_t rank, const kb_op *op,
                            kb_trail *trail) {
    pass->rank = rank;
    for (size_t i = 0; i < run->count; i++)
        if (run->checks[i]->touch != NULL)
            KB_TRY(run->checks[i]->touch(run->states[i], pass, rank, op, trail));
    return KB_OK;
}

void kbr_running_say_absent(kbr_pass *pass) {
    for (size_t i = 0; i < kbr_check_count(); i++)
        if (!kbr_check_row_of(i)->always)
            kbr_pass_unchecked(pass, "%s: not asked for (--verify)", kbr_check_row_of(i)->name);
}
