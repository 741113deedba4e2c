/* SPDX-License-Identifier: Apache-2.0 */
/* From an op of the simulation to a record of the trace; see outbox.h. */
#include "run/outbox.h"

#include <assert.h>
#include <string.h>

static kb_status grow(kbs_sim *sim, const kbs_op *op) {
    const kb_alloc *alloc = sim->program->alloc;
    kbs_scratch *scratch = &sim->scratch;
    const size_t notes = op->note_count + 2; /* a pending op has up to two more */
    if (notes <= scratch->blame_capacity && op->claim_count <= scratch->claimed_capacity)
        return KB_OK;
    void *whys = scratch->whys, *blames = scratch->blames, *claims = scratch->claims,
         *claimed = scratch->claimed;
    KB_TRY(kb_grow(alloc, sizeof(kb_why), notes, &scratch->why_capacity, &whys, &sim->trail));
    scratch->whys = whys;
    KB_TRY(kb_grow(alloc, sizeof(kb_blame), notes, &scratch->blame_capacity, &blames, &sim->trail));
    scratch->blames = blames;
    KB_TRY(kb_grow(alloc, sizeof(kb_claim), op->claim_count, &scratch->claim_capacity, &claims, &sim->trail));
    scratch->claims = claims;
    KB_TRY(
        kb_grow(alloc, sizeof(uint64_t), op->claim_count, &scratch->claimed_capacity, &claimed, &sim->trail));
    scratch->claimed = claimed;
    return KB_OK;
}

void kbs_outbox_fini(kbs_sim *sim) {
    const kb_alloc *alloc = sim->program->alloc;
    const kbs_scratch *scratch = &sim->scratch;
    kb_delete(alloc, scratch->whys, scratch->why_capacity * sizeof(kb_why));
    kb_delete(alloc, scratch->blames, scratch->blame_capacity * sizeof(kb_blame));
    kb_delete(alloc, scratch->claims, scratch->claim_capacity * sizeof(kb_claim));
    kb_delete(alloc, scratch->claimed, scratch->claimed_capacity * sizeof(uint64_t));
}

/* --- parts ----------------------------------------------------------------------------------- */

static void add_why(kbs_scratch *scratch, kb_template *what, const kbs_note *note) {
    const uint32_t i = what->why_count++;
    scratch->whys[i] = (kb_why){note->cause, note->resource, note->blames};
    scratch->blames[i] = (kb_blame){.ps = note->ps, .resource = note->id};
    if (note->blames) {
        scratch->blames[i].rank = note->who.rank;
        scratch->blames[i].op = note->who.op;
    }
}

static void add_claims(kbs_scratch *scratch, kb_template *what, const kbs_op *op) {
    for (const kbs_claimed *claim = op->claims; claim != NULL; claim = claim->next) {
        const uint32_t i = what->claim_count++;
        scratch->claims[i] = claim->claim;
        scratch->claimed[i] = claim->op;
    }
}

/* The last point of which a time is known, and that time. */
static uint8_t reached(const kbs_op *op, int64_t *ret_ps) {
    if (op->done_ps != KBS_UNKNOWN) {
        *ret_ps = op->done_ps;
        return KB_POINT_DONE;
    }
    if (op->sent_ps != KBS_UNKNOWN) {
        *ret_ps = op->sent_ps;
        return KB_POINT_SENT;
    }
    *ret_ps = op->start_ps != KBS_UNKNOWN ? op->start_ps : op->issue_ps;
    return op->start_ps != KBS_UNKNOWN ? KB_POINT_START : KB_POINT_ISSUE;
}

/*
 * Notes of a pending op cover what is known: up to its start, none before. What lies between its start
 * and its sent is not taken apart.
 */
static void add_whys(kbs_scratch *scratch, kb_template *what, const kbs_op *op, int64_t last_ps) {
    int64_t rest_ps = last_ps - op->issue_ps;
    for (const kbs_note *note = op->notes; note != NULL && rest_ps >= note->ps; note = note->next) {
        add_why(scratch, what, note);
        rest_ps -= note->ps;
    }
    kbs_note note = {
        .ps = rest_ps, .cause = KB_CAUSE_SERIALISATION, .resource = KB_RESOURCE_NONE, .id = KB_NONE};
    if (rest_ps > 0)
        add_why(scratch, what, &note);
    if (what->reached == KB_POINT_DONE)
        return;
    note.ps = 0;
    note.cause = KB_CAUSE_UNFINISHED;
    add_why(scratch, what, &note);
}

static void fill_template(const kbs_sim *sim, const kbs_op *op, kb_template *what) {
    const kbs_common *common = &op->shape->common;
    const kbs_program *program = sim->program;
    what->kind = common->kind;
    what->blocks = common->blocks;
    what->stream = op->pe != NULL ? kbs_pe_stream(program, op->rank) : kbs_host_stream(program, op->rank);
    what->engine = op->engine;
    what->queue = common->queue;
    what->route = op->route;
    what->group = common->group;
    what->func = common->func;
    what->step = common->step;
    what->kernel = common->kernel;
    what->file = common->file;
    what->line = common->line;
    what->operand_count = common->operand_count;
    what->operands = common->operands;
}

/* --- putting --------------------------------------------------------------------------------- */

typedef kb_status (*put_fn)(void *context, uint32_t rank, const kb_op *op, kb_trail *trail);

static void put(kbs_sim *sim, const kbs_op *op, put_fn to) {
    if (sim->status != KB_OK)
        return;
    kb_status status = grow(sim, op);
    if (status != KB_OK) {
        kbs_sim_fail(sim, status);
        return;
    }
    kbs_scratch *scratch = &sim->scratch;
    kb_template what;
    memset(&what, 0, sizeof what);
    int64_t last_ps;
    what.reached = reached(op, &last_ps);
    fill_template(sim, op, &what);
    add_claims(scratch, &what, op);
    add_whys(scratch, &what, op, last_ps);
    what.claims = scratch->claims;
    what.whys = scratch->whys;
    const kb_op record = {.what = &what,
                          .index = op->index,
                          .issue_ps = op->issue_ps,
                          .start_ps = op->start_ps != KBS_UNKNOWN ? op->start_ps : last_ps,
                          .sent_ps = op->sent_ps != KBS_UNKNOWN ? op->sent_ps : last_ps,
                          .done_ps = last_ps,
                          .step = op->step,
                          .sequence = op->sequence,
                          .id = op->id,
                          .collective = op->shape->common.collective,
                          .offsets = op->offsets,
                          .claimed = scratch->claimed,
                          .blames = scratch->blames};
    status = to(sim->sink->context, op->rank, &record, &sim->trail);
    if (status != KB_OK)
        kbs_sim_fail(sim, status);
}

void kbs_outbox_put_launch(kbs_sim *sim, kbs_op *op) {
    put(sim, op, sim->sink->put);
}

void kbs_outbox_amend_launch(kbs_sim *sim, kbs_op *op) {
    put(sim, op, sim->sink->amend);
}

static void put_first(kbs_sim *sim, kbs_rank *rank) {
    kbs_op *op = rank->first;
    put(sim, op, sim->sink->put);
    rank->first = op->next;
    kbs_op_free(sim, op);
}

void kbs_outbox_flush(kbs_sim *sim, uint32_t number) {
    kbs_rank *rank = &sim->ranks[number];
    while (rank->first != NULL && rank->first->finished)
        put_first(sim, rank);
}

void kbs_outbox_flush_all(kbs_sim *sim) {
    for (uint32_t i = 0; i < sim->program->ranks; i++)
        while (sim->ranks[i].first != NULL)
            put_first(sim, &sim->ranks[i]);
}
