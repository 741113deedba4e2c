/* SPDX-License-Identifier: Apache-2.0 */
/* Joining findings to causes, and choosing what to tell first; see causes.h. */
#include "blame/causes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blame/edges.h"
#include "check/check.h"

/* What a finding is about, beside what it says. */
typedef struct facts {
    uint32_t group;                    /* the least of those that it is joined with */
    uint32_t queues[KBR_MENTIONS_MAX]; /* of its ops, or KB_NONE */
    uint32_t ring;                     /* in which its place lies, or KB_NONE */
    bool recorded;                     /* wrong in the records, not in what they do */
} facts;

typedef struct causes {
    const kbr_pass *pass;
    kbr_findings *findings;
    facts *of; /* [findings] */
} causes;

static bool is_check(const kbr_finding *finding, const char *check) {
    return strcmp(finding->check, check) == 0;
}

static bool is_rule(const kbr_finding *finding, const char *check, const char *rule) {
    return is_check(finding, check) && strcmp(finding->rule, rule) == 0;
}

/* --- what is known of each ----------------------------------------------------------------------- */

static bool is_recorded(const kbr_finding *finding) {
    static const char *const data[] = {"init", "assumption", "order", "value"};
    for (size_t i = 0; i < sizeof data / sizeof data[0]; i++)
        if (is_check(finding, data[i]))
            return false;
    return !finding->follows;
}

static uint32_t ring_of(const kbr_pass *pass, const kbr_finding *finding) {
    size_t cursor = 0;
    const kbr_region *region;
    if (finding->memory == KB_NONE)
        return KB_NONE;
    while ((region = kbr_regions_touching(pass->regions, finding->memory, finding->offset,
                                          finding->offset + 1, &cursor)) != NULL)
        if (region->kind == KBR_REGION_RING)
            return region->id;
    return KB_NONE;
}

/* The queues of all ops that are named, read by rank. */
static kb_status find_queues(causes *it, kbr_lookup *lookup, kb_trail *trail) {
    for (size_t i = 0; i < it->findings->count; i++) {
        const kbr_finding *finding = &it->findings->items[i];
        for (uint32_t j = 0; j < KBR_MENTIONS_MAX; j++)
            it->of[i].queues[j] = KB_NONE;
        for (uint32_t j = 0; j < finding->op_count; j++) {
            const kb_op *op;
            const kb_kind_info *kind = kb_kind_describe(finding->ops[j].kind);
            if (kind == NULL || strcmp(kind->id_name, "message") != 0)
                continue;
            KB_TRY(kbr_lookup_op(lookup, finding->ops[j].rank, finding->ops[j].index, &op, trail));
            if (op != NULL)
                it->of[i].queues[j] = op->what->queue;
        }
    }
    return KB_OK;
}

/* --- what belongs together ----------------------------------------------------------------------- */

/* Ops that many things go through: sharing one says little, unless both blame it. */
static bool is_common(const kbr_mention *op) {
    return op->kind == KB_OP_COLL_BEGIN || op->kind == KB_OP_COLL_END || op->kind == KB_OP_LAUNCH;
}

static bool same_op(const kbr_mention *a, uint32_t rank, uint64_t index) {
    return a->rank == rank && a->index == index;
}

static bool share_op(const kbr_finding *a, const kbr_finding *b) {
    bool still = is_check(a, "progress") || is_check(b, "progress");
    for (uint32_t i = 0; i < a->op_count; i++)
        for (uint32_t j = 0; j < b->op_count; j++)
            if (same_op(&a->ops[i], b->ops[j].rank, b->ops[j].index) &&
                (still || !is_common(&a->ops[i]) || (i == 0 && j == 0)))
                return true;
    return false;
}

static bool in_chain(const kbr_finding *value, const kbr_finding *other) {
    for (uint32_t i = 0; i < value->chain_count; i++)
        for (uint32_t j = 0; j < other->op_count; j++)
            if (same_op(&other->ops[j], value->chain[i].rank, value->chain[i].index))
                return true;
    return false;
}

