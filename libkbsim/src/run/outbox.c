/* SPDX-License-Identifier: Apache-2.0 */
/* From an op of the simulation to a record of the trace; see outbox.h. */
#include "run/outbox.h"

#include <assert.h>
#include <string.h>

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
static void end_notes(kbs_sim *sim, kbs_op *op, int64_t last_ps) {
    int64_t rest_ps = last_ps - op->issue_ps;
    uint32_t count = 0;
    while (count < op->why_count && rest_ps >= op->blames[count].ps)
        rest_ps -= op->blames[count++].ps;
    op->why_count = count;
    kbs_op_took(sim, op, KB_CAUSE_SERIALISATION, rest_ps);
    kbs_op_note_all(sim, op,
                    &(kbs_note){.cause = KB_CAUSE_UNFINISHED, .resource = KB_RESOURCE_NONE, .id = KB_NONE});
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

static void put(kbs_sim *sim, kbs_op *op, put_fn to) {
    if (sim->status != KB_OK)
        return;
    kb_template what;
    memset(&what, 0, sizeof what);
    int64_t last_ps;
    what.reached = reached(op, &last_ps);
    fill_template(sim, op, &what);
    if (what.reached != KB_POINT_DONE)
        end_notes(sim, op, last_ps);
    what.claims = op->claims;
    what.claim_count = op->claim_count;
    what.whys = op->whys;
    what.why_count = op->why_count;
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
                          .claimed = op->claimed,
                          .blames = op->blames};
    const kb_status status = to(sim->sink->context, op->rank, &record, &sim->trail);
    if (status != KB_OK)
        kbs_sim_fail(sim, status);
}

void kbs_outbox_put_launch(kbs_sim *sim, kbs_op *op) {
    const uint32_t known = op->why_count;
    put(sim, op, sim->sink->put);
    op->why_count = known; /* the launch goes on */
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
