/* SPDX-License-Identifier: Apache-2.0 */
/* Circles of waiting ops, and what would break them; see deadlock.h. */
#include "run/deadlock.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "op/kind.h"
#include "run/timeless.h"

enum { MOST_BEHIND = 8 }; /* of those who only wait behind a circle, so many are told */

/* An op that was met, and on which walk; or, said already, as part of what all others wait for. */
typedef struct met {
    const kbs_op *op;
    uint32_t walk;
} met;
#define SAID UINT32_MAX

typedef struct telling {
    const kbs_sim *sim;
    void *text;
    size_t size, capacity;
    met *table; /* hash of the ops */
    size_t places;
    kb_trail *trail;
} telling;

/* --- lines ----------------------------------------------------------------------------------- */

static kb_status add(telling *to, const char *format, ...) KB_PRINTF(2, 3);

static kb_status add(telling *to, const char *format, ...) {
    char line[768];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (length >= (int)sizeof line)
        length = (int)sizeof line - 1;
    const size_t size = length > 0 ? (size_t)length : 0;
    KB_TRY(kb_grow(to->sim->program->alloc, 1, to->size + size + 2, &to->capacity, &to->text, to->trail));
    memcpy((char *)to->text + to->size, line, size);
    memcpy((char *)to->text + to->size + size, "\n", 2);
    to->size += size + 1;
    return KB_OK;
}

static void reason_of(const kbs_op *op, kbs_reason *ret) {
    const kbs_kind *kind = kbs_kind_of(op->shape->common.kind);
    memset(ret, 0, sizeof *ret);
    if (kind->explain != NULL)
        kind->explain(op->pe, op, ret);
    else
        snprintf(ret->text, sizeof ret->text, "is not done");
}

static kb_status add_op(telling *to, const kbs_op *op) {
    const kbs_program *program = to->sim->program;
    const kbs_common *common = &op->shape->common;
    char step[96] = "", name[KBS_PE_NAME_CHARS] = "host";
    kbs_reason reason;
    reason_of(op, &reason);
    if (!op->pe->is_host)
        kbs_pe_name(program->machine, op->rank, name);
    if (common->step != KB_NONE)
        snprintf(step, sizeof step, ", %s %" PRIu64, kb_defs_text(&program->defs, common->step),
                 op->record.step);
    return add(to, "  rank %u (%s): %s #%" PRIu64 " (%s:%u%s) %s", op->rank, name,
               kb_word_name(KB_VOC_KIND, common->kind), op->record.index,
               kb_defs_text(&program->defs, common->file), common->line, step, reason.text);
}

/* --- who waits for whom ---------------------------------------------------------------------- */

/* What a stream stands at, or NULL where it has nothing left to do. */
static const kbs_op *stands_at(const kbs_pe *pe) {
    if (pe->blocked_on != NULL)
        return pe->blocked_on;
    if (pe->refused != NULL)
        return pe->refused;
    const kbs_op *op = pe->sim->ranks[pe->rank].first;
    while (op != NULL && (op->finished || op->pe != pe))
        op = op->next;
    return op;
}

/* What holds a stream up: a PE that is done with its launches so far, what its host stands at. */
static const kbs_op *held_by(const kbs_pe *pe) {
    const kbs_op *op = stands_at(pe);
    return op == NULL && pe->resting ? stands_at(&pe->sim->hosts[pe->rank]) : op;
}

/* The op that must go on before this one; NULL where there is none. */
static const kbs_op *awaited_by(const kbs_op *op) {
    kbs_reason reason;
    reason_of(op, &reason);
    if (reason.op != NULL)
        return reason.op;
    return reason.on != NULL ? held_by(reason.on) : NULL;
}

static met *find(const telling *to, const kbs_op *op) {
    const uint64_t key = (uint64_t)op->rank << 40U ^ op->record.index;
    size_t place = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 20U) & (to->places - 1);
    while (to->table[place].op != NULL && to->table[place].op != op)
        place = (place + 1) & (to->places - 1);
    return &to->table[place];
}

static kb_status init_table(telling *to) {
    uint64_t unfinished = 0;
    for (uint32_t i = 0; i < 2 * to->sim->program->ranks; i++)
        unfinished += to->sim->pes[i].unfinished;
    to->places = 16;
    while (to->places < 2 * unfinished)
        to->places *= 2;
    void *memory;
    KB_TRY(kb_new_zeroed(to->sim->program->alloc, to->places * sizeof(met), &memory, to->trail));
    to->table = memory;
    return KB_OK;
}