/* `queue` is a finding about a queue's records. */
static bool share_queue(const causes *it, size_t queue, size_t other) {
    uint32_t id = (uint32_t)it->findings->items[queue].key;
    if (!is_check(&it->findings->items[queue], "queue") || !it->of[queue].recorded)
        return false;
    if (is_check(&it->findings->items[other], "queue"))
        return it->findings->items[other].key == id;
    if (it->of[other].ring == id)
        return true;
    for (uint32_t i = 0; i < it->findings->items[other].op_count; i++)
        if (it->of[other].queues[i] == id)
            return true;
    return false;
}

/* A number that is left out in a queue leaves its mark on the ops in between. */
static bool in_gap(const kbr_finding *gap, const kbr_finding *other) {
    if (!is_rule(gap, "queue", "sequence"))
        return false;
    uint64_t from = gap->op_count < 2 ? 0 : gap->ops[1].index + 1;
    for (uint32_t i = 0; i < other->op_count; i++)
        if (other->ops[i].rank == gap->ops[0].rank && other->ops[i].index >= from &&
            other->ops[i].index < gap->ops[0].index && !is_common(&other->ops[i]))
            return true;
    return false;
}

/* A wait for what is missing stands behind the gap that it left on its engine or queue. */
static bool by_gap(const kbr_finding *gap, const kbr_finding *wait) {
    bool gapes = is_rule(gap, "claims", "engine") || is_rule(gap, "queue", "sequence");
    return gapes && gap->op_count == 2 && is_rule(wait, "claims", "awaited") && wait->rank == gap->rank &&
           wait->ops[0].index > gap->ops[1].index;
}

/* A stream that claims no launch comes after nothing that its host did. */
static bool by_launch(const kbr_finding *launch, const kbr_finding *other) {
    return is_rule(launch, "claims", "launch") && is_check(other, "order") && other->op_count >= 2 &&
           other->ops[0].rank == launch->rank && other->ops[1].rank == launch->rank &&
           other->ops[0].stream != other->ops[1].stream;
}

static bool sees_mistake(const kbr_finding *finding);

/* What makes no sense is not executed: others find nothing where its bytes should be. */
static bool by_absence(const kbr_finding *a, const kbr_finding *b) {
    static const char *const rules[] = {"operand count", "operand",    "operand access", "operand shape",
                                        "state",         "unknown id", "stream",         "group"};
    bool left_out = is_rule(a, "bounds", "memory");
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        left_out = left_out || is_rule(a, "structure", rules[i]);
    return left_out && (is_check(b, "init") || (is_check(b, "value") && !sees_mistake(b)));
}

/* What never ran is not entered and not left. */
static bool by_standstill(const kbr_finding *a, const kbr_finding *b) {
    bool enters = is_rule(b, "value", "entry") || is_rule(b, "value", "exit");
    return is_check(a, "progress") && (enters || is_check(b, "progress"));
}

static bool belong_together(const causes *it, size_t i, size_t j) {
    const kbr_finding *a = &it->findings->items[i], *b = &it->findings->items[j];
    return share_op(a, b) || in_chain(a, b) || in_chain(b, a) || share_queue(it, i, j) ||
           share_queue(it, j, i) || in_gap(a, b) || in_gap(b, a) || by_standstill(a, b) ||
           by_standstill(b, a) || by_absence(a, b) || by_absence(b, a) || by_gap(a, b) || by_gap(b, a) ||
           by_launch(a, b) || by_launch(b, a);
}

static void join(causes *it, size_t i, size_t j) {
    uint32_t a = it->of[i].group, b = it->of[j].group;
    uint32_t least = a < b ? a : b;
    for (size_t k = 0; k < it->findings->count; k++)
        if (it->of[k].group == a || it->of[k].group == b)
            it->of[k].group = least;
}

static bool has_recorded(const causes *it, uint32_t group) {
    for (size_t i = 0; i < it->findings->count; i++)
        if (it->of[i].group == group && it->of[i].recorded)
            return true;
    return false;
}

