/* SPDX-License-Identifier: Apache-2.0 */
/* The unfinished ops of a simulation as nodes of lint/standing.h, by their addresses; see deadlock.h. */
#include "run/deadlock.h"

#include <string.h>

#include "lint/remedy.h"
#include "lint/standing.h"
#include "op/kind.h"

static uint64_t node_of(const kbs_op *op) {
    return op != NULL ? (uint64_t)(uintptr_t)op : KBS_NOWHERE;
}

/* What a stream stands at, or NULL where it has nothing left to do. */
static const kbs_op *op_of(const kbs_pe *pe) {
    if (pe->blocked_on != NULL)
        return pe->blocked_on;
    if (pe->refused != NULL)
        return pe->refused;
    const kbs_op *op = pe->sim->ranks[pe->rank].first;
    while (op != NULL && (op->finished || op->pe != pe))
        op = op->next;
    return op;
}

static kb_status stands_at(void *context, uint32_t stream, uint64_t *ret, kb_trail *trail) {
    const kbs_sim *sim = context;
    (void)trail;
    *ret = node_of(op_of(&sim->pes[stream])); /* hosts lie behind the PEs */
    return KB_OK;
}

/* The stream must go on: that which holds it up. A PE that is done with its launches so far has its host. */
static void goes_by(const kbs_pe *pe, kbs_stand *stand) {
    const kbs_op *op = op_of(pe);
    if (op == NULL && pe->resting)
        op = op_of(&pe->sim->hosts[pe->rank]);
    stand->next = node_of(op);
    stand->end = op == NULL ? pe->stream : NULL;
}

static kb_status look(void *context, uint64_t node, kbs_stand *ret, kb_trail *trail) {
    const kbs_op *op = (const kbs_op *)(uintptr_t)node;
    const kbs_kind *kind = kbs_kind_of(op->shape->common.kind);
    kbs_reason reason;
    (void)context, (void)trail;
    memset(&reason, 0, sizeof reason);
    if (kind->explain != NULL)
        kind->explain(op->pe, op, &reason);
    else
        kbs_words_plain(&reason.words, "is not done");
    ret->common = &op->shape->common;
    ret->stream = op->pe->stream;
    ret->has_number = true;
    ret->number = ret->order = op->record.index;
    ret->is_quiet =
        op->pe->is_host && (op->record.sent_ps != KBS_UNKNOWN || op->shape->common.kind == KB_OP_WAIT);
    ret->step = op->record.step;
    ret->words = reason.words;
    if (reason.op != NULL)
        ret->next = node_of(reason.op);
    else if (reason.on != NULL)
        goes_by(reason.on, ret);
    return KB_OK;
}

/* Both texts as one, on the heap. */
static kb_status join(const kbs_sim *sim, const char *one, const char *other, char **ret, kb_trail *trail) {
    const size_t first = strlen(one), second = strlen(other);
    void *memory;
    KB_TRY(kb_new(sim->program->alloc, first + second + 1, &memory, trail));
    memcpy(memory, one, first);
    memcpy((char *)memory + first, other, second + 1);
    *ret = memory;
    return KB_OK;
}

static kb_status explain(const kbs_sim *sim, kb_arena *arena, char **ret, kb_trail *trail) {
    /* what `stands_at` and `look` are given is not written to */
    const kbs_standing standing = {sim->program, (void *)(uintptr_t)sim, stands_at, look};
    kbs_standstill standstill;
    kbs_remedy remedy;
    const char *circles, *sizes;
    KB_TRY(kbs_standing_explain(&standing, arena, &standstill, trail));
    KB_TRY(kbs_standstill_text(&standstill, arena, &circles, trail));
    KB_TRY(kbs_remedy_find(sim->program, arena, &remedy, trail));
    KB_TRY(kbs_remedy_text(&remedy, arena, &sizes, trail));
    return join(sim, circles, sizes, ret, trail);
}

kb_status kbs_explain_deadlock(const kbs_sim *sim, char **ret_text, kb_trail *trail) {
    kb_arena arena;
    kb_arena_init(&arena, sim->program->alloc, 0);
    const kb_status status = explain(sim, &arena, ret_text, trail);
    kb_arena_fini(&arena);
    return status;
}