/* --- telling --------------------------------------------------------------------------------- */

/* A circle, from the op with the lowest rank in it on. */
static kb_status tell_circle(telling *to, const kbs_op *in) {
    const kbs_op *first = in;
    for (const kbs_op *op = awaited_by(in); op != in; op = awaited_by(op))
        if (op->rank < first->rank || (op->rank == first->rank && op->record.index < first->record.index))
            first = op;
    KB_TRY(add(to, "these wait for one another, each for the next:"));
    const kbs_op *op = first;
    do {
        KB_TRY(add_op(to, op));
        find(to, op)->walk = SAID;
        op = awaited_by(op);
    } while (op != first);
    return add(to, "  and so back to rank %u", first->rank);
}

/* An op whose wait nobody will end: nobody brings what it waits for, or who would has ended. */
static kb_status tell_end(telling *to, const kbs_op *op) {
    kbs_reason reason;
    reason_of(op, &reason);
    KB_TRY(add(to, "this waits for what never comes:"));
    KB_TRY(add_op(to, op));
    find(to, op)->walk = SAID;
    if (reason.on == NULL)
        return KB_OK;
    return add(to, "  and the %s of rank %u has nothing left to do", reason.on->is_host ? "host" : "program",
               reason.on->rank);
}

/* Follows the waiting from a stream on; tells what is met for the first time at its end. */
static kb_status walk(telling *to, const kbs_pe *pe, uint32_t number) {
    const kbs_op *op = stands_at(pe), *last = NULL;
    while (op != NULL) {
        met *place = find(to, op);
        if (place->op != NULL)
            return place->walk == number ? tell_circle(to, op) : KB_OK;
        *place = (met){op, number};
        last = op;
        op = awaited_by(op);
    }
    return last != NULL ? tell_end(to, last) : KB_OK;
}

/* A host that only waits for what it launched says nothing. */
static bool is_behind(const telling *to, const kbs_pe *pe) {
    const kbs_op *op = stands_at(pe);
    if (op == NULL || find(to, op)->walk == SAID)
        return false;
    return !pe->is_host || (op->record.sent_ps == KBS_UNKNOWN && op->shape->common.kind != KB_OP_WAIT);
}

static kb_status tell_behind(telling *to) {
    const uint32_t streams = 2 * to->sim->program->ranks;
    uint32_t count = 0, told = 0;
    for (uint32_t i = 0; i < streams; i++)
        count += is_behind(to, &to->sim->pes[i]);
    if (count == 0)
        return KB_OK;
    KB_TRY(add(to, "behind %s wait%s:", "them", count == 1 ? "s" : ""));
    for (uint32_t i = 0; i < streams && told < MOST_BEHIND; i++)
        if (is_behind(to, &to->sim->pes[i])) {
            KB_TRY(add_op(to, stands_at(&to->sim->pes[i])));
            told++;
        }
    return count > told ? add(to, "  and %u more", count - told) : KB_OK;
}

static kb_status tell_remedy(telling *to) {
    const kbs_program *program = to->sim->program;
    uint64_t slots;
    KB_TRY(kbs_timeless_slots(program, &slots, to->trail));
    if (slots == 0)
        return add(to,
                   "no number of slots lets this program end: its order of sends and receives must change");
    return add(to,
               "%" PRIu64 " slots in every ring let it end (--set ipcq.slots=%" PRIu64 "), and no fewer do",
               slots, slots);
}

kb_status kbs_explain_deadlock(const kbs_sim *sim, char **ret_text, kb_trail *trail) {
    const kb_alloc *alloc = sim->program->alloc;
    telling to = {.sim = sim, .trail = trail};
    kb_status status = init_table(&to);
    for (uint32_t i = 0; i < 2 * sim->program->ranks && status == KB_OK; i++)
        status = walk(&to, &sim->pes[i], i);
    if (status == KB_OK)
        status = tell_behind(&to);
    if (status == KB_OK)
        status = tell_remedy(&to);
    kb_delete(alloc, to.table, to.places * sizeof(met));
    /* The caller frees a text by its length: give back what grew beyond it. */
    if (status == KB_OK)
        status = kb_resize(alloc, to.capacity, to.size + 1, &to.text, trail);
    if (status != KB_OK) {
        kb_delete(alloc, to.text, to.capacity);
        return status;
    }
    *ret_text = to.text;
    return KB_OK;
}