/* Is an op of one the neighbour of the culprit of the other, in its rank? */
static bool are_neighbours(const kbr_finding *cause, const kbr_finding *other) {
    for (uint32_t i = 0; i < other->op_count && cause->op_count != 0; i++) {
        uint64_t index = other->ops[i].index, culprit = cause->ops[0].index;
        if (other->ops[i].rank == cause->ops[0].rank && !is_common(&other->ops[i]) &&
            (index + 1 == culprit || culprit + 1 == index))
            return true;
    }
    return false;
}

static void join_all(causes *it) {
    size_t count = it->findings->count;
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (it->of[i].group != it->of[j].group && belong_together(it, i, j))
                join(it, i, j);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && !has_recorded(it, it->of[i].group); j++)
            if (it->of[j].recorded && are_neighbours(&it->findings->items[j], &it->findings->items[i]))
                join(it, i, j);
}

/* --- what is told first ---------------------------------------------------------------------------- */

/* Rules of `value` that see the mistake in the op itself. */
static bool sees_mistake(const kbr_finding *finding) {
    static const char *const rules[] = {"source", "target", "function", "dtype"};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (is_rule(finding, "value", rules[i]))
            return true;
    return false;
}

/* What a record is said to be tells more than what is missing, and that more than times that do not fit. */
static const struct {
    const char *check, *rule; /* rule NULL: any other */
    unsigned rank;
} records[] = {
    {"structure", NULL, 0},       {"bounds", NULL, 0},  {"queue", "sequence", 0},
    {"claims", "not allowed", 0}, {"queue", "slot", 1}, {"claims", "engine", 1},
    {"claims", NULL, 2},          {"queue", NULL, 2},   {"causality", "completion", 4},
    {"causality", NULL, 3},       {"engine", NULL, 3},  {"link", NULL, 3},
    {"progress", NULL, 5},
};

enum { RECORDS = 6 }; /* what data show comes after these */

static unsigned rank_of_record(const kbr_finding *finding) {
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++)
        if (is_check(finding, records[i].check) &&
            (records[i].rule == NULL || strcmp(finding->rule, records[i].rule) == 0))
            return records[i].rank;
    return 0;
}

/*
 * Is a wrong value traced to a mistake in the op itself, and not to one that a race left it with? Then no
 * other finding is about another op, or they are about this one: as the later of two that race, at least.
 */
static bool explains(const causes *it, size_t i) {
    const kbr_finding *finding = &it->findings->items[i];
    bool alone = true, named = false, later = false;
    for (size_t j = 0; j < it->findings->count; j++) {
        const kbr_finding *other = &it->findings->items[j];
        if (j == i || it->of[j].group != it->of[i].group)
            continue;
        alone = false;
        for (uint32_t k = 0; k < other->op_count && finding->op_count != 0; k++) {
            bool same = same_op(&other->ops[k], finding->ops[0].rank, finding->ops[0].index);
            named = named || same;
            later = later || (same && k == 0 && is_check(other, "order"));
        }
    }
    return (sees_mistake(finding) && (alone || named)) || (is_rule(finding, "value", "missing") && later);
}

/* Lower is nearer to the cause. */
static unsigned rank_of(const causes *it, size_t i) {
    const kbr_finding *finding = &it->findings->items[i];
    if (it->of[i].recorded)
        return rank_of_record(finding);
    if (finding->follows)
        return RECORDS;
    if (explains(it, i))
        return RECORDS + 1;
    return is_check(finding, "order") ? RECORDS + 2 : is_check(finding, "init") ? RECORDS + 3 : RECORDS + 4;
}

/* The findings come sorted by check and place, so that the first of the lowest rank is the one. */
static size_t head_of(const causes *it, uint32_t group) {
    size_t head = SIZE_MAX;
    for (size_t i = 0; i < it->findings->count; i++)
        if (it->of[i].group == group && (head == SIZE_MAX || rank_of(it, i) < rank_of(it, head)))
            head = i;
    return head;
}

