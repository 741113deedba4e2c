/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A probe's program, recorded like any user's, run in the simulator without a trace; see probe.h. Each
 * message and each crowd has a launch of its own, which begins when all before it is over; transfers by DMA
 * share one, because each holds the sequencer until it is done.
 */
#include "kbsim/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "kbsim/host.h"
#include "kbsim/models.h"
#include "probe/form.h"
#include "probe/plan.h"
#include "run/simulate.h"

typedef struct span {
    int64_t issue_ps, done_ps;
} span;

typedef struct probe {
    kbs_probe_plan plan;
    kb_arena *arena;
    kbs_program *program;
    tl_view *near, *slices, *srams; /* by PE: tensors in its TCM, its slice, its cut of the SRAM */
    uint32_t *everyone;             /* their numbers */
    const uint8_t *bytes;           /* for what a host writes */
    span *swarms[KBS_PROBE_SWARMS]; /* by PE */
    kb_status status;
} probe;

/* What a launch does: the plan's n-th message or swarm. */
typedef struct call {
    probe *of;
    size_t number;
} call;

/* --- programs -------------------------------------------------------------------------------- */

/* Ops are found again by their step; those of swarms are numbered behind the rows. */
static const char step_label[] = "probe";

static tl_view far_view(const probe *p, const kbs_probe_step *step) {
    const tl_view *views = step->space == KB_SPACE_SRAM  ? p->srams
                           : step->space == KB_SPACE_HBM ? p->slices
                                                         : p->near;
    return views[step->pe];
}

static void transfers(tl_kernel *k) {
    const probe *p = ((const call *)k->args)->of;
    if (k->rank != p->plan.pe)
        return;
    for (size_t i = 0; i < p->plan.step_count; i++) {
        const kbs_probe_step *step = &p->plan.steps[i];
        if (step->kind != KBS_PROBE_READ && step->kind != KBS_PROBE_WRITE)
            continue;
        const tl_view near = tl_slice(k, p->near[k->rank], 0, step->size_bytes);
        const tl_view far = tl_slice(k, far_view(p, step), 0, step->size_bytes);
        tl_step(k, step_label, i);
        if (step->kind == KBS_PROBE_READ)
            tl_load(k, near, far);
        else
            tl_store(k, far, near);
    }
}

static void message(tl_kernel *k) {
    const call *of = k->args;
    const probe *p = of->of;
    const kbs_probe_step *step = &p->plan.steps[of->number];
    if (k->rank != p->plan.pe && k->rank != step->pe)
        return;
    const tl_view near = tl_slice(k, p->near[k->rank], 0, step->size_bytes);
    tl_step(k, step_label, of->number);
    if (k->rank == p->plan.pe) {
        tl_send(k, tl_queue_to(k, step->pe), near);
        return;
    }
    const tl_view in = tl_recv(k, tl_queue_from(k, p->plan.pe));
    tl_add_scalar(k, near, in, 1); /* reads the slot without a packet that would meet others */
    tl_release(k, tl_queue_from(k, p->plan.pe));
}

static void meet(tl_kernel *k) {
    const call *of = k->args;
    const probe *p = of->of;
    const kbs_probe_step *step = &p->plan.steps[of->number];
    tl_step(k, step_label, of->number);
    tl_barrier_of(k, tl_group_of(k, p->everyone + step->first, step->count));
}

static void swarm(tl_kernel *k) {
    const call *of = k->args;
    const probe *p = of->of;
    const kbs_probe_swarm *what = &kbs_probe_swarms[of->number];
    if (!kbs_probe_takes_part(&p->plan, what, k->rank))
        return;
    const uint64_t share = kbs_probe_share(&p->plan, what);
    const uint32_t first = what->from_one ? 0 : what->to_one ? p->plan.pe : k->rank;
    const uint32_t end = what->from_one ? p->plan.pes : first + 1;
    const tl_view near = tl_slice(k, p->near[k->rank], 0, share);
    tl_step(k, step_label, p->plan.step_count + of->number);
    for (uint32_t pe = first; pe < end; pe++) {
        const tl_view far = tl_slice(k, p->slices[pe], 0, share);
        if (what->is_write)
            tl_store_async(k, far, near);
        else
            tl_load_async(k, near, far);
    }
    tl_wait_all(k);
}

