/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structure: each record makes sense by itself, and the footer agrees with what was read.
 *
 * Everything that later checks and the execution index with is looked at here first.
 */
#include <inttypes.h>
#include <stdio.h>

#include "check/check.h"
#include "op/access.h"
#include "op/op.h"

typedef struct rank_state {
    uint64_t ops;
    int64_t issue_ps; /* of the op before */
    uint32_t stream;
} rank_state;

typedef struct structure {
    kbr_pass *pass;
    rank_state *ranks;
    int64_t latest_ps;
    uint32_t group; /* whose members `member` marks, or KB_NONE */
    bool *member;   /* [ranks] */
} structure;

static size_t state_size(const kbr_pass *pass) {
    return sizeof(structure) + pass->run->ranks * (sizeof(rank_state) + sizeof(bool));
}

static kb_status open_structure(kbr_pass *pass, void **ret_state, kb_trail *trail) {
    void *block;
    KB_TRY(kb_new_zeroed(pass->alloc, state_size(pass), &block, trail));
    structure *it = block;
    it->pass = pass;
    it->ranks = (rank_state *)(it + 1);
    it->member = (bool *)(it->ranks + pass->run->ranks);
    it->group = KB_NONE;
    *ret_state = it;
    return KB_OK;
}

static void close_structure(void *state, const kb_alloc *alloc) {
    structure *it = state;
    kb_delete(alloc, it, state_size(it->pass));
}

#define SAY(it, rank, op, rule, ...)                                                                   \
    do {                                                                                               \
        kbr_finding finding_ = kbr_finding_about((it)->pass->defs, "structure", (rule), (rank), (op)); \
        finding_.key = (op)->what->kind;                                                               \
        kbr_finding_say(&finding_, __VA_ARGS__);                                                       \
        kbr_findings_add((it)->pass->findings, &finding_);                                             \
    } while (0)

/* --- names ------------------------------------------------------------------------------------- */

/* The group that was asked for last is at hand: ops of one group come together. */
static bool is_member(structure *it, uint32_t group, uint32_t rank) {
    const kb_group *groups = it->pass->defs->groups;
    if (it->group != group) {
        for (size_t i = 0; it->group != KB_NONE && i < groups[it->group].rank_count; i++)
            it->member[groups[it->group].ranks[i]] = false;
        for (size_t i = 0; i < groups[group].rank_count; i++)
            it->member[groups[group].ranks[i]] = true;
        it->group = group;
    }
    return it->member[rank];
}

