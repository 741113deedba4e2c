/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order: of two ops that touch the same byte, one writing it, the second starts where the first is reached
 * by edges of the memory model, whatever the times say; and a slot is read between its receive and release.
 *
 * For each byte the last write is kept, and the reads since that are not ordered among each other: an
 * access that is ordered after these is ordered after all before. Ranges that only begin or end to live
 * are written.
 *
 * And who leaves a collective barrier comes after all who enter it.
 */
#include <inttypes.h>

#include "check/check.h"
#include "op/access.h"
#include "op/op.h"
#include "order/crossing.h"
#include "order/history.h"

typedef struct state {
    kbr_pass *pass;
    kbr_order order;
    kbr_histories map;
    kbr_crossings crossings;
    bool found;
} state;

/* One operand of an op that is being looked at. */
typedef struct touching {
    state *of;
    uint32_t rank, memory;
    const kb_op *op;
    kbr_event *event;
    kbr_point start;
    /* What was found out for the segment before is likely to hold for the next. */
    kbr_event *asked;
    unsigned asked_point;
    bool answer;
    kbr_readers *had, *has; /* a list, and what it became with this reader */
} touching;

static void close_order(void *user, const kb_alloc *alloc) {
    state *it = user;
    kbr_crossings_fini(&it->crossings);
    kbr_histories_fini(&it->map);
    kbr_order_fini(&it->order);
    kb_delete(alloc, it, sizeof *it);
}

static kb_status open_order(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, sizeof(state), &block, trail));
    state *it = block;
    it->pass = pass;
    kb_status status = kbr_order_init(&it->order, pass, trail);
    if (status == KB_OK)
        status = kbr_histories_init(&it->map, &it->order, trail);
    if (status == KB_OK)
        status = kbr_crossings_init(&it->crossings, pass, trail);
    if (status != KB_OK) {
        close_order(it, pass->alloc);
        return status;
    }
    *ret_state = it;
    return KB_OK;
}

/* --- findings ---------------------------------------------------------------------------------- */

/* What could have ordered them. */
static const char *advice(const state *it, uint32_t first, uint32_t second) {
    if (first == second)
        return "its stream went on without waiting for that: wait for it, or fence";
    const kb_stream *streams = it->pass->defs->streams;
    if (streams[first].rank != streams[second].rank)
        return "between ranks a message or a barrier orders, with what was awaited before it";
    return "between streams a launch, a message or a barrier orders";
}

static void report(touching *at, const char *rule, uint64_t low, uint64_t high, const kbr_mention *first,
                   uint32_t first_stream, const char *point) {
    state *it = at->of;
    kbr_finding finding = kbr_finding_about(it->pass->defs, "order", rule, at->rank, at->op);
    finding.key = (uint64_t)first_stream << 32 | at->op->what->stream;
    kbr_finding_mention(&finding, first);
    kbr_finding_place(&finding, it->pass->defs, at->memory, low, high - low);
    kbr_finding_say(&finding, "no edge: its start is not reached from the %s of the other; %s", point,
                    advice(it, first_stream, at->op->what->stream));
    if (!kbr_regions_element(it->pass->regions, at->memory, low, &finding.tensor, &finding.element))
        finding.tensor = KB_NONE;
    kbr_findings_add(it->pass->findings, &finding);
    it->found = true;
}

static void report_event(touching *at, const char *rule, uint64_t low, uint64_t high, const kbr_event *first,
                         const char *point) {
    kbr_mention mention = kbr_event_mention(first);
    report(at, rule, low, high, &mention, first->stream, point);
}

/* It reads what a message brought that was given back: by the stream that emptied the copy's queue. */
static void report_release(touching *at, uint64_t low, uint64_t high, const kbr_event *copy) {
    kbr_mention mention = kbr_mention_of_number(copy->more->releasing_rank, copy->more->releasing_index);
    report(at, "read/release", low, high, &mention, copy->more->releasing_stream,
           "message that it gave back");
}

/* --- accesses ---------------------------------------------------------------------------------- */

static kb_status ordered(touching *at, kbr_event *first, unsigned point, bool *ret_ordered, kb_trail *trail) {
    if (first != at->asked || point != at->asked_point) {
        KB_TRY(kbr_order_reaches(&at->of->order, first, point, &at->start, &at->answer, trail));
        at->asked = first;
        at->asked_point = point;
    }
    *ret_ordered = at->answer;
    return KB_OK;
}

/* Puts a reader before *inout_list, whose reference goes into the longer one. */
static kb_status prepend(kbr_histories *map, kbr_event *event, kbr_readers **inout_list, kb_trail *trail) {
    kbr_readers *longer;
    KB_TRY(kbr_readers_new(map, event, *inout_list, &longer, trail));
    kbr_readers_drop(map, *inout_list);
    *inout_list = longer;
    return KB_OK;
}