/* Each PE's host copies what is its own; one waits for the other. */
static void copies(kb_host *h, const probe *p) {
    uint32_t last = p->plan.pe;
    for (size_t i = 0; i < p->plan.step_count; i++) {
        const kbs_probe_step *step = &p->plan.steps[i];
        if (step->kind != KBS_PROBE_HOST_WRITE && step->kind != KBS_PROBE_HOST_READ)
            continue;
        if (step->pe != last)
            kb_barrier(h);
        last = step->pe;
        if (h->rank != step->pe)
            continue;
        const tl_view view = tl_slice(h, far_view(p, step), 0, step->size_bytes);
        tl_step(h, step_label, i);
        if (step->kind == KBS_PROBE_HOST_WRITE)
            kb_host_write(h, view, p->bytes, step->size_bytes);
        else
            kb_host_read(h, view);
    }
}

static void nothing(tl_kernel *k) {
    (void)k;
}

/* Last of all: what comes behind would carry their step. */
static void launches(kb_host *h, const probe *p) {
    for (size_t i = 0; i < p->plan.step_count; i++) {
        const kbs_probe_step *step = &p->plan.steps[i];
        if (step->kind != KBS_PROBE_LAUNCH && step->kind != KBS_PROBE_ROUND)
            continue;
        tl_step(h, step_label, i);
        kb_launch_on(h, kb_group_of(h, p->everyone + step->first, step->count), nothing, NULL, 0);
    }
}

static void program_of(kb_host *h, void *context) {
    probe *p = context;
    call what = {p, 0};
    copies(h, p);
    kb_launch(h, transfers, &what, sizeof what);
    for (; what.number < p->plan.step_count; what.number++)
        if (p->plan.steps[what.number].kind == KBS_PROBE_SEND)
            kb_launch(h, message, &what, sizeof what);
    for (what.number = 0; what.number < KBS_PROBE_SWARMS && p->swarms[what.number] != NULL; what.number++)
        kb_launch(h, swarm, &what, sizeof what);
    for (what.number = 0; what.number < p->plan.step_count; what.number++) {
        const kbs_probe_step *step = &p->plan.steps[what.number];
        if (step->kind == KBS_PROBE_BARRIER)
            kb_launch_on(h, kb_group_of(h, p->everyone + step->first, step->count), meet, &what, sizeof what);
    }
    launches(h, p);
}

/* --- tensors --------------------------------------------------------------------------------- */

static tl_view tensor(const probe *p, uint32_t pe, const char *name, uint32_t space, uint64_t bytes) {
    const kb_initial zeros = {.dtype = KB_DTYPE_I8, .recipe = KB_RECIPE_ZEROS};
    return kbs_tensor_new(&p->program->hosts[pe], name, space, &TL_SHAPE(bytes), &zeros, TL_HERE);
}