static bool names(structure *it, uint32_t rank, const kb_op *op) {
    const kb_defs *defs = it->pass->defs;
    const kb_template *what = op->what;
    const struct {
        const char *what;
        uint64_t id, count;
        bool none; /* KB_NONE is allowed */
    } ids[] = {
        {"stream", what->stream, defs->stream_count, false},
        {"engine", what->engine, defs->engine_count, true},
        {"queue", what->queue, defs->queue_count, true},
        {"route", what->route, defs->route_count, true},
        {"group", what->group, defs->group_count, !kbr_op_impl_of(what->kind)->joins},
        {"step", what->step, defs->string_count, true},
        {"kernel", what->kernel, defs->string_count, true},
        {"file", what->file, defs->string_count, true},
        {"collective", op->collective, defs->collective_count + 1, false},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (ids[i].id >= ids[i].count && !(ids[i].none && ids[i].id == KB_NONE)) {
            SAY(it, rank, op, "unknown id", "it names %s %" PRIu64 ", and there are %" PRIu64, ids[i].what,
                ids[i].id, ids[i].count);
            return false;
        }
    if (defs->streams[what->stream].rank != rank) {
        SAY(it, rank, op, "stream",
            "it stands among the ops of rank %" PRIu32 ", but its stream %s is of rank %" PRIu32, rank,
            defs->streams[what->stream].name, defs->streams[what->stream].rank);
        return false;
    }
    if (what->group != KB_NONE && !is_member(it, what->group, rank)) {
        SAY(it, rank, op, "group", "it is of group `%s`, and its rank %" PRIu32 " is not",
            defs->groups[what->group].name, rank);
        return false;
    }
    return true;
}

/* --- operands ---------------------------------------------------------------------------------- */

static bool operands(const structure *it, uint32_t rank, const kb_op *op) {
    const kb_template *what = op->what;
    const kb_kind_info *kind = kb_kind_describe(what->kind);
    if (what->operand_count < kind->fewest || what->operand_count > kind->most ||
        what->operand_count > KB_OPERANDS_MAX) {
        SAY(it, rank, op, "operand count",
            "it has %" PRIu32 " operands, and a %s has %" PRIu32 " to %" PRIu32, what->operand_count,
            kind->name, kind->fewest, kind->most);
        return false;
    }
    for (uint32_t i = 0; i < what->operand_count; i++) {
        const kb_operand *operand = &what->operands[i];
        uint32_t want = kb_kind_role(kind, i)->access;
        if (operand->memory >= it->pass->defs->memory_count || operand->dims > KB_DIMS_MAX ||
            kb_dtype_size(operand->dtype) == 0) {
            SAY(it, rank, op, "operand",
                "operand %" PRIu32 " names memory %" PRIu32 ", dtype %u, %u dimensions", i, operand->memory,
                operand->dtype, operand->dims);
            return false;
        }
        bool may =
            operand->access == want || (want == KB_ACCESS_UPDATE && operand->access == KB_ACCESS_WRITE);
        if (!may) {
            SAY(it, rank, op, "operand access", "operand %" PRIu32 " is to be a %s, and the trace says %s", i,
                kb_word_name(KB_VOC_ACCESS, want) != NULL ? kb_word_name(KB_VOC_ACCESS, want) : "?",
                kb_word_name(KB_VOC_ACCESS, operand->access) != NULL
                    ? kb_word_name(KB_VOC_ACCESS, operand->access)
                    : "?");
            return false;
        }
    }
    return true;
}

/* A written operand has a place of its own for each element; only what is read may be spread by stride 0. */
static bool spreads(const kb_operand *operand) {
    for (uint32_t i = 0; i < operand->dims; i++)
        if (operand->shape[i] > 1 && operand->stride[i] == 0)
            return true;
    return false;
}

/* What the kind asks of its operands together. */
static bool shapes(const structure *it, uint32_t rank, const kb_op *op) {
    const kbr_op_impl *impl = kbr_op_impl_of(op->what->kind);
    char words[KBR_MISFIT_CHARS] = "";
    for (uint32_t i = 0; i < op->what->operand_count; i++)
        if (op->what->operands[i].access != KB_ACCESS_READ && spreads(&op->what->operands[i])) {
            SAY(it, rank, op, "operand shape",
                "operand %" PRIu32 " is written, and several of its elements lie at one place", i);
            return false;
        }
    if (impl->fits == NULL || impl->fits(op, words))
        return true;
    SAY(it, rank, op, "operand shape", "%s", words);
    return false;
}

/* --- times ------------------------------------------------------------------------------------- */

static void times(structure *it, uint32_t rank, const kb_op *op) {
    rank_state *in = &it->ranks[rank];
    if (op->issue_ps < 0 || op->start_ps < op->issue_ps || op->sent_ps < op->start_ps ||
        op->done_ps < op->sent_ps)
        SAY(it, rank, op, "times",
            "issue %" PRId64 ", start %" PRId64 ", sent %" PRId64 ", done %" PRId64 " ps go back",
            op->issue_ps, op->start_ps, op->sent_ps, op->done_ps);
    int64_t sum = 0;
    bool negative = false;
    for (uint32_t i = 0; i < op->what->why_count; i++) {
        negative = negative || op->blames[i].ps < 0;
        if (__builtin_add_overflow(sum, op->blames[i].ps, &sum))
            negative = true;
    }
    if (negative || (op->what->why_count != 0 && sum != op->done_ps - op->issue_ps))
        SAY(it, rank, op, "why", "its causes of time sum to %" PRId64 " ps, and it took %" PRId64, sum,
            op->done_ps - op->issue_ps);
    bool later =
        op->issue_ps > in->issue_ps || (op->issue_ps == in->issue_ps && op->what->stream >= in->stream);
    if (in->ops != 0 && !later)
        SAY(it, rank, op, "order",
            "it is numbered after an op that was issued later (%" PRId64 " ps, stream %" PRIu32 ")",
            in->issue_ps, in->stream);
    in->issue_ps = op->issue_ps;
    in->stream = op->what->stream;
    it->latest_ps = op->done_ps > it->latest_ps ? op->done_ps : it->latest_ps;
}

static kb_status read_structure(void *state, uint32_t rank, const kb_op *op, kbr_fitness *inout_fitness,
                                kb_trail *trail) {
    structure *it = state;
    if (kbr_op_impl_of(op->what->kind) == NULL || kb_kind_describe(op->what->kind) == NULL)
        return kb_fail(trail, KB_E_UNSUPPORTED,
                       "rank %u #%llu is of kind %u, which this build does not know: use a newer kb", rank,
                       (unsigned long long)op->index, op->what->kind);
    if (op->index != it->ranks[rank].ops)
        SAY(it, rank, op, "numbering", "it follows #%" PRIu64 " of its rank", it->ranks[rank].ops - 1);
    times(it, rank, op);
    it->ranks[rank].ops = op->index + 1;
    const kb_template *what = op->what;
    if (kb_word_name(KB_VOC_BLOCKS, what->blocks) == NULL || what->reached < KB_POINT_ISSUE ||
        what->reached > KB_POINT_DONE) {
        SAY(it, rank, op, "state", "blocks %u, reached %u mean nothing", what->blocks, what->reached);
        *inout_fitness = KBR_UNKNOWN;
        return KB_OK;
    }
    *inout_fitness = !names(it, rank, op)                             ? KBR_UNKNOWN
                     : operands(it, rank, op) && shapes(it, rank, op) ? KBR_FIT
                                                                      : KBR_UNFIT;
    return KB_OK;
}

/* --- the footer -------------------------------------------------------------------------------- */

static kb_status finish_structure(void *state, kb_trail *trail) {
    (void)trail;
    const structure *it = state;
    const kb_footer *footer = it->pass->footer;
    if (footer == NULL)
        return KB_OK;
    uint64_t sum = 0;
    for (uint32_t rank = 0; rank < it->pass->run->ranks; rank++)
        sum += it->ranks[rank].ops;
    kbr_finding finding = kbr_finding_about(it->pass->defs, "structure", "footer", KB_NONE, NULL);
    for (size_t i = 0; i < footer->rank_count; i++) {
        const kb_rank_summary *rank = &footer->ranks[i];
        uint64_t ops = rank->rank < it->pass->run->ranks ? it->ranks[rank->rank].ops : 0;
        if (ops == rank->ops)
            continue;
        finding.rank = rank->rank;
        kbr_finding_say(&finding,
                        "the footer counts %" PRIu64 " ops of rank %" PRIu32 ", and there are %" PRIu64,
                        rank->ops, rank->rank, ops);
        kbr_findings_add(it->pass->findings, &finding);
    }
    finding.rank = KB_NONE;
    if (sum != footer->ops) {
        kbr_finding_say(&finding, "the footer counts %" PRIu64 " ops, and there are %" PRIu64, footer->ops,
                        sum);
        kbr_findings_add(it->pass->findings, &finding);
    }
    if (it->pass->complete && it->latest_ps != footer->ending.time_ps) {
        kbr_finding_say(&finding,
                        "the footer says that the last op was done at %" PRId64 " ps, and it was at %" PRId64,
                        footer->ending.time_ps, it->latest_ps);
        kbr_findings_add(it->pass->findings, &finding);
    }
    return KB_OK;
}

const kbr_check kbr_check_structure = {
    .open = open_structure, .read = read_structure, .finish = finish_structure, .close = close_structure};
