/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why ops are still parked when every rank is read to its end.
 *
 * Each parked op waits for one other thing. Following that from op to op ends in a cycle, at an op that
 * the trace does not hold, at one that the run never finished, or at a barrier. Each such end is one
 * finding, and the ops that wait for it are its count. In a trace that says it is incomplete, only a
 * cycle is a finding: the rest is what incomplete means.
 */
#include <inttypes.h>
#include <stdio.h>

#include "walk/state.h"

enum { MARK_NONE, MARK_HERE, MARK_FINDING }; /* MARK_FINDING + place in the list of findings */
#define MARK_EXCUSED UINT32_MAX

static bool waits_for_op(const kbr_parked *it) {
    return it->awaited_rank != KB_NONE;
}

/* The parked op that stands in the way, or NULL at the end of the chain. */
static kbr_parked *next_of(const kbr_walk_state *walk, const kbr_parked *it) {
    const kbr_walk_stream *stream = &walk->streams[it->op.what->stream];
    if (it->phase == KBR_QUEUED && stream->head != it)
        return stream->head;
    if (it->phase == KBR_QUEUED && stream->blocker != NULL)
        return stream->blocker;
    if (!waits_for_op(it))
        return NULL;
    return (kbr_parked *)kbr_table_find(&walk->parked, it->awaited_rank, it->awaited_index);
}

/* Adds a finding, or finds the one that says the same; its count is left to follow(). */
static uint32_t report(kbr_walk_state *walk, kbr_finding *finding) {
    kbr_findings *findings = walk->pass->findings;
    kbr_finding *it = kbr_findings_add(findings, finding);
    if (it == NULL)
        return MARK_EXCUSED;
    it->count--;
    return MARK_FINDING + (uint32_t)(it - findings->items);
}

static uint64_t key_of(uint32_t rank, uint64_t index) {
    return (uint64_t)rank << 40 ^ index;
}

static uint32_t report_cycle(kbr_walk_state *walk, kbr_parked *from) {
    kbr_finding finding =
        kbr_finding_about(walk->pass->defs, "progress", "cycle", from->node.rank, &from->op);
    finding.key = key_of(from->node.rank, from->op.index);
    uint64_t length = 1;
    for (kbr_parked *it = next_of(walk, from); it != from; it = next_of(walk, it), length++) {
        kbr_mention mention = kbr_mention_of(it->node.rank, &it->op);
        kbr_finding_mention(&finding, &mention);
    }
    kbr_finding_say(
        &finding,
        "%" PRIu64
        " op%s wait%s in a circle, each for the next and the last for the first: none can ever run",
        length, length == 1 ? "" : "s", length == 1 ? "s" : "");
    return report(walk, &finding);
}

/* Who is missing at a barrier. */
static void say_absent(const kbr_walk_state *walk, const kbr_parked *it, kbr_finding *finding) {
    const kb_group *group = &walk->pass->defs->groups[it->op.what->group];
    const kbr_meeting *meeting = kbr_meeting_find(walk, &it->op);
    size_t first = 0;
    while (first + 1 < group->rank_count && meeting->came[group->ranks[first]])
        first++;
    kbr_finding_say(finding,
                    "barrier %" PRIu64
                    " of group `%s` is reached by %zu of %zu members, and not by rank %" PRIu32,
                    it->op.id, group->name, meeting->arrived, group->rank_count, group->ranks[first]);
}

/* The end of a chain that is no cycle. */
static uint32_t report_end(kbr_walk_state *walk, kbr_parked *it) {
    const kb_template *what = it->op.what;
    if (!walk->pass->complete)
        return MARK_EXCUSED;
    kbr_finding finding =
        kbr_finding_about(walk->pass->defs, "progress", "unfinished", it->node.rank, &it->op);
    finding.key = key_of(it->node.rank, it->op.index);
    if (waits_for_op(it)) {
        snprintf(finding.rule, sizeof finding.rule, "%s", "missing op");
        kbr_mention missing = {.rank = it->awaited_rank, .index = it->awaited_index};
        kbr_finding_mention(&finding, &missing);
        finding.key = key_of(it->awaited_rank, it->awaited_index);
        kbr_finding_say(&finding,
                        "it claims op #%" PRIu64 " of rank %" PRIu32 ", which has only %" PRIu64 " ops",
                        it->awaited_index, it->awaited_rank, walk->ranks[it->awaited_rank].read_count);
    } else if (what->reached != KB_POINT_DONE) {
        const char *point = kb_word_name(KB_VOC_POINT, what->reached);
        kbr_finding_say(&finding, "it only came to its %s, and the trace says that it is complete",
                        point != NULL ? point : "?");
    } else if (kbr_op_impl_of(what->kind)->joins) {
        snprintf(finding.rule, sizeof finding.rule, "%s", "barrier");
        finding.key = (uint64_t)what->group << 40 ^ it->op.id;
        say_absent(walk, it, &finding);
    }
    return report(walk, &finding);
}

/* Follows the chain from one op, and marks all of it with what it ends at. */
static void follow(kbr_walk_state *walk, kbr_parked *from) {
    kbr_parked *it = from;
    uint32_t mark = MARK_NONE;
    while (mark == MARK_NONE) {
        it->mark = MARK_HERE;
        kbr_parked *next = next_of(walk, it);
        if (next == NULL)
            mark = report_end(walk, it);
        else if (next->mark == MARK_HERE)
            mark = report_cycle(walk, next);
        else if (next->mark != MARK_NONE)
            mark = next->mark;
        else
            it = next;
    }
    uint64_t passed = 0;
    for (it = from; it != NULL && it->mark == MARK_HERE; it = next_of(walk, it), passed++)
        it->mark = mark;
    if (mark != MARK_EXCUSED)
        walk->pass->findings->items[mark - MARK_FINDING].count += passed;
}

void kbr_walk_explain(kbr_walk_state *walk) {
    for (uint32_t rank = 0; rank < walk->pass->run->ranks; rank++)
        for (kbr_parked *it = walk->ranks[rank].first; it != NULL; it = it->rank_next) {
            walk->pass->result->unfinished++;
            if (it->mark == MARK_NONE)
                follow(walk, it);
        }
}