/* In every PE before any host runs: a kernel names those of other PEs. */
static kb_status make_tensors(probe *p, kb_trail *trail) {
    void *near, *slices, *srams, *everyone, *bytes;
    const uint32_t pes = p->plan.pes;
    KB_TRY(kb_arena_new(p->arena, pes * sizeof(tl_view), &near, trail));
    KB_TRY(kb_arena_new(p->arena, pes * sizeof(tl_view), &slices, trail));
    KB_TRY(kb_arena_new(p->arena, pes * sizeof(tl_view), &srams, trail));
    KB_TRY(kb_arena_new(p->arena, KB_PAYLOAD_MAX, &bytes, trail));
    KB_TRY(kb_arena_new(p->arena, pes * sizeof(uint32_t), &everyone, trail));
    p->everyone = everyone;
    p->near = near;
    p->slices = slices;
    p->srams = srams;
    p->bytes = bytes;
    for (uint32_t pe = 0; pe < pes; pe++) {
        p->everyone[pe] = pe;
        p->near[pe] = tensor(p, pe, "near", KB_SPACE_TCM, p->plan.tcm_bytes);
        p->slices[pe] = tensor(p, pe, "slice", KB_SPACE_HBM, p->plan.hbm_bytes);
    }
    for (size_t i = 0; i < p->plan.step_count; i++) {
        const uint32_t pe = p->plan.steps[i].pe;
        if (p->plan.steps[i].space == KB_SPACE_SRAM && p->srams[pe].elements == 0)
            p->srams[pe] = tensor(p, pe, "sram", KB_SPACE_SRAM, p->plan.sram_bytes);
    }
    return kbs_program_status(p->program, trail);
}

/* --- what is measured ------------------------------------------------------------------------ */