/*
 * Leaving readers out is a saving, and not needed: a write asks after each. Where none can be left out, as of
 * what is sent to everybody at once, asking each about each would take the square of their number; so a long
 * list is looked through when it has doubled.
 */
static bool is_looked_through(const kbr_readers *list) {
    enum { SHORT = 16 };
    return list == NULL || list->count < SHORT || (list->count & (list->count - 1)) == 0;
}

/* The readers that the new one is not ordered after, or not known to be, and the new one. */
static kb_status add_reader(touching *at, kbr_readers *list, kbr_readers **ret_list, kb_trail *trail) {
    kbr_histories *map = &at->of->map;
    if (!is_looked_through(list) && list->event != at->event)
        return kbr_readers_new(map, at->event, list, ret_list, trail);
    kbr_readers *kept = NULL;
    kb_status status = KB_OK;
    for (const kbr_readers *it = list; it != NULL && status == KB_OK; it = it->next) {
        bool before = it->event == at->event;
        if (!before)
            status = ordered(at, it->event, KB_POINT_SENT, &before, trail);
        if (status == KB_OK && !before)
            status = prepend(map, it->event, &kept, trail);
    }
    if (status == KB_OK)
        status = prepend(map, at->event, &kept, trail);
    if (status != KB_OK)
        kbr_readers_drop(map, kept);
    else
        *ret_list = kept;
    return status;
}

static kb_status visit_read(void *user, uint64_t low, uint64_t high, kbr_segment *segment, kb_trail *trail) {
    touching *at = user;
    kbr_event *write = segment->write;
    if (write != NULL && write != at->event) {
        bool good;
        KB_TRY(ordered(at, write, KB_POINT_DONE, &good, trail));
        if (!good)
            report_event(at, "write/read", low, high, write, "done");
        else if (write->released && kbr_op_flow(at->op->what) != KBR_FLOW_NONE)
            report_release(at, low, high, write);
    }
    kbr_readers *has = at->has;
    if (has == NULL || segment->reads != at->had) {
        KB_TRY(add_reader(at, segment->reads, &has, trail));
        kbr_readers_drop(&at->of->map, at->has);
        kbr_readers_drop(&at->of->map, at->had);
        at->has = has;
        at->had = segment->reads; /* the segment's reference goes here, so that it stays what it is */
    } else {
        kbr_readers_drop(&at->of->map, segment->reads);
    }
    has->refs++;
    segment->reads = has;
    return KB_OK;
}

static kb_status visit_write(void *user, uint64_t low, uint64_t high, kbr_segment *segment, kb_trail *trail) {
    touching *at = user;
    kbr_event *write = segment->write;
    bool good = true;
    if (write != NULL && write != at->event)
        KB_TRY(ordered(at, write, KB_POINT_DONE, &good, trail));
    if (!good)
        report_event(at, "write/write", low, high, write, "done");
    for (const kbr_readers *it = segment->reads; it != NULL; it = it->next) {
        if (it->event == at->event)
            continue;
        KB_TRY(ordered(at, it->event, KB_POINT_SENT, &good, trail));
        if (!good)
            report_event(at, "read/write", low, high, it->event, "sent");
    }
    kbr_segment_write(&at->of->map, segment, at->event);
    return KB_OK;
}

/* All runs of an operand; of one that is spread, each place once. */
static kb_status touch_operand(touching *at, uint32_t number, kbr_visit *visit, kb_trail *trail) {
    kb_operand view = at->op->what->operands[number];
    for (uint32_t i = 0; i < view.dims; i++)
        if (view.stride[i] == 0 && view.shape[i] > 1)
            view.shape[i] = 1;
    at->memory = view.memory;
    kbr_runs runs;
    kbr_runs_init(&runs, &view, at->op->offsets[number]);
    uint64_t low, size;
    kb_status status = KB_OK;
    while (status == KB_OK && kbr_runs_next(&runs, &low, &size))
        status = kbr_histories_touch(&at->of->map, view.memory, low, low + size, visit, at, trail);
    kbr_readers_drop(&at->of->map, at->has);
    kbr_readers_drop(&at->of->map, at->had);
    at->has = at->had = NULL;
    return status;
}

/* A range that begins or ends to live lies in one piece. */
static kb_status renew(touching *at, kb_trail *trail) {
    const kb_operand *view = &at->op->what->operands[0];
    int64_t low, high;
    if (kb_operand_elements(view) == 0 || !kb_operand_extent(view, &low, &high))
        return KB_OK;
    at->memory = view->memory;
    uint64_t offset = at->op->offsets[0];
    return kbr_histories_renew(&at->of->map, view->memory, offset + (uint64_t)low, offset + (uint64_t)high,
                               at->event, visit_write, at, trail);
}