/* In how many other findings about records of its group does an op stand? */
static unsigned votes_for(const causes *it, size_t head, const kbr_mention *op) {
    unsigned votes = 0;
    for (size_t i = 0; i < it->findings->count; i++) {
        const kbr_finding *finding = &it->findings->items[i];
        bool counts = i != head && it->of[i].group == it->of[head].group && it->of[i].recorded;
        for (uint32_t j = 0; j < finding->op_count && counts; j++)
            if (same_op(&finding->ops[j], op->rank, op->index)) {
                votes++;
                break;
            }
    }
    return votes;
}

/* Where either of two ops may be wrong, the one is to blame that other findings are about, too. */
static void choose_culprit(const causes *it, size_t head) {
    kbr_finding *finding = &it->findings->items[head];
    char text[256], said[KBR_MESSAGE_CHARS];
    bool either = is_check(finding, "causality") || is_check(finding, "engine") ||
                  is_rule(finding, "bounds", "allocation");
    if (!either || finding->op_count < 2 || !finding->ops[1].known)
        return;
    /* What lives and what ends it name each other anyway. */
    unsigned lead = is_check(finding, "bounds") ? 2 : 1;
    if (votes_for(it, head, &finding->ops[1]) < votes_for(it, head, &finding->ops[0]) + lead)
        return;
    snprintf(said, sizeof said, "%s", finding->message);
    kbr_finding_swap(finding, it->pass->defs);
    kbr_finding_say(finding, "as %s shows: %.400s",
                    kbr_mention_text(it->pass->defs, &finding->ops[1], finding->rank, text, sizeof text),
                    said);
}

/* --- in the order in which they are told ------------------------------------------------------------ */

typedef struct place {
    uint32_t head, index; /* by the old order; the head's own place is before the rest */
    unsigned first;       /* 0: what the head is, is recorded */
} place;