static int64_t sooner(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/*
 * The launch counts from its last host's issue, and ends when the PE that probes begins; a round, when the
 * last host hears that its PE is done.
 */
static void put_launch(probe *p, uint32_t rank, const kb_op *op) {
    kbs_probe_step *step = op->step < p->plan.step_count ? &p->plan.steps[op->step] : NULL;
    if (step == NULL || (step->kind != KBS_PROBE_LAUNCH && step->kind != KBS_PROBE_ROUND))
        return;
    step->issue_ps = later(step->issue_ps, op->issue_ps);
    if (step->kind == KBS_PROBE_ROUND && op->what->reached == KB_POINT_DONE)
        step->done_ps = later(step->done_ps, op->done_ps);
    else if (step->kind == KBS_PROBE_LAUNCH && rank == p->plan.pe)
        step->done_ps = op->sent_ps;
}

static void put_barrier(probe *p, uint32_t rank, const kb_op *op) {
    kbs_probe_step *step = op->step < p->plan.step_count ? &p->plan.steps[op->step] : NULL;
    if (step == NULL || step->kind != KBS_PROBE_BARRIER) /* the hosts' own */
        return;
    step->issue_ps = later(step->issue_ps, op->issue_ps);
    if (rank == p->plan.pe)
        step->done_ps = op->done_ps;
}

static kb_status put(void *context, uint32_t rank, const kb_op *op, void **inout_known, kb_trail *trail) {
    probe *p = context;
    (void)inout_known, (void)trail;
    const uint16_t kind = op->what->kind;
    const bool moves = kind == KB_OP_DMA_READ || kind == KB_OP_DMA_WRITE || kind == KB_OP_IPCQ_COPY ||
                       kind == KB_OP_HOST_WRITE || kind == KB_OP_HOST_READ;
    if (kind == KB_OP_LAUNCH && op->what->step != KB_NONE)
        put_launch(p, rank, op);
    if (kind == KB_OP_BARRIER && op->what->step != KB_NONE)
        put_barrier(p, rank, op);
    if (op->what->step == KB_NONE || (!moves && kind != KB_OP_IPCQ_RECV))
        return KB_OK;
    if (op->step >= p->plan.step_count) {
        span *at = &p->swarms[op->step - p->plan.step_count][rank];
        at->issue_ps = sooner(at->issue_ps, op->issue_ps);
        at->done_ps = later(at->done_ps, op->done_ps);
        return KB_OK;
    }
    kbs_probe_step *step = &p->plan.steps[op->step];
    if (!moves) {
        step->receive_ps = sooner(step->receive_ps, op->issue_ps);
        return KB_OK;
    }
    step->issue_ps = sooner(step->issue_ps, op->issue_ps);
    step->done_ps = later(step->done_ps, op->done_ps);
    return KB_OK;
}

static kb_status amend(void *context, uint32_t rank, const kb_op *op, kb_trail *trail) {
    (void)trail;
    if (op->what->step != KB_NONE) /* a launch, which is done now */
        put_launch(context, rank, op);
    return KB_OK;
}

/* --- what a form says ------------------------------------------------------------------------ */

static kb_status find_form(const probe *p, const kbs_probe_step *step, const kb_alloc *alloc, int64_t *ret_ps,
                           kb_trail *trail) {
    const kbs_machine *machine = p->plan.machine;
    const kbs_form_message sent = {p->plan.pe, step->pe, step->size_bytes, step->receive_ps - step->issue_ps};
    switch (step->kind) {
    case KBS_PROBE_HOST_WRITE:
    case KBS_PROBE_HOST_READ:
    case KBS_PROBE_READ:
    case KBS_PROBE_WRITE: {
        const bool is_read = step->kind == KBS_PROBE_READ || step->kind == KBS_PROBE_HOST_READ;
        const bool is_own = step->kind == KBS_PROBE_READ || step->kind == KBS_PROBE_WRITE;
        const kbs_form_place tcm = {KB_SPACE_TCM, p->plan.pe, 0}, host = {KB_SPACE_HOST, step->pe, 0};
        const kbs_form_place far = {step->space, step->pe, far_view(p, step).offset_bytes};
        return (is_read ? kbs_form_read : kbs_form_write)(machine, is_own ? tcm : host, far, step->size_bytes,
                                                          alloc, ret_ps, trail);
    }
    case KBS_PROBE_BARRIER:
        *ret_ps = kbs_form_barrier(machine, p->plan.pe, step->first, step->count);
        return KB_OK;
    case KBS_PROBE_LAUNCH:
        *ret_ps = kbs_form_launch(machine, p->plan.pe, step->first, step->count);
        return KB_OK;
    case KBS_PROBE_ROUND: *ret_ps = kbs_form_round(machine, step->first, step->count); return KB_OK;
    case KBS_PROBE_SEND:
    default: return kbs_form_send(machine, &sent, alloc, ret_ps, trail);
    }
}

static void name_place(const probe *p, uint32_t space, uint32_t pe, char name[KBS_PROBE_NAME_CHARS]) {
    const uint32_t pes = (uint32_t)p->plan.machine->at.cube_pes;
    const uint32_t of_sip = (uint32_t)kbs_machine_pes_of_sip(p->plan.machine);
    const uint32_t sip = pe / of_sip, cube = pe % of_sip / pes;
    if (space == KB_SPACE_SRAM)
        snprintf(name, KBS_PROBE_NAME_CHARS, "sip%u.cube%u.sram", sip, cube);
    else
        snprintf(name, KBS_PROBE_NAME_CHARS, "sip%u.cube%u.pe%u.%s", sip, cube, pe % pes,
                 space == KB_SPACE_HBM ? "hbm" : "tcm");
}

static kb_status fill_row(const probe *p, const kbs_probe_step *step, const kb_alloc *alloc,
                          kbs_probe_row *ret, kb_trail *trail) {
    static const char *const names[] = {[KBS_PROBE_HOST_WRITE] = "host write",
                                        [KBS_PROBE_HOST_READ] = "host read",
                                        [KBS_PROBE_READ] = "read",
                                        [KBS_PROBE_WRITE] = "write",
                                        [KBS_PROBE_SEND] = "send",
                                        [KBS_PROBE_BARRIER] = "barrier",
                                        [KBS_PROBE_LAUNCH] = "launch",
                                        [KBS_PROBE_ROUND] = "round trip"};
    const bool is_host = step->kind < KBS_PROBE_READ || step->kind >= KBS_PROBE_LAUNCH;
    const bool is_read = step->kind == KBS_PROBE_READ || step->kind == KBS_PROBE_HOST_READ;
    *ret = (kbs_probe_row){.what = names[step->kind],
                           .target = step->target,
                           .size_bytes = step->size_bytes,
                           .took_ps = step->done_ps - step->issue_ps};
    if (is_host)
        snprintf(is_read ? ret->to : ret->from, KBS_PROBE_NAME_CHARS, "host");
    else
        name_place(p, KB_SPACE_TCM, p->plan.pe, is_read ? ret->to : ret->from);
    name_place(p, step->space, step->pe, is_read ? ret->from : ret->to);
    return find_form(p, step, alloc, &ret->form_ps, trail);
}

static double gbps(uint64_t millionths) {
    return (double)millionths / (double)KBS_MILLION;
}

/* What a channel gives at most: with banks, an access in each burst of the memory's clock. */
static double channel_gbps(const kbs_machine *m) {
    if (m->at.hbm_timing == KBS_TIMING_OFF)
        return gbps(m->at.hbm_channel_gbps);
    return (double)m->at.hbm_access_bytes / ((double)m->at.hbm3_burst_cycles * gbps(m->at.hbm3_tck_ns));
}

static void fill_crowd(const probe *p, size_t number, kbs_probe_crowd *ret) {
    const kbs_machine *m = p->plan.machine;
    const kbs_probe_swarm *what = &kbs_probe_swarms[number];
    int64_t begin_ps = INT64_MAX, first_ps = INT64_MAX, last_ps = 0;
    *ret = (kbs_probe_crowd){.what = what->what, .slices = what->to_one ? 1 : p->plan.pes};
    for (uint32_t pe = 0; pe < p->plan.pes; pe++) {
        const span *at = &p->swarms[number][pe];
        if (!kbs_probe_takes_part(&p->plan, what, pe))
            continue;
        ret->pes++;
        begin_ps = sooner(begin_ps, at->issue_ps);
        first_ps = sooner(first_ps, at->done_ps);
        last_ps = later(last_ps, at->done_ps);
    }
    const uint64_t port = what->is_write ? m->at.tcm_read_gbps : m->at.tcm_write_gbps;
    ret->size_bytes = kbs_probe_share(&p->plan, what) * (what->from_one ? p->plan.pes : ret->pes);
    ret->took_ps = last_ps - begin_ps;
    ret->first_ps = first_ps - begin_ps;
    ret->last_ps = last_ps - begin_ps;
    ret->channels_gbps = ret->slices * (double)m->at.hbm_channels_per_pe * channel_gbps(m);
    ret->ports_gbps = ret->pes * gbps(port < m->at.noc_link_gbps ? port : m->at.noc_link_gbps);
}

static kb_status report(const probe *p, const kb_alloc *alloc, kbs_probe_result *ret, kb_trail *trail) {
    void *rows, *crowds;
    KB_TRY(kb_arena_new(p->arena, p->plan.step_count * sizeof(kbs_probe_row), &rows, trail));
    KB_TRY(kb_arena_new(p->arena, KBS_PROBE_SWARMS * sizeof(kbs_probe_crowd), &crowds, trail));
    ret->rows = rows;
    ret->crowds = crowds;
    ret->left_out = p->plan.left_out;
    for (; ret->row_count < p->plan.step_count; ret->row_count++) {
        kbs_probe_row *row = &ret->rows[ret->row_count];
        KB_TRY(fill_row(p, &p->plan.steps[ret->row_count], alloc, row, trail));
        ret->different += row->took_ps != row->form_ps;
    }
    for (; ret->crowd_count < KBS_PROBE_SWARMS && p->swarms[ret->crowd_count] != NULL; ret->crowd_count++)
        fill_crowd(p, ret->crowd_count, &ret->crowds[ret->crowd_count]);
    return KB_OK;
}

/* --- running --------------------------------------------------------------------------------- */

static kb_status make_swarms(probe *p, kb_trail *trail) {
    for (size_t i = 0; i < KBS_PROBE_SWARMS && p->plan.swarm_bytes > 0; i++) {
        void *spans;
        KB_TRY(kb_arena_new(p->arena, p->plan.pes * sizeof(span), &spans, trail));
        p->swarms[i] = spans;
        for (uint32_t pe = 0; pe < p->plan.pes; pe++)
            p->swarms[i][pe] = (span){INT64_MAX, 0};
    }
    return KB_OK;
}

static kb_status simulate(probe *p, const kbs_probe_options *options, kbs_probe_result *ret,
                          kb_trail *trail) {
    const kbs_limits limits = {.stop = options->stop};
    const kbs_sink sink = {.put = put, .amend = amend, .context = p};
    kbs_result result;
    KB_TRY(make_tensors(p, trail));
    KB_TRY(kbs_program_host(p->program, "probe", program_of, p, trail));
    KB_TRY(kbs_program_seal(p->program, trail));
    KB_TRY(kbs_simulate(p->program, &limits, &sink, &result, trail));
    const kb_outcome outcome = result.outcome;
    ret->events = result.events;
    kbs_result_fini(&result);
    if (outcome != KB_OUTCOME_COMPLETE)
        return kb_fail(trail, KB_E_INTERRUPTED, "the probe was stopped before its end");
    return report(p, options->alloc, ret, trail);
}

/*
 * Of a message longer than a slot the form knows what the receiver does with each by the model `lanes`, and
 * credits that follow one another: of several packets each those of several credits take turns.
 */
static bool knows_streams(const kbs_machine *machine, const kbs_models *models) {
    const kbs_chosen *math = &models->of[KBS_COMPONENT_math];
    const bool is_whole = machine->at.ipcq_credit_path == KBS_CREDIT_FAST ||
                          machine->at.ipcq_credit_bytes <= machine->at.fabric_packet_bytes;
    return is_whole && (math->model == NULL || math->is_standard);
}

static kb_status run_with(const kbs_probe_options *options, const kbs_models *models, kbs_probe_result *ret,
                          kb_trail *trail) {
    probe p = {.arena = &ret->arena};
    KB_TRY(kbs_probe_plan_init(&p.plan, options, knows_streams(options->machine, models), p.arena, trail));
    if (!options->alone)
        KB_TRY(make_swarms(&p, trail));
    KB_TRY(kbs_program_create(options->machine, p.plan.pes, 1, 1, options->alloc, options->log, &p.program,
                              trail));
    p.program->models = models;
    p.program->stop = options->stop;
    const kb_status status = simulate(&p, options, ret, trail);
    kbs_program_destroy(p.program);
    if (status == KB_OK)
        return KB_OK;
    return kb_while(trail, status, "probing a machine of %u PEs", p.plan.pes);
}

static kb_status check(const kbs_probe_options *options, kb_trail *trail) {
    const uint64_t pes = kbs_machine_pes(options->machine);
    if (options->machine->fault_count > 0)
        return kb_fail(trail, KB_E_ARGUMENT,
                       "the closed forms know no faults: leave fault.* out (a fault shows in kb-sim run)");
    if (options->pe >= pes)
        return kb_fail(trail, KB_E_ARGUMENT, "there is no PE %u: this machine has %" PRIu64, options->pe,
                       pes);
    for (size_t i = 0; i < options->size_count; i++)
        if (options->sizes[i] == 0)
            return kb_fail(trail, KB_E_ARGUMENT, "a transfer of 0 bytes is none: sizes begin with 1");
    return KB_OK;
}

kb_status kbs_probe(const kbs_probe_options *options, kbs_probe_result *ret_result, kb_trail *trail) {
    kbs_probe_result result;
    kbs_models models;
    KB_TRY(check(options, trail));
    KB_TRY(kbs_models_open(options->machine, options->fs, &models, trail));
    memset(&result, 0, sizeof result);
    kb_arena_init(&result.arena, options->alloc, 0);
    const kb_status status = run_with(options, &models, &result, trail);
    kbs_models_close(&models);
    if (status == KB_OK)
        *ret_result = result;
    else
        kb_arena_fini(&result.arena);
    return status;
}

void kbs_probe_fini(kbs_probe_result *result) {
    kb_arena_fini(&result->arena);
}