static kb_status touch_all(touching *at, kb_trail *trail) {
    const kb_template *what = at->op->what;
    if (kbr_op_flow(what) == KBR_FLOW_UNDEFINE)
        return renew(at, trail);
    for (uint32_t i = 0; i < what->operand_count; i++) /* what is too large is refused when it runs */
        if (kbr_operand_size(&what->operands[i]) > at->of->pass->limit_size)
            return KB_OK;
    for (uint32_t i = 0; i < what->operand_count; i++)
        if (what->operands[i].access != KB_ACCESS_WRITE)
            KB_TRY(touch_operand(at, i, visit_read, trail));
    for (uint32_t i = 0; i < what->operand_count; i++)
        if (what->operands[i].access != KB_ACCESS_READ)
            KB_TRY(touch_operand(at, i, visit_write, trail));
    return KB_OK;
}

static kb_status execute_order(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    state *it = user;
    touching at = {.of = it, .rank = rank, .op = op};
    KB_TRY(kbr_order_start(&it->order, rank, op, &at.event, &at.start, trail));
    kb_status status = KB_OK;
    if (at.event != NULL && kbr_op_flow(op->what) != KBR_FLOW_NONE)
        status = touch_all(&at, trail);
    kbr_order_started(&it->order, at.event);
    return status;
}

/* --- releases ---------------------------------------------------------------------------------- */

/* The message that is given back: its reads are over, and none may come. */
static kb_status visit_release(void *user, uint64_t low, uint64_t high, kbr_segment *segment,
                               kb_trail *trail) {
    touching *at = user;
    for (const kbr_readers *it = segment->reads; it != NULL; it = it->next) {
        bool good;
        KB_TRY(ordered(at, it->event, KB_POINT_SENT, &good, trail));
        if (!good)
            report_event(at, "read/release", low, high, it->event, "sent");
    }
    kbr_event *copy = segment->write;
    if (copy == NULL || copy->kind != KB_OP_IPCQ_COPY)
        return KB_OK;
    copy->released = true;
    copy->more->releasing_rank = at->rank;
    copy->more->releasing_index = at->op->index;
    copy->more->releasing_stream = at->op->what->stream;
    return KB_OK;
}

/* Who leaves a barrier has heard, by some way, that everybody had come. */
static kb_status check_crossing(state *it, uint32_t rank, const kb_op *op, kb_trail *trail) {
    const kb_defs *defs = it->pass->defs;
    kbr_crossed crossed;
    KB_TRY(kbr_crossings_issue(&it->crossings, &it->order.pasts, rank, op, &crossed, trail));
    if (crossed.collective == NULL || crossed.missing == crossed.collective->part_count)
        return KB_OK;
    const uint32_t stream = crossed.collective->parts[crossed.missing].stream;
    kbr_finding finding = kbr_finding_about(defs, "order", "barrier", rank, op);
    finding.key = op->collective;
    if (crossed.begin != NULL)
        kbr_finding_mention(&finding, crossed.begin);
    kbr_finding_say(
        &finding,
        "no edge: it leaves the barrier (collective %" PRIu64 ") and has not heard that %s entered it; "
        "nobody leaves before everybody has come",
        op->collective - 1, stream < defs->stream_count ? defs->streams[stream].name : "a member");
    kbr_findings_add(it->pass->findings, &finding);
    return KB_OK;
}

static kb_status issue_order(void *user, uint32_t rank, const kb_op *op, kb_trail *trail) {
    state *it = user;
    KB_TRY(kbr_order_issue(&it->order, rank, op, trail));
    if (op->what->kind == KB_OP_COLL_BEGIN || op->what->kind == KB_OP_COLL_END)
        KB_TRY(check_crossing(it, rank, op, trail));
    if (op->what->kind != KB_OP_IPCQ_RELEASE)
        return KB_OK;
    touching at = {.of = it, .rank = rank, .op = op};
    at.start = (kbr_point){kbr_past_of_chain(&it->order.pasts, op->what->stream), NULL};
    return touch_operand(&at, 0, visit_release, trail);
}

static kb_status finish_order(void *user, kb_trail *trail) {
    (void)trail;
    const state *it = user;
    if (it->found)
        kbr_pass_unchecked(it->pass,
                           "value: what comes after a finding of order depends on which op was first");
    return KB_OK;
}

const kbr_check kbr_check_order = {.open = open_order,
                                   .issue = issue_order,
                                   .execute = execute_order,
                                   .finish = finish_order,
                                   .close = close_order};
