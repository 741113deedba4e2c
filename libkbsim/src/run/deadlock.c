/* SPDX-License-Identifier: Apache-2.0 */
/* A deadlock in words: what each PE that cannot go on waits for, with queue, slot and source line. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "op/kind.h"
#include "run/simulate.h"

/* Lines that grow. */
typedef struct lines {
    const kb_alloc *alloc;
    void *text;
    size_t size, capacity;
    kb_trail *trail;
} lines;

static kb_status add(lines *to, const char *format, ...) KB_PRINTF(2, 3);

static kb_status add(lines *to, const char *format, ...) {
    char line[768];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line)
        length = (int)sizeof line - 1;
    const size_t size = length > 0 ? (size_t)length : 0;
    KB_TRY(kb_grow(to->alloc, 1, to->size + size + 2, &to->capacity, &to->text, to->trail));
    memcpy((char *)to->text + to->size, line, size);
    memcpy((char *)to->text + to->size + size, "\n", 2);
    to->size += size + 1;
    return KB_OK;
}

static kb_status explain_op(lines *to, const kbs_pe *pe, const kbs_op *op) {
    const kbs_kind *kind = kbs_kind_of(op->shape->common.kind);
    const kb_defs *defs = &pe->sim->program->defs;
    const kbs_common *common = &op->shape->common;
    char why[512] = "is not done", step[96] = "", name[KBS_PE_NAME_CHARS];
    if (kind->explain != NULL)
        kind->explain(pe, op, why, sizeof why);
    if (common->step != KB_NONE)
        snprintf(step, sizeof step, ", %s %" PRIu64, kb_defs_text(defs, common->step), op->step);
    return add(to, "rank %u (%s): %s #%" PRIu64 " (%s:%u%s) %s", pe->rank,
               kbs_pe_name(pe->sim->program->machine, pe->rank, name),
               kb_word_name(KB_VOC_KIND, common->kind), op->index, kb_defs_text(defs, common->file),
               common->line, step, why);
}

static kb_status explain_pe(lines *to, const kbs_pe *pe) {
    for (const kbs_op *op = pe->sim->ranks[pe->rank].first; op != NULL; op = op->next)
        if (!op->finished)
            KB_TRY(explain_op(to, pe, op));
    if (pe->finished || pe->sim->ranks[pe->rank].first != NULL)
        return KB_OK;
    return add(to, "rank %u: its sequencer stands still", pe->rank);
}

kb_status kbs_explain_deadlock(const kbs_sim *sim, char **ret_text, kb_trail *trail) {
    lines to = {.alloc = sim->program->alloc, .trail = trail};
    kb_status status = add(&to, "each of these waits for another:");
    for (uint32_t rank = 0; rank < sim->program->ranks && status == KB_OK; rank++)
        status = explain_pe(&to, &sim->pes[rank]);
    /* The caller frees a text by its length: give back what grew beyond it. */
    if (status == KB_OK)
        status = kb_resize(to.alloc, to.capacity, to.size + 1, &to.text, trail);
    if (status != KB_OK) {
        kb_delete(to.alloc, to.text, to.capacity);
        return status;
    }
    *ret_text = to.text;
    return KB_OK;
}