static int compare_places(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    bool p = x->index == x->head, q = y->index == y->head;
    if (p != q)
        return p ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void tell_in_order(causes *it, place *places, kbr_finding *copy, size_t *ret_count) {
    size_t count = it->findings->count, head = 0;
    *ret_count = 0;
    qsort(places, count, sizeof *places, compare_places);
    memcpy(copy, it->findings->items, count * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        it->findings->items[i] = copy[places[i].index];
        if (places[i].index == places[i].head) {
            head = i;
            ++*ret_count;
        }
        it->findings->items[i].cause = (uint32_t)head;
    }
}

enum { OPS_MOST = 1 << 16 }; /* that are read on for a finding */

static void add_words(kbr_finding *finding, const char *words) {
    size_t length = strlen(finding->message);
    snprintf(finding->message + length, sizeof finding->message - length, "%s", words);
}

/* A stream that never leaves a collective: what it did last in it. */
static kb_status name_last(kbr_finding *finding, kbr_lookup *lookup, kb_trail *trail) {
    const kbr_mention begin = finding->ops[0];
    kbr_mention last = begin;
    for (uint64_t i = 1; i < OPS_MOST; i++) {
        const kb_op *op;
        KB_TRY(kbr_lookup_op(lookup, begin.rank, begin.index + i, &op, trail));
        if (op == NULL)
            break;
        if (op->what->stream == begin.stream)
            last = kbr_mention_of(begin.rank, op);
    }
    if (last.index == begin.index)
        return KB_OK;
    kbr_finding_mention(finding, &last);
    add_words(finding, "; the second is the last op of that stream");
    return KB_OK;
}

/* A rank that never enters a collective has a launch that nothing ran of: the first such. */
static kb_status name_launch(const causes *it, kbr_finding *finding, kbr_lookup *lookup, kb_trail *trail) {
    kbr_mention launch = {.known = false};
    bool used = false;
    for (uint64_t i = 0; i < OPS_MOST; i++) {
        const kb_op *op;
        KB_TRY(kbr_lookup_op(lookup, finding->rank, i, &op, trail));
        if (op == NULL || (op->what->kind == KB_OP_LAUNCH && launch.known && !used))
            break;
        if (op->what->kind == KB_OP_LAUNCH) {
            launch = kbr_mention_of(finding->rank, op);
            used = false;
        }
        for (uint32_t j = 0; j < op->what->claim_count; j++)
            used = used || op->what->claims[j].role == KB_ROLE_LAUNCH;
    }
    if (!launch.known || used)
        return KB_OK;
    kbr_finding_mention(finding, &launch);
    finding->time_ps = launch.time_ps;
    finding->pe = it->pass->defs->streams[launch.stream].pe;
    add_words(finding, "; of this launch no op is there: its kernel never ran");
    return KB_OK;
}

/* Who is to blame, which edge is missing, and where to look. */
static kb_status finish_head(causes *it, size_t head, kbr_lookup *lookup, kb_trail *trail) {
    kbr_finding *finding = &it->findings->items[head];
    const kb_op *op;
    choose_culprit(it, head);
    if (is_check(finding, "order"))
        KB_TRY(kbr_explain_edge(lookup, finding, trail));
    if (is_rule(finding, "value", "entry") && finding->op_count == 0 && finding->rank != KB_NONE)
        KB_TRY(name_launch(it, finding, lookup, trail));
    if (is_rule(finding, "value", "exit") && finding->op_count == 1 && finding->ops[0].known)
        KB_TRY(name_last(finding, lookup, trail));
    if (finding->op_count == 0 || !finding->ops[0].known)
        return KB_OK;
    KB_TRY(kbr_lookup_op(lookup, finding->ops[0].rank, finding->ops[0].index, &op, trail));
    finding->issue_ps = op != NULL ? op->issue_ps : -1;
    return KB_OK;
}

static kb_status find_causes(causes *it, kbr_lookup *lookup, place *places, size_t *ret_count, void *copy,
                             kb_trail *trail) {
    size_t count = it->findings->count;
    for (size_t i = 0; i < count; i++)
        if (is_check(&it->findings->items[i], "order"))
            kbr_order_by_program(&it->findings->items[i], it->pass->defs);
    kbr_findings_sort(it->findings);
    for (size_t i = 0; i < count; i++) {
        it->of[i].group = (uint32_t)i;
        it->of[i].recorded = is_recorded(&it->findings->items[i]);
        it->of[i].ring = ring_of(it->pass, &it->findings->items[i]);
    }
    KB_TRY(find_queues(it, lookup, trail));
    join_all(it);
    for (size_t i = 0; i < count; i++) {
        size_t head = head_of(it, it->of[i].group);
        places[i] = (place){(uint32_t)head, (uint32_t)i, it->of[head].recorded ? 0 : 1};
    }
    for (size_t i = 0; i < count; i++)
        if (places[i].head == i)
            KB_TRY(finish_head(it, i, lookup, trail));
    tell_in_order(it, places, copy, ret_count);
    return KB_OK;
}

kb_status kbr_causes_find(const kbr_pass *pass, kbr_findings *findings, size_t *ret_cause_count,
                          kb_trail *trail) {
    causes it = {.pass = pass, .findings = findings};
    kb_arena arena;
    kbr_lookup lookup;
    void *of, *places, *copy;
    kb_arena_init(&arena, pass->alloc, 0);
    kbr_lookup_init(&lookup, pass);
    kb_status status = kb_arena_new(&arena, findings->count * sizeof(facts), &of, trail);
    if (status == KB_OK)
        status = kb_arena_new(&arena, findings->count * sizeof(place), &places, trail);
    if (status == KB_OK)
        status = kb_arena_new(&arena, findings->count * sizeof(kbr_finding), &copy, trail);
    if (status == KB_OK) {
        it.of = of;
        status = find_causes(&it, &lookup, places, ret_cause_count, copy, trail);
    }
    kbr_lookup_fini(&lookup);
    kb_arena_fini(&arena);
    return status;
}
